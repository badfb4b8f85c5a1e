// What is told of the changes of others.

import { statusNames, type KnownTask, type PlanDetail, type Task } from '../taskboard';
import type { PlanNews } from './cachedPlan';

/** What one event tells, such as: Ben completed “Print badges”. Null if it is not worth telling. */
export function changeText(before: PlanDetail, { type, data, by }: PlanNews): string | null {
  const who = nameOf(before, by);
  const task = (id: string) => before.tasks.find((t) => t.id === id);
  switch (type) {
    case 'task-created':
      return task(data.task.id) ? null : `${who} added ${quoted(data.task.title)}`;
    case 'task-updated':
      return updateText(before, who, task(data.task.id), data.task);
    case 'task-deleted': {
      const gone = task(data.taskId);
      return gone ? `${who} deleted ${quoted(gone.title)}` : null;
    }
    case 'task-reordered':
      return `${who} changed the order of the tasks`;
    case 'members-updated': {
      const are = data.members as PlanDetail['members'];
      const come = are.find(({ userId }) => !before.members.some((m) => m.userId === userId));
      if (come) return `${who} added ${come.name} to the plan`;
      const left = before.members.find(({ userId }) => !are.some((m) => m.userId === userId));
      return left ? `${who} removed ${left.name} from the plan` : null;
    }
    default:
      return null;
  }
}

function updateText(plan: PlanDetail, who: string, before: KnownTask | undefined, after: Task): string | null {
  if (!before) return `${who} changed ${quoted(after.title)}`;
  if (before.version >= after.version) return null; // seen already
  if (before.title !== after.title) return `${who} renamed ${quoted(before.title)} to ${quoted(after.title)}`;
  if (before.status !== after.status) return statusText(who, after, before);
  if (before.assignee !== after.assignee) {
    return after.assignee === null
      ? `${quoted(after.title)} is nobody’s any more`
      : `${who} gave ${quoted(after.title)} to ${nameOf(plan, after.assignee)}`;
  }
  if (before.notes !== after.notes) return `${who} edited the notes of ${quoted(after.title)}`;
  return null;
}

function statusText(who: string, after: Task, before: Task): string {
  if (after.status === 'completed') return `${who} completed ${quoted(after.title)}`;
  if (before.status === 'completed') return `${who} reopened ${quoted(after.title)}`;
  if (after.status === 'in_progress') return `${who} started ${quoted(after.title)}`;
  return `${who} set ${quoted(after.title)} to “${statusNames[after.status]}”`;
}

/** What is told of many changes at once. */
export function summaryText(plan: PlanDetail, changes: PlanNews[]): string {
  const people = [...new Set(changes.map(({ by }) => nameOf(plan, by)))];
  const names = people.length > 2 ? `${people.slice(0, 2).join(', ')} and others` : people.join(' and ');
  return `${names} made ${changes.length} changes`;
}

/** The name of a member, by their id. */
export function nameOf(plan: Pick<PlanDetail, 'members'>, userId: string | undefined): string {
  return plan.members.find((member) => member.userId === userId)?.name ?? 'Somebody';
}

export const quoted = (title: string) => `“${title.length > 60 ? `${title.slice(0, 57)}…` : title}”`;
