import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';
import { statusNames, type Status } from '../taskboard';
import { plain } from '../ui/text';

interface StatusSelectProps {
  task: VisibleTask;
  disabled: boolean;
  tabIndex: number;
  onSave: PlanChanges['update'];
}

export function StatusSelect({ task, disabled, tabIndex, onSave }: StatusSelectProps) {
  return (
    <select
      className="status"
      tabIndex={tabIndex}
      data-status={task.status}
      aria-label={`Status of ${plain(task.title)}`}
      value={task.status}
      disabled={disabled}
      onChange={(event) => onSave(task, { status: event.target.value as Status })}
    >
      {Object.entries(statusNames).map(([status, name]) => (
        <option key={status} value={status}>
          {name}
        </option>
      ))}
    </select>
  );
}
