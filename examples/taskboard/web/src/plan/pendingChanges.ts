// Lays the changes that are still on their way over the confirmed tasks.

import type { KnownTask } from '../taskboard';
import { inOrder, moved } from './cachedPlan';
import type { Change } from './change';

/** A task as it is shown. */
export interface VisibleTask extends KnownTask {
  /** A change of it is on its way, or waits for the connection. */
  pending: boolean;
  /** The program does not know it yet: it has no id, and can't be changed. */
  unborn: boolean;
}

/** The tasks as they will be if every change succeeds, in the order in which they were made. */
export function visibleTasks(tasks: KnownTask[], changes: Change[]): VisibleTask[] {
  const confirmed = tasks.map((task) => ({ ...task, pending: false, unborn: false }));
  return changes.reduce(withChange, confirmed);
}

function withChange(tasks: VisibleTask[], change: Change): VisibleTask[] {
  switch (change.kind) {
    case 'create':
      return [...tasks, unborn(change)];
    case 'update':
      return tasks.map((task) => (task.id === change.base.id ? { ...task, ...change.fields, pending: true } : task));
    case 'delete':
      return tasks.filter(({ id }) => id !== change.base.id);
    case 'move':
      return inOrder(tasks, moved(tasks.map(({ id }) => id), change.taskId, change.after));
  }
}

function unborn({ mutationId, title, notes = '', assignee = null }: Extract<Change, { kind: 'create' }>): VisibleTask {
  return {
    id: mutationId, planId: '', title, notes, assignee, status: 'not_started', version: 0, createdAt: '', updatedAt: '',
    pending: true, unborn: true,
  };
}
