// Applies the changes that are not confirmed yet to the confirmed tasks.

import type { KnownTask } from '../taskboard';
import { inOrder, moved } from './cachedPlan';
import type { Change } from './change';

/** A task as it is shown. */
export interface VisibleTask extends KnownTask {
  /** A change of it is being sent, or waits for the connection. */
  pending: boolean;
  /** The program has not confirmed that it exists, so it cannot be changed yet. */
  unborn: boolean;
}

/** The tasks as they will be if every change succeeds. */
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
    case 'restore':
      return restored(tasks, change);
    case 'delete':
      return tasks.filter(({ id }) => id !== change.base.id);
    case 'move':
      return inOrder(
        tasks,
        moved(
          tasks.map(({ id }) => id),
          change.taskId,
          change.after,
        ),
      );
  }
}

function restored(tasks: VisibleTask[], { base, after }: Extract<Change, { kind: 'restore' }>): VisibleTask[] {
  if (tasks.some(({ id }) => id === base.id)) return tasks;
  const back = [...tasks, { ...base, pending: true, unborn: true }];
  return inOrder(
    back,
    moved(
      back.map(({ id }) => id),
      base.id,
      after,
    ),
  );
}

function unborn({ mutationId, title, notes = '', assignee = null }: Extract<Change, { kind: 'create' }>): VisibleTask {
  return {
    id: mutationId,
    planId: '',
    title,
    notes,
    assignee,
    status: 'not_started',
    version: 0,
    createdAt: '',
    updatedAt: '',
    pending: true,
    unborn: true,
  };
}
