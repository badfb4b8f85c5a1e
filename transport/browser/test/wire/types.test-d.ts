// What a program may write about the wire, and what it may not. Nothing of this runs: `npm run
// check` compiles it.
import type {
  ClientMessage,
  Count,
  ErrorCode,
  GoodbyeCode,
  HostEvent,
  JoinAnswerMessage,
  MessageType,
  Notice,
  PlanEvent,
  Position,
  Receipt,
  ServerMessage,
  TaskId,
} from '../../types/protocol.js';

interface Task {
  id: string;
  title: string;
}
interface Progress {
  totalTasks: number;
}

declare const event: PlanEvent<Task, Progress>;
declare const message: ServerMessage<Task, Progress>;

/** Holds if the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<A, B>(yes: Same<A, B>): void;

// The type distinguishes the five events of the protocol; what remains are those of the host.
switch (event.type) {
  case 'task-updated':
  case 'task-created':
    is<typeof event.data.task, Task>(true);
    // @ts-expect-error another event has it
    event.data.taskId;
    break;
  case 'task-deleted':
    is<typeof event.data, { taskId: string }>(true);
    break;
  case 'task-reordered':
    is<typeof event.data, { taskIds: string[] }>(true);
    break;
  case 'progress-updated':
    is<typeof event.data, { progress: Progress }>(true);
    break;
  default: {
    const type: string = event.type;
    is<typeof event.data, unknown>(true);
    void type;
  }
}
is<typeof event.seq, number>(true);
is<typeof event.by, string | undefined>(true);
// @ts-expect-error the type is of no event of the protocol, and the host's own were not named
event.type === 'comment-added';

// A host that names its events gets theirs as well.
type Commented = HostEvent<'comment-added', { text: string }>;
declare const own: PlanEvent<Task, Progress, Commented>;
if (own.type === 'comment-added') is<typeof own.data, { text: string }>(true);
if (own.type === 'task-updated') is<typeof own.data, { task: Task }>(true);
// @ts-expect-error misspelt
own.type === 'comment-aded';

// A host whose task IDs are numbers says so, and one that has both.
declare const numbered: PlanEvent<Task, Progress, HostEvent, number>;
if (numbered.type === 'task-deleted') is<typeof numbered.data, { taskId: number }>(true);
if (numbered.type === 'task-reordered') is<typeof numbered.data, { taskIds: number[] }>(true);
declare const mixed: ServerMessage<Task, Progress, HostEvent, TaskId>;
if (mixed.type === 'task-deleted') is<typeof mixed.data.taskId, string | number>(true);
// @ts-expect-error an ID is a string or a number
export type Wrong = PlanEvent<Task, Progress, HostEvent, boolean>;

// Without parameters a task is unknown, which is not any.
declare const plain: PlanEvent;
if (plain.type === 'task-updated') {
  is<typeof plain.data.task, unknown>(true);
  // @ts-expect-error the type of a task is unknown
  plain.data.task.title;
}

// Everything that a server says.
is<typeof message.planId, string | undefined>(true);
is<typeof message.seq, number | undefined>(true);
switch (message.type) {
  case 'goodbye':
    is<typeof message.data.code, GoodbyeCode>(true);
    is<typeof message.data.retryAfterMs, number>(true);
    is<typeof message.timestamp, string | undefined>(true);
    break;
  case 'pong':
    if (message.data) is<typeof message.data.clientId, string>(true);
    break;
  case 'join-plan':
    if ('success' in message.data) is<typeof message.data.position, Position>(true);
    else if ('userId' in message.data) is<typeof message.data.userName, string>(true);
    else is<typeof message.data, Count>(true);
    break;
  case 'error':
    is<typeof message.data.code, ErrorCode>(true);
    break;
  case 'receipt':
    is<typeof message, Receipt>(true);
    is<typeof message.data, undefined>(true);
    break;
  case 'authenticate':
    is<typeof message.data.expiresAt, string | null>(true);
    break;
  case 'task-updated':
    is<typeof message.data, { task: Task }>(true);
    if (message.seq !== undefined) is<typeof message.planId, string>(true); // an event, no notice
    break;
}

// Frames written out, as the golden ones are in types.test.js.
const frames: ServerMessage<Task, Progress, Commented>[] = [
  { type: 'pong', timestamp: '2026-03-04T05:06:07.089Z' },
  {
    type: 'task-updated',
    planId: 'demo',
    data: { task: { id: 't1', title: 'x' } },
    timestamp: '2026-03-04T05:06:07.089Z',
    seq: 43,
    prev: 42,
  },
  { type: 'task-updated', data: { task: { id: 't1', title: 'x' } }, timestamp: '2026-03-04T05:06:07.089Z' },
  {
    type: 'comment-added',
    planId: 'demo',
    data: { text: 'hello' },
    timestamp: '2026-03-04T05:06:07.089Z',
    seq: 43,
    prev: 42,
  },
  { type: 'goodbye', data: { code: 4401, reason: 'x', reconnect: true, reauth: true, retryAfterMs: 0 } },
  // @ts-expect-error no such code
  { type: 'error', data: { code: 'bad_mood', message: 'text', re: '' }, timestamp: '2026-03-04T05:06:07.089Z' },
  // @ts-expect-error not a code of a goodbye
  { type: 'goodbye', data: { code: 1006, reason: '', reconnect: true, reauth: false, retryAfterMs: 0 } },
  {
    type: 'task-created',
    planId: 'demo',
    // @ts-expect-error not a task
    data: { task: { id: 't1' } },
    timestamp: '2026-03-04T05:06:07.089Z',
    seq: 43,
    prev: 42,
  },
  // @ts-expect-error an event has a position
  { type: 'receipt', planId: 'demo', timestamp: '2026-03-04T05:06:07.089Z' },
  // @ts-expect-error a type that is not declared
  { type: 'assigned', data: {}, timestamp: '2026-03-04T05:06:07.089Z' },
];
const answers: JoinAnswerMessage['data'][] = [
  { success: true, participantCount: 0, participants: [], position: { epoch: 'E1', seq: 0 }, recovered: false },
  // @ts-expect-error a position has an epoch
  { success: true, participantCount: 0, participants: [], position: { seq: 0 }, recovered: false },
];
const notice: Notice<Task, Progress, Commented> = {
  type: 'comment-added',
  data: { text: 'x' },
  timestamp: '2026-03-04T05:06:07.089Z',
};

// Everything that a client says.
const requests: ClientMessage[] = [
  { type: 'ping' },
  { type: 'join-plan', planId: 'demo', since: null },
  // @ts-expect-error which plan?
  { type: 'join-plan' },
  // @ts-expect-error a position has an epoch
  { type: 'join-plan', planId: 'demo', since: { seq: 1 } },
  // @ts-expect-error only a server says that
  { type: 'pong' },
  // @ts-expect-error no token
  { type: 'authenticate', data: {} },
  // @ts-expect-error no state
  { type: 'update-presence', planId: 'demo', data: {} },
];

const types: MessageType[] = [
  'update-presence',
  // @ts-expect-error no type of the protocol
  'dance',
];

void [frames, answers, notice, requests, types];
