// Applies events to a plan in the cache. The functions are pure.
//
// The cache holds what the program has confirmed. Changes of this page that are not confirmed are
// applied when the plan is shown (see pendingChanges.ts), so a failed one needs no rollback.

import { patchTasks } from 'planrooms/patch';
import type { KnownTask, Member, PlanDetail, Progress, Task } from '../taskboard';

/** The parts of an event that are used. */
export interface PlanNews {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the type names what it is
  data?: any;
  by?: string;
  seq: number;
  /** The seq of the event before it. */
  prev: number;
}

const patchList = patchTasks({ key: 'id', version: 'version' });

/** Applies an event to a plan, for the hook. Undefined: the hook refetches the plan. */
export function patchPlan(plan: PlanDetail, event: PlanNews): PlanDetail | undefined {
  const patched = patchContent(plan, event);
  return patched && at(patched, event);
}

function patchContent(plan: PlanDetail, event: PlanNews): PlanDetail | undefined {
  const { type, data, by } = event;
  switch (type) {
    case 'task-created':
    case 'task-updated':
      // A task that this page has just added may be listed before an earlier one of another user.
      if (type === 'task-created' && plan.tasks.some((known) => timeOf(known) > timeOf(data.task))) return undefined;
      return patchList(plan, { ...event, data: { task: { ...(data.task as Task), changedBy: by } } }) as
        | PlanDetail
        | undefined;
    case 'plan-updated':
      return { ...plan, title: data.title as string };
    case 'members-updated':
      return { ...plan, members: data.members as Member[] };
    case 'progress-updated':
      return { ...plan, progress: data.progress as Progress };
    default:
      return patchList(plan, event) as PlanDetail | undefined;
  }
}

/** As a number: the program leaves out zeros at the end, so the texts do not sort by time. */
const timeOf = ({ createdAt }: Task) => Date.parse(createdAt);

/**
 * The plan at the position of an event or a receipt. A plan that lacks an earlier event, which
 * could not be applied, stays at its position: the plan that is fetched then replaces it.
 */
export function at(plan: PlanDetail, { seq, prev }: Pick<PlanNews, 'seq' | 'prev'>): PlanDetail {
  const { position } = plan;
  return prev > position.seq || seq <= position.seq ? plan : { ...plan, position: { ...position, seq } };
}

/**
 * The plan with this task, unless it has a later version: answers and events arrive in any order.
 */
export function withTask(plan: PlanDetail, task: KnownTask): PlanDetail {
  const known = plan.tasks.find(({ id }) => id === task.id);
  if (!known) return { ...plan, tasks: [...plan.tasks, task] };
  if (known.version > task.version) return plan;
  const changedBy = task.changedBy ?? (known.version === task.version ? known.changedBy : undefined);
  return { ...plan, tasks: plan.tasks.map((t) => (t.id === task.id ? { ...task, changedBy } : t)) };
}

export function withoutTask(plan: PlanDetail, taskId: string): PlanDetail {
  return { ...plan, tasks: plan.tasks.filter(({ id }) => id !== taskId) };
}

/** The tasks in the order of the IDs; tasks without one stay at the end. */
export function inOrder<T extends { id: string }>(tasks: T[], taskIds: string[]): T[] {
  const places = new Map(taskIds.map((id, place) => [id, place]));
  return tasks.toSorted((a, b) => (places.get(a.id) ?? Infinity) - (places.get(b.id) ?? Infinity) || 0);
}

/**
 * The IDs with one of them moved behind another, or to the front. Unchanged if either is missing.
 */
export function moved(ids: string[], id: string, after: string | null): string[] {
  if (!ids.includes(id) || (after !== null && !ids.includes(after))) return ids;
  const others = ids.filter((other) => other !== id);
  return others.toSpliced(after === null ? 0 : others.indexOf(after) + 1, 0, id);
}

/** The tasks that are new or changed since an earlier state of the plan. */
export function changedTasks(before: PlanDetail, after: PlanDetail): string[] {
  const versions = new Map(before.tasks.map(({ id, version }) => [id, version]));
  return after.tasks.filter(({ id, version }) => versions.get(id) !== version).map(({ id }) => id);
}

/**
 * Chooses between a fetched plan and the cached one. An event that arrived during the request may
 * be later than the answer; the fetched plan would then undo a visible change until the next
 * fetch.
 */
export function later(fetched: PlanDetail, cached: PlanDetail | undefined): PlanDetail {
  if (!cached) return fetched;
  if (fetched.position.epoch === cached.position.epoch && fetched.position.seq < cached.position.seq) return cached;
  const known = new Map(cached.tasks.map((task) => [task.id, task]));
  const tasks = fetched.tasks.map((task) => {
    const before = known.get(task.id);
    return before?.version === task.version ? { ...task, changedBy: before.changedBy } : task;
  });
  return { ...fetched, tasks };
}
