import { useId, type CSSProperties, type Ref } from 'react';
import { useOnline } from '../connection/useOnline';
import { nameOf } from '../plan/changeText';
import type { Conflict } from '../plan/conflict';
import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';
import type { KnownTask, PlanDetail } from '../taskboard';
import { Avatar } from '../ui/Avatar';
import { plain } from '../ui/text';
import { ConflictNote } from './ConflictNote';
import { DragHandle, type DragHandleProps } from './DragHandle';
import { EditedBy } from './EditedBy';
import { StatusSelect } from './StatusSelect';
import { TaskDetails } from './TaskDetails';
import { TaskTitle } from './TaskTitle';
import { Tick } from './Tick';

export interface TaskRowProps {
  task: VisibleTask;
  plan: PlanDetail;
  mayEdit: boolean;
  changes: PlanChanges;
  conflict: Conflict | undefined;
  highlighted: boolean;
  /** The names of others who are editing it. */
  editors: string[];
  onEditing(taskId: string | null): void;
  onDelete(task: KnownTask): void;
  /** Whether the Tab key reaches the controls of this row. */
  tabbable: boolean;
  onEnter(taskId: string): void;
  /** Whether the details are shown. */
  open: boolean;
  onToggle(taskId: string): void;
  /** Missing while tasks cannot be moved. */
  drag?: { row: Ref<HTMLLIElement>; style: CSSProperties; dragging: boolean; handle: DragHandleProps['move'] };
}

export function TaskRow({
  task,
  plan,
  mayEdit,
  changes,
  conflict,
  highlighted,
  editors,
  onEditing,
  onDelete,
  tabbable,
  onEnter,
  open,
  onToggle,
  drag,
}: TaskRowProps) {
  const details = useId();
  const editable = mayEdit && !task.unborn;
  const tabIndex = tabbable ? 0 : -1;
  const edit = { task, editable, onSave: changes.update, onEditing };

  return (
    <li
      ref={drag?.row}
      className="task"
      style={drag?.style}
      data-testid="task"
      data-task-id={task.unborn ? undefined : task.id}
      data-status={task.status}
      data-pending={task.pending || undefined}
      data-changed={highlighted || undefined}
      data-dragging={drag?.dragging || undefined}
      onFocus={() => onEnter(task.id)}
    >
      <div className="task-line">
        {mayEdit && (
          <DragHandle title={task.title} disabled={!editable || !drag} tabIndex={tabIndex} move={drag?.handle} />
        )}
        <Tick task={task} disabled={!editable} tabIndex={tabIndex} onSave={changes.update} />
        <div className="task-main">
          <TaskTitle {...edit} tabIndex={tabIndex} />
          <Waiting pending={task.pending} />
          <EditedBy names={editors} />
        </div>
        <StatusSelect task={task} disabled={!editable} tabIndex={tabIndex} onSave={changes.update} />
        <span className="task-assignee">
          {task.assignee !== null && (
            <Avatar name={nameOf(plan, task.assignee)} label={`Assigned to ${plain(nameOf(plan, task.assignee))}`} />
          )}
        </span>
        <button
          type="button"
          className="icon-button disclose"
          tabIndex={tabIndex}
          data-column="details"
          aria-expanded={open}
          aria-controls={details}
          aria-label={`Details of ${plain(task.title)}`}
          title={task.notes ? 'Details and notes' : 'Details'}
          data-notes={task.notes !== '' || undefined}
          onClick={() => onToggle(task.id)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4 6l4 4 4-4" />
          </svg>
        </button>
      </div>
      {conflict && (
        <ConflictNote
          conflict={conflict}
          theirs={plan.tasks.find(({ id }) => id === task.id) ?? task}
          plan={plan}
          changes={changes}
        />
      )}
      <div id={details} hidden={!open} className="task-details">
        {open && <TaskDetails {...edit} members={plan.members} onDelete={onDelete} />}
      </div>
    </li>
  );
}

function Waiting({ pending }: { pending: boolean }) {
  const online = useOnline();
  return pending && !online ? (
    <span className="tag" data-testid="waiting">
      Waiting for the connection
    </span>
  ) : null;
}
