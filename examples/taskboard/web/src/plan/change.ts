// What a person does to a plan, told so that it can still be carried out when the plan has changed meanwhile.

import type { KnownTask, TaskFields } from '../taskboard';

/** Each has an id of its own, which goes with the request and comes back in the receipt. */
export type Change = { mutationId: string } & (
  | { kind: 'create'; title: string; notes?: string; assignee?: string | null }
  /** base is the task as the person saw it when they began. */
  | { kind: 'update'; base: KnownTask; fields: TaskFields }
  | { kind: 'delete'; base: KnownTask }
  /** Behind another task, or to the front: the order of the rest is not this person's business. */
  | { kind: 'move'; taskId: string; title: string; after: string | null }
);

/** The title of the task that it is about. */
export function subjectOf(change: Change): string {
  return change.kind === 'create' || change.kind === 'move' ? change.title : change.base.title;
}
