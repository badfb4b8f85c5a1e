import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';
import { statusNames, type Status } from '../taskboard';

export function StatusSelect({ task, disabled, onSave }: { task: VisibleTask; disabled: boolean; onSave: PlanChanges['update'] }) {
  return (
    <select
      className="status"
      data-status={task.status}
      aria-label={`Status of ${task.title}`}
      value={task.status}
      disabled={disabled}
      onChange={(event) => onSave(task, { status: event.target.value as Status })}
    >
      {Object.entries(statusNames).map(([status, name]) => <option key={status} value={status}>{name}</option>)}
    </select>
  );
}
