// The messages about changes of others.

import { isolated, quoted } from '../ui/text';
import { statusNames, type KnownTask, type PlanDetail, type Task } from '../taskboard';
import type { PlanNews } from './cachedPlan';

/**
 * The message about one event, such as: Ben completed “Print badges”. Null if there is nothing to
 * report.
 */
export function changeText(before: PlanDetail, { type, data, by }: PlanNews): string | null {
  const who = isolated(nameOf(before, by));
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
    case 'plan-updated':
      return before.title === data.title ? null : `${who} renamed the plan to ${quoted(data.title)}`;
    case 'task-reordered':
      return `${who} changed the order of the tasks`;
    case 'members-updated': {
      const are = data.members as PlanDetail['members'];
      const come = are.find(({ userId }) => !before.members.some((m) => m.userId === userId));
      if (come)
        return come.userId === by
          ? `${isolated(come.name)} joined the plan`
          : `${who} added ${isolated(come.name)} to the plan`;
      const left = before.members.find(({ userId }) => !are.some((m) => m.userId === userId));
      if (left)
        return left.userId === by ? `${who} left the plan` : `${who} removed ${isolated(left.name)} from the plan`;
      const owner = are.find(
        ({ userId, role }) => role === 'owner' && before.members.some((m) => m.userId === userId && m.role !== role),
      );
      return owner ? `${who} made ${isolated(owner.name)} the owner of the plan` : null;
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
      ? `${quoted(after.title)} is now unassigned`
      : `${who} assigned ${quoted(after.title)} to ${isolated(nameOf(plan, after.assignee))}`;
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

/** The message about many changes. */
export function summaryText(plan: PlanDetail, changes: PlanNews[]): string {
  const people = [...new Set(changes.map(({ by }) => isolated(nameOf(plan, by))))];
  const names = people.length > 2 ? `${people.slice(0, 2).join(', ')} and others` : people.join(' and ');
  return `${names} made ${changes.length} changes`;
}

/** The name of a member. */
export function nameOf(plan: Pick<PlanDetail, 'members'>, userId: string | undefined): string {
  return plan.members.find((member) => member.userId === userId)?.name ?? 'Another user';
}
