// Decides what to do with a change that was based on an earlier version of its task.

import type { KnownTask, Task, TaskFields } from '../taskboard';

/**
 * A change that waits for a decision: another user has changed the same field. The cached task
 * has theirs.
 */
export type Conflict = { kind: 'update'; taskId: string; mine: TaskFields } | { kind: 'delete'; taskId: string };

export type Outcome = 'done' | 'merge' | 'conflict';

/**
 * Compares a change with the current task:
 * - done: the task is like this already, perhaps by this change, whose answer was lost
 * - merge: others have changed other fields only, so both changes can be kept
 * - conflict: a person must decide
 */
export function outcomeOf(base: Task, mine: TaskFields, theirs: Task): Outcome {
  const fields = Object.keys(mine) as (keyof TaskFields)[];
  if (fields.every((field) => theirs[field] === mine[field])) return 'done';
  return disputed(base, mine, theirs).length === 0 ? 'merge' : 'conflict';
}

function disputed(base: Task, mine: TaskFields, theirs: Task): (keyof TaskFields)[] {
  const fields = Object.keys(mine) as (keyof TaskFields)[];
  return fields.filter((field) => theirs[field] !== mine[field] && theirs[field] !== base[field]);
}

/** Combines two conflicts of a task. The fields of the first are kept. */
export function joined(before: Conflict | undefined, next: Conflict): Conflict {
  if (before?.kind !== 'update' || next.kind !== 'update') return next;
  return { ...next, mine: { ...before.mine, ...next.mine } };
}

/** The fields in which the two differ. None: there is nothing to decide. */
export function differences(mine: TaskFields, theirs: KnownTask): (keyof TaskFields)[] {
  return (Object.keys(mine) as (keyof TaskFields)[]).filter((field) => mine[field] !== theirs[field]);
}
