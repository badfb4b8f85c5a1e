// The golden frames, which the tests of the Go package protocol write and read as well, and which
// message each of them is.
import { readFileSync, readdirSync } from 'node:fs';

export const protocol = new URL('../../../../protocol/', import.meta.url);

const directory = new URL('testdata/golden/', protocol);

const text = (name) => readFileSync(new URL(`${name}.json`, directory), 'utf8').trim();

/** The names of all golden frames, such as `client/ping`. */
export const names = ['client', 'server'].flatMap((from) =>
  readdirSync(new URL(from, directory)).map((file) => `${from}/${file.replace(/\.json$/, '')}`),
);

export const golden = (name) => JSON.parse(text(name));

const beginningWith = (prefix) => names.filter((name) => name.startsWith(prefix));

/** For each message of the document, the golden frames that are such messages. */
export const framesOf = {
  joinPlan: ['client/join-plan', 'client/join-plan-since', 'client/join-plan-unicode'],
  leavePlan: ['client/leave-plan'],
  ping: ['client/ping'],
  authenticate: ['client/authenticate'],
  updatePresence: ['client/update-presence', 'client/update-presence-clear'],
  hello: ['server/pong-hello'],
  pong: ['server/pong'],
  joinAnswer: ['server/join-plan-answer'],
  joined: ['server/join-plan-joined'],
  count: ['server/join-plan-count'],
  leaveAnswer: ['server/leave-plan-answer'],
  left: ['server/leave-plan-left'],
  presenceUpdated: ['server/presence-updated', 'server/presence-updated-clear'],
  authenticated: ['server/authenticate-answer', 'server/authenticate-no-expiry'],
  taskUpdated: ['server/task-updated'],
  taskCreated: ['server/task-created'],
  taskDeleted: ['server/task-deleted', 'server/task-deleted-number'],
  taskReordered: ['server/task-reordered', 'server/task-reordered-numbers'],
  progressUpdated: ['server/progress-updated'],
  hostEvent: ['server/host-event', 'server/host-event-version'],
  notice: ['server/host-notice-of-no-plan', 'server/task-deleted-of-no-plan'],
  receipt: ['server/receipt'],
  resync: ['server/resync', 'server/resync-spread'],
  error: beginningWith('server/error-'),
  removed: ['server/removed', 'server/removed-retry'],
  goodbye: beginningWith('server/goodbye-'),
};

/** Each golden frame with the message that it is. */
export const frames = Object.entries(framesOf).flatMap(([message, list]) =>
  list.map((name) => ({ message, name, frame: golden(name) })),
);

/** Fields that a message may lack. A star means any index. */
const optional = {
  joinPlan: ['since'],
  joinAnswer: ['data.participants.*.state'],
  error: ['planId'],
  resync: ['data.spreadMs'],
  goodbye: ['timestamp'],
};
const optionalOfNumbered = ['by', 'mutationId', 'version'];

/** What may be a string or an integer. */
const taskIds = ['data.taskId', 'data.taskIds.*'];

/** What may be any JSON: it is not looked into. */
const opaque = ['data.state', 'data.task', 'data.progress', 'data.participants.*.state'];
const opaqueOf = { hostEvent: ['data'], notice: ['data'] };

/** Copies of a frame that each lack a required field, or have one of a wrong type. */
export function spoiled(message, frame) {
  const found = [];
  const spoil = (path, change) => {
    const copy = structuredClone(frame);
    change(
      path.slice(0, -1).reduce((value, key) => value[key], copy),
      path.at(-1),
    );
    return copy;
  };
  const visit = (value, path) => {
    const pattern = path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
    const inArray = typeof path.at(-1) === 'number';
    const lackable = optional[message]?.includes(pattern) || ('seq' in frame && optionalOfNumbered.includes(pattern));
    if (!lackable && !inArray) {
      found.push({
        what: `without ${path.join('.')}`,
        frame: spoil(path, (holder, key) => {
          delete holder[key];
        }),
      });
    }
    if (opaque.includes(pattern) || opaqueOf[message]?.includes(pattern)) return;
    for (const wrong of [true, 'x', 7.5, null, [], {}]) {
      if (kind(wrong) === kind(value) || allowed(pattern, wrong)) continue;
      if (kind(wrong) === 'string' && taskIds.includes(pattern)) continue;
      found.push({
        what: `${path.join('.')}: ${JSON.stringify(wrong)}`,
        frame: spoil(path, (holder, key) => {
          holder[key] = wrong;
        }),
        fraction: typeof value === 'number' && wrong === 7.5,
      });
    }
    if (value !== null && typeof value === 'object') {
      for (const key of Object.keys(value)) visit(value[key], [...path, Array.isArray(value) ? Number(key) : key]);
    }
  };
  for (const key of Object.keys(frame)) visit(frame[key], [key]);
  return found;
}

const kind = (value) =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

/** Reports whether null is also valid for this value of a golden frame. */
const allowed = (pattern, value) => value === null && ['since', 'data.expiresAt'].includes(pattern);
