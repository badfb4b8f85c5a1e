import type { KnownTask, Member } from '../taskboard';
import { plain } from '../ui/text';
import { DeleteTask } from './DeleteTask';
import { TaskNotes } from './TaskNotes';
import type { EditProps } from './TaskTitle';

/** The notes, the assignee and the deletion of a task. */
export function TaskDetails({
  members,
  onDelete,
  ...edit
}: EditProps & { members: Member[]; onDelete(task: KnownTask): void }) {
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
            <option value="">Unassigned</option>
            {members.map(({ userId, name }) => (
              <option key={userId} value={userId}>
                {plain(name)}
              </option>
            ))}
          </select>
        </label>
        {editable && <DeleteTask task={task} onDelete={onDelete} />}
      </div>
    </>
  );
}
