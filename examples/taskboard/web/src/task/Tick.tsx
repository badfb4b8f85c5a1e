import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';
import { plain } from '../ui/text';

interface TickProps {
  task: VisibleTask;
  disabled: boolean;
  tabIndex: number;
  onSave: PlanChanges['update'];
}

/** Completes a task, or reopens it. */
export function Tick({ task, disabled, tabIndex, onSave }: TickProps) {
  return (
    <input
      type="checkbox"
      className="tick"
      tabIndex={tabIndex}
      data-column="tick"
      aria-label={`Completed: ${plain(task.title)}`}
      checked={task.status === 'completed'}
      disabled={disabled}
      onChange={(event) => onSave(task, { status: event.target.checked ? 'completed' : 'not_started' })}
    />
  );
}
