import type { KnownTask } from '../taskboard';
import { plain } from '../ui/text';

/** Deletes a task at once. A message offers to undo it. */
export function DeleteTask({ task, onDelete }: { task: KnownTask; onDelete(task: KnownTask): void }) {
  return (
    <button
      type="button"
      className="button danger"
      aria-label={`Delete ${plain(task.title)}`}
      onClick={() => onDelete(task)}
    >
      Delete
    </button>
  );
}
