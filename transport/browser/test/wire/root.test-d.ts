// The entry planrooms exports the types that a program needs to name.

// biome-ignore lint/style/useImportType: the first three are values
import {
  Client,
  newId,
  Subscription,
  type ClientError,
  type ClientOptions,
  type ConnectionState,
  type HostEvent,
  type JoinAnswer,
  type LoadReason,
  type LoadRequest,
  type Participant,
  type PlanEvent,
  type PlanHandlers,
  type PlanSnapshot,
  type PlanStatus,
  type Position,
  type Receipt,
  type TaskId,
  type Token,
  type TokenReason,
  type TokenRequest,
} from '../../types/planrooms.js';

interface Task {
  id: string;
  title: string;
}
type Mine = HostEvent<'renamed', { title: string }>;

const options: ClientOptions = {
  url: new URL('https://app.test/ws'),
  timeoutMs: 5_000,
  WebSocket: class {
    constructor(
      readonly url: URL,
      readonly protocols: string[],
    ) {}
  },
  async getToken({ reason, signal }: TokenRequest): Promise<Token | null> {
    const why: TokenReason = reason;
    return signal.aborted ? null : why;
  },
};
const client = new Client(options);
const state: ConnectionState = client.state;
const handlers: PlanHandlers<Task, number, Mine> = {
  async load({ reason, position, signal }: LoadRequest): Promise<Position> {
    const why: LoadReason = reason;
    return signal.aborted ? position : { epoch: why, seq: 1 };
  },
  onEvent(event: PlanEvent<Task, number, Mine>) {
    if (event.type === 'renamed') event.data.title.trim();
  },
  onJoin: (answer: JoinAnswer) => answer.participants satisfies Participant[],
  onReceipt: (receipt: Receipt) => receipt.seq,
  onError: (error: ClientError) => error.code,
};
const plan: Subscription<Task, number, Mine> = client.join('demo', handlers);
const numbered: Subscription<Task, number, HostEvent, number> = client.join<Task, number, HostEvent, number>(
  'numbers',
  {
    onEvent(event) {
      if (event.type === 'task-deleted') event.data.taskId satisfies number satisfies TaskId;
    },
  },
);
const snapshot: PlanSnapshot = plan.snapshot;
const status: PlanStatus = snapshot.status;
new Client({ credentials: 'cookie', getExpiry: () => Date.now() });
export const all = [numbered, state, status, newId(), client.join<Task>('other')];
