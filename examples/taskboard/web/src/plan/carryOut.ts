// Carries out a change: sends requests until it is done or has failed.

import { ApiError, NetworkError, type RequestOptions } from '../session/request';
import type { PlanDetail, Task } from '../taskboard';
import { inOrder, moved, withoutTask, withTask } from './cachedPlan';
import type { Change } from './change';
import { outcomeOf } from './conflict';
import type { OwnVersions } from './ownVersions';

/** Another user has changed the same field to this value. */
export class ConflictError extends Error {
  constructor(readonly theirs: Task) {
    super('changed meanwhile');
  }
}

/** The task does not exist any more. */
export class GoneError extends Error {}

export interface Carrier {
  planId: string;
  request<T>(path: string, options?: RequestOptions): Promise<T>;
  headers(mutationId: string): Record<string, string>;
  cached(): PlanDetail | undefined;
  versions: OwnVersions;
  /**
   * For each new task whose request got no answer: the tasks that were known before, by mutation
   * ID.
   */
  unanswered: Map<string, Set<string>>;
}

/** Applies a confirmed change to the cached plan. */
export type Confirmed = (plan: PlanDetail) => PlanDetail;

const ATTEMPTS = 4; // while others keep changing the task

export async function carryOut(change: Change, carrier: Carrier): Promise<Confirmed> {
  switch (change.kind) {
    case 'create':
      return create(change, carrier);
    case 'update':
      return update(change, carrier);
    case 'delete':
      return remove(change, carrier);
    case 'restore':
      return restore(change, carrier);
    case 'move':
      return move(change, carrier);
  }
}

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

async function create(
  change: Of<'create'>,
  { planId, request, headers, cached, unanswered }: Carrier,
): Promise<Confirmed> {
  const { mutationId, title, notes, assignee } = change;
  const path = `/api/plans/${encodeURIComponent(planId)}`;
  const known = unanswered.get(mutationId);
  if (known) {
    // The request may have arrived. Sending it again would then create a second task.
    const now = await request<PlanDetail>(path);
    const made = now.tasks.find((t) => !known.has(t.id) && t.title === title && t.notes === (notes ?? ''));
    if (made) return (plan) => withTask(plan, made);
  }
  const before = new Set(cached()?.tasks.map(({ id }) => id));
  try {
    const task = await request<Task>(`${path}/tasks`, {
      method: 'POST',
      body: { title, notes, assignee },
      headers: headers(mutationId),
    });
    return (plan) => withTask(plan, task);
  } catch (error) {
    if (error instanceof NetworkError) unanswered.set(mutationId, known ?? before);
    throw error;
  }
}

async function update(
  { base, fields, mutationId }: Of<'update'>,
  { planId, request, headers, versions }: Carrier,
): Promise<Confirmed> {
  let version = versions.latest(base.id, base.version);
  for (let attempt = 1; ; attempt++) {
    try {
      const task = await request<Task>(taskPath(base), {
        method: 'PATCH',
        body: { version, ...fields },
        headers: headers(mutationId),
      });
      versions.record(base.id, version, task.version);
      return (plan) => withTask(plan, task);
    } catch (error) {
      // After a removal from the plan this fails too, so its error says that the access is lost.
      if (isMissing(error)) await request(`/api/plans/${encodeURIComponent(planId)}`);
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
    if (!isMissing(error)) throw new ConflictError(currentTask(error));
    // Deleted already: an earlier answer was lost, or another user has deleted it.
  }
  return (plan) => withoutTask(plan, base.id);
}

async function restore({ base, mutationId }: Of<'restore'>, { planId, request, headers }: Carrier): Promise<Confirmed> {
  try {
    const { task, taskIds } = await request<{ task: Task; taskIds: string[] }>(`${taskPath(base)}/restore`, {
      method: 'POST',
      headers: headers(mutationId),
    });
    return (plan) => {
      const restored = withTask(plan, task);
      return { ...restored, tasks: inOrder(restored.tasks, taskIds) };
    };
  } catch (error) {
    if (!isMissing(error)) throw error;
    // It may be back: an earlier answer was lost, or another user has restored it.
    const { tasks } = await request<PlanDetail>(`/api/plans/${encodeURIComponent(planId)}`);
    const task = tasks.find(({ id }) => id === base.id);
    if (!task) throw new GoneError();
    return (plan) => {
      const restored = withTask(plan, task);
      return {
        ...restored,
        tasks: inOrder(
          restored.tasks,
          tasks.map(({ id }) => id),
        ),
      };
    };
  }
}

async function move(
  { taskId, after, mutationId }: Of<'move'>,
  { planId, request, headers, cached }: Carrier,
): Promise<Confirmed> {
  let current = cached()?.tasks.map(({ id }) => id) ?? [];
  for (let attempt = 1; ; attempt++) {
    const taskIds = moved(current, taskId, after);
    if (!taskIds.includes(taskId)) throw new GoneError();
    try {
      await request(`/api/plans/${encodeURIComponent(planId)}/tasks/reorder`, {
        method: 'POST',
        body: { taskIds },
        headers: headers(mutationId),
      });
      return (plan) => ({ ...plan, tasks: inOrder(plan.tasks, taskIds) });
    } catch (error) {
      // Another user has added or deleted a task: make the same move in the current order.
      if (!(error instanceof ApiError) || error.code !== 'conflict' || attempt === ATTEMPTS) throw error;
      current = error.body.taskIds as string[];
    }
  }
}

const taskPath = ({ id }: Task) => `/api/tasks/${encodeURIComponent(id)}`;

const isMissing = (error: unknown) => error instanceof ApiError && error.status === 404;

/** The task in the answer of a conflict. Throws every other error. */
function currentTask(error: unknown): Task {
  if (error instanceof ApiError && error.code === 'conflict') return error.body.task as Task;
  if (isMissing(error)) throw new GoneError();
  throw error;
}
