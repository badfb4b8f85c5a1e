// Carries out a change: requests to the program, until it is done or cannot be.

import { ApiError, NetworkError, type RequestOptions } from '../session/request';
import type { PlanDetail, Task } from '../taskboard';
import { inOrder, moved, withoutTask, withTask } from './cachedPlan';
import type { Change } from './change';
import { outcomeOf } from './conflict';
import type { OwnVersions } from './ownVersions';

/** Somebody else has changed the same, to this. */
export class ConflictError extends Error {
  constructor(readonly theirs: Task) {
    super('changed meanwhile');
  }
}

/** The task is not there any more. */
export class GoneError extends Error {}

export interface Carrier {
  planId: string;
  request<T>(path: string, options?: RequestOptions): Promise<T>;
  headers(mutationId: string): Record<string, string>;
  cached(): PlanDetail | undefined;
  versions: OwnVersions;
  /** The tasks that were known when a new one was sent for which no answer came, by the mutation id. */
  unanswered: Map<string, Set<string>>;
}

/** What the cached plan becomes once the change is confirmed. */
export type Confirmed = (plan: PlanDetail) => PlanDetail;

const ATTEMPTS = 4; // at a task that others change as often

export async function carryOut(change: Change, carrier: Carrier): Promise<Confirmed> {
  switch (change.kind) {
    case 'create': return create(change, carrier);
    case 'update': return update(change, carrier);
    case 'delete': return remove(change, carrier);
    case 'move': return move(change, carrier);
  }
}

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

async function create(change: Of<'create'>, { planId, request, headers, cached, unanswered }: Carrier): Promise<Confirmed> {
  const { mutationId, title, notes, assignee } = change;
  const path = `/api/plans/${encodeURIComponent(planId)}`;
  const known = unanswered.get(mutationId);
  if (known) {
    // It may have arrived, and to send it again would then make a second task.
    const now = await request<PlanDetail>(path);
    const made = now.tasks.find((t) => !known.has(t.id) && t.title === title && t.notes === (notes ?? ''));
    if (made) return (plan) => withTask(plan, made);
  }
  const before = new Set(cached()?.tasks.map(({ id }) => id));
  try {
    const task = await request<Task>(`${path}/tasks`, { method: 'POST', body: { title, notes, assignee }, headers: headers(mutationId) });
    return (plan) => withTask(plan, task);
  } catch (error) {
    if (error instanceof NetworkError) unanswered.set(mutationId, known ?? before);
    throw error;
  }
}

async function update({ base, fields, mutationId }: Of<'update'>, { request, headers, versions }: Carrier): Promise<Confirmed> {
  let version = versions.latest(base.id, base.version);
  for (let attempt = 1; ; attempt++) {
    try {
      const task = await request<Task>(taskPath(base), { method: 'PATCH', body: { version, ...fields }, headers: headers(mutationId) });
      versions.record(base.id, version, task.version);
      return (plan) => withTask(plan, task);
    } catch (error) {
      const theirs = currentTask(error);
      const outcome = outcomeOf(base, fields, theirs);
      if (outcome === 'done') return (plan) => withTask(plan, theirs);
      if (outcome === 'conflict' || attempt === ATTEMPTS) throw new ConflictError(theirs);
      version = theirs.version;
    }
  }
}

async function remove({ base, mutationId }: Of<'delete'>, { request, headers, versions }: Carrier): Promise<Confirmed> {
  const version = versions.latest(base.id, base.version);
  try {
    await request(`${taskPath(base)}?version=${version}`, { method: 'DELETE', headers: headers(mutationId) });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw new ConflictError(currentTask(error));
    // Gone already, by this change whose answer was lost, or by somebody else's.
  }
  return (plan) => withoutTask(plan, base.id);
}

async function move({ taskId, after, mutationId }: Of<'move'>, { planId, request, headers, cached }: Carrier): Promise<Confirmed> {
  let current = cached()?.tasks.map(({ id }) => id) ?? [];
  for (let attempt = 1; ; attempt++) {
    const taskIds = moved(current, taskId, after);
    if (!taskIds.includes(taskId)) throw new GoneError();
    try {
      await request(`/api/plans/${encodeURIComponent(planId)}/tasks/reorder`, { method: 'POST', body: { taskIds }, headers: headers(mutationId) });
      return (plan) => ({ ...plan, tasks: inOrder(plan.tasks, taskIds) });
    } catch (error) {
      // Somebody has added or deleted a task: the same move, in the order as it is now.
      if (!(error instanceof ApiError) || error.code !== 'conflict' || attempt === ATTEMPTS) throw error;
      current = error.body.taskIds as string[];
    }
  }
}

const taskPath = ({ id }: Task) => `/api/tasks/${encodeURIComponent(id)}`;

/** The task in the answer of a conflict; throws whatever else the error is. */
function currentTask(error: unknown): Task {
  if (error instanceof ApiError && error.code === 'conflict') return error.body.task as Task;
  if (error instanceof ApiError && error.status === 404) throw new GoneError();
  throw error;
}
