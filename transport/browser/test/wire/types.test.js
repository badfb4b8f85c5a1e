import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

import { frames, spoiled } from './frames.js';

/** For each message of the document, its interface. */
const interfaceOf = {
  joinPlan: 'p.JoinPlan',
  leavePlan: 'p.LeavePlan',
  ping: 'p.Ping',
  authenticate: 'p.Authenticate',
  updatePresence: 'p.UpdatePresence',
  hello: 'p.HelloMessage',
  pong: 'p.PongMessage',
  joinAnswer: 'p.JoinAnswerMessage',
  joined: 'p.JoinedMessage',
  count: 'p.CountMessage',
  leaveAnswer: 'p.LeaveAnswerMessage',
  left: 'p.LeftMessage',
  presenceUpdated: 'p.PresenceUpdatedMessage',
  authenticated: 'p.AuthenticatedMessage',
  taskUpdated: 'p.PlanEvent & p.TaskUpdated',
  taskCreated: 'p.PlanEvent & p.TaskCreated',
  taskDeleted: 'p.PlanEvent & p.TaskDeleted',
  taskReordered: 'p.PlanEvent & p.TaskReordered',
  progressUpdated: 'p.PlanEvent & p.ProgressUpdated',
  hostEvent: 'p.PlanEvent<unknown, unknown, p.HostEvent<"comment-added">>',
  notice: 'p.Notice<unknown, unknown, p.HostEvent<"assigned">>',
  receipt: 'p.Receipt',
  resync: 'p.ResyncMessage',
  error: 'p.ErrorMessage',
  removed: 'p.RemovedMessage',
  goodbye: 'p.GoodbyeMessage',
};

/** Frames of another interface than the others of their message. */
const interfaceOfFrame = {
  'server/task-deleted-of-no-plan': 'p.Notice & p.TaskDeleted',
  'server/task-deleted-number': 'p.PlanEvent<unknown, unknown, p.HostEvent, number> & p.TaskDeleted<number>',
  'server/task-reordered-numbers': 'p.PlanEvent<unknown, unknown, p.HostEvent, number> & p.TaskReordered<number>',
};

const interfaceFor = (message, name) => interfaceOfFrame[name] ?? interfaceOf[message];

/** Reports whether a type detects the damage: types have no integers, and any string is a time. */
const typed = ({ what, fraction }) => !fraction && what !== 'data.expiresAt: "x"';

const directory = fileURLToPath(new URL('.', import.meta.url));

/** Compiles constants, one per line, and returns the errors of TypeScript for each. */
function compile(constants) {
  const name = `${directory}frames.ts`;
  const options = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2022.d.ts'],
    types: [],
  };
  const lines = constants.map(({ type, value }, i) => `export const c${i}: ${type} = ${JSON.stringify(value)};`);
  const text = [`import type * as p from '../../types/protocol.js';`, ...lines].join('\n');
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, text, rest[0]) : getSourceFile(file, ...rest);
  host.fileExists = (file) => file === name || ts.sys.fileExists(file);
  const program = ts.createProgram([name], options, host);
  const said = constants.map(() => []);
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const line = file?.fileName === name ? file.getLineAndCharacterOfPosition(start).line : 0;
    if (line === 0) throw new Error(`${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    said[line - 1].push(ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return said;
}

const anyHost = 'p.HostEvent<"comment-added"> | p.HostEvent<"assigned">';

const sides = frames.map(({ name, frame }) => ({
  what: `${name} of its side`,
  type: name.startsWith('client/') ? 'p.ClientMessage' : `p.ServerMessage<unknown, unknown, ${anyHost}, p.TaskId>`,
  value: frame,
}));
const own = frames.map(({ message, name, frame }) => ({ what: name, type: interfaceFor(message, name), value: frame }));
const wrong = frames.flatMap(({ message, name, frame }) =>
  spoiled(message, frame)
    .filter(typed)
    .map((one) => ({ what: `${name} ${one.what}`, type: interfaceFor(message, name), value: one.frame })),
);

const said = compile([...sides, ...own, ...wrong]);

test('every golden frame matches the message type of its direction and its own interface', () => {
  const right = [...sides, ...own];
  expect(right.length).toBe(2 * frames.length);
  expect(right.map(({ what }, i) => [what, ...said[i]]).filter(([, fault]) => fault)).toEqual([]);
});

test('a damaged frame matches no message type', () => {
  const of = said.slice(sides.length + own.length);
  expect(of.length).toBeGreaterThan(1000);
  expect(wrong.filter((_, i) => of[i].length === 0).map(({ what }) => what)).toEqual([]);
});
