import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';

/** Completes a task, or opens it again. */
export function Tick({ task, disabled, onSave }: { task: VisibleTask; disabled: boolean; onSave: PlanChanges['update'] }) {
  return (
    <input
      type="checkbox"
      className="tick"
      aria-label={`Completed: ${task.title}`}
      checked={task.status === 'completed'}
      disabled={disabled}
      onChange={(event) => onSave(task, { status: event.target.checked ? 'completed' : 'not_started' })}
    />
  );
}
