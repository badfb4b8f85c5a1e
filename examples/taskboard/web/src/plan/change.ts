// A change that a person makes to a plan, in a form that still applies after the plan has changed.

import type { KnownTask, TaskFields } from '../taskboard';

/** Each change has an ID, which the request carries and the receipt returns. */
export type Change = { mutationId: string } & (
  | { kind: 'create'; title: string; notes?: string; assignee?: string | null }
  /** base is the task as the person saw it when they began. */
  | { kind: 'update'; base: KnownTask; fields: TaskFields }
  | { kind: 'delete'; base: KnownTask }
  /** Undoes a deletion. after is the task that it stood behind, or null. */
  | { kind: 'restore'; base: KnownTask; after: string | null }
  /** Behind another task, or to the front. The order of the other tasks stays. */
  | { kind: 'move'; taskId: string; title: string; after: string | null }
);

/** The title of the task that the change is about. */
export function subjectOf(change: Change): string {
  return change.kind === 'create' || change.kind === 'move' ? change.title : change.base.title;
}
