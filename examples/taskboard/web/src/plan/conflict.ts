// What becomes of a change that was based on an earlier version of its task.

import type { KnownTask, Task, TaskFields } from '../taskboard';

/** A change that waits for a decision, since somebody else has changed the same. What theirs is stands in the cached task. */
export type Conflict =
  | { kind: 'update'; taskId: string; mine: TaskFields }
  | { kind: 'delete'; taskId: string };

export type Outcome = 'done' | 'merge' | 'conflict';

/**
 * Compares what this person wants with what the task has become:
 * - done: it is so already, perhaps by this very change, whose answer was lost
 * - merge: others have changed other fields only, so both changes can stand
 * - conflict: only a person can tell
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

/** The conflict of a task after another one: what was wanted first is not forgotten. */
export function joined(before: Conflict | undefined, next: Conflict): Conflict {
  if (before?.kind !== 'update' || next.kind !== 'update') return next;
  return { ...next, mine: { ...before.mine, ...next.mine } };
}

/** The fields in which the two still differ. None: there is nothing left to decide. */
export function differences(mine: TaskFields, theirs: KnownTask): (keyof TaskFields)[] {
  return (Object.keys(mine) as (keyof TaskFields)[]).filter((field) => mine[field] !== theirs[field]);
}
