import { useCallback, useRef, useState } from 'react';
import type { Participant } from '../connection/live';
import { moved } from '../plan/cachedPlan';
import { nameOf } from '../plan/changeText';
import type { Conflict } from '../plan/conflict';
import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';
import type { KnownTask, PlanDetail } from '../taskboard';
import { TaskRow } from './TaskRow';
import { useRoving } from './useRoving';
import { useSorting } from './useSorting';

interface TaskListProps {
  tasks: VisibleTask[];
  plan: PlanDetail;
  mayEdit: boolean;
  changes: PlanChanges;
  conflicts: ReadonlyMap<string, Conflict>;
  highlighted: ReadonlySet<string>;
  others: readonly Participant[];
  setPresence(state: unknown): void;
}

/** The tasks in their order, which people change by pointer, finger or keyboard. */
export function TaskList({
  tasks,
  plan,
  mayEdit,
  changes,
  conflicts,
  highlighted,
  others,
  setPresence,
}: TaskListProps) {
  const onEditing = useCallback(
    (taskId: string | null) => setPresence(taskId === null ? null : { editing: taskId }),
    [setPresence],
  );

  const ids = tasks.map(({ id }) => id);
  const roving = useRoving(
    ids,
    tasks.map(({ title }) => title),
  );
  const [dragging, setDragging] = useState(false); // the arrow keys move the task then
  const drop = (taskId: string, overId: string) => {
    const task = tasks.find(({ id }) => id === taskId);
    if (!task) return;
    const place = ids.indexOf(overId);
    const rest = ids.filter((id) => id !== task.id);
    const after = place === 0 ? null : (rest[place - 1] ?? null);
    if (moved(ids, task.id, after).join() !== ids.join()) changes.move(task, after);
  };

  const list = useRef<HTMLOListElement>(null);
  const sorting = useSorting(list);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set()); // rows that show their details
  const toggle = (taskId: string) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(taskId)) after.add(taskId);
      return after;
    });

  // After a deletion by keyboard the focus moves to the next task, not to the top of the page.
  const remove = (task: KnownTask) => {
    const neighbour = ids[ids.indexOf(task.id) + 1] ?? ids[ids.indexOf(task.id) - 1];
    changes.remove(task);
    requestAnimationFrame(() => {
      [...(list.current?.children ?? [])]
        .find((row) => (row as HTMLElement).dataset.taskId === neighbour)
        ?.querySelector<HTMLElement>('.disclose')
        ?.focus();
    });
  };

  if (tasks.length === 0)
    return <p className="empty">{mayEdit ? 'No tasks yet. Add the first one above.' : 'No tasks yet.'}</p>;
  const Row = sorting?.SortableRow ?? TaskRow;
  const content = (
    <>
      <p id="task-keys" className="visually-hidden">
        Arrow keys move between tasks, Page Up and Page Down by ten, Home and End to the first and last. Type a title to
        find it.
      </p>
      <ol
        ref={list}
        className="tasks"
        aria-label="Tasks"
        aria-describedby="task-keys"
        data-testid="tasks"
        onKeyDown={dragging ? undefined : roving.onKeyDown}
      >
        {tasks.map((task) => (
          <Row
            key={task.id}
            task={task}
            plan={plan}
            mayEdit={mayEdit}
            changes={changes}
            onDelete={remove}
            open={open.has(task.id)}
            onToggle={toggle}
            conflict={conflicts.get(task.id)}
            highlighted={highlighted.has(task.id)}
            editors={others
              .filter(({ state }) => isEditing(state, task.id))
              .map(({ userId, userName }) => userName || nameOf(plan, userId))}
            onEditing={onEditing}
            tabbable={task.id === roving.tabbable}
            onEnter={roving.enter}
          />
        ))}
      </ol>
    </>
  );
  if (!sorting) return content;
  return (
    <sorting.SortableTasks tasks={tasks} disabled={!mayEdit} onDragging={setDragging} onDrop={drop}>
      {content}
    </sorting.SortableTasks>
  );
}

/** Whether a presence state, which may have any form, says that this task is being edited. */
const isEditing = (state: unknown, taskId: string) =>
  (state as { editing?: unknown } | null | undefined)?.editing === taskId;
