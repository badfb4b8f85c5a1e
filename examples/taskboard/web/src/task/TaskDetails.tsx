import type { KnownTask, Member } from '../taskboard';
import { DeleteTask } from './DeleteTask';
import { TaskNotes } from './TaskNotes';
import type { EditProps } from './TaskTitle';

/** What a task has besides its line. */
export function TaskDetails({ members, onDelete, ...edit }: EditProps & { members: Member[]; onDelete(task: KnownTask): void }) {
  const { task, editable, onSave } = edit;
  return (
    <>
      <TaskNotes {...edit} />
      <div className="task-detail-row">
        <label className="field">
          <span>Assigned to</span>
          <select
            value={task.assignee ?? ''}
            disabled={!editable}
            onChange={(event) => onSave(task, { assignee: event.target.value || null })}
          >
            <option value="">Nobody</option>
            {members.map(({ userId, name }) => <option key={userId} value={userId}>{name}</option>)}
          </select>
        </label>
        {editable && <DeleteTask task={task} onDelete={onDelete} />}
      </div>
    </>
  );
}
