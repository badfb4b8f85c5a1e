import { closestCenter, DndContext, KeyboardSensor, PointerSensor, useSensor, useSensors, type DragEndEvent, type Modifier } from '@dnd-kit/core';
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from '@dnd-kit/sortable';
import { useCallback, useRef } from 'react';
import type { Participant } from '../connection/live';
import type { Conflict } from '../plan/conflict';
import { nameOf } from '../plan/changeText';
import { moved } from '../plan/cachedPlan';
import type { VisibleTask } from '../plan/pendingChanges';
import type { PlanChanges } from '../plan/usePlanChanges';
import type { KnownTask, PlanDetail } from '../taskboard';
import { dragWords } from './dragWords';
import { TaskRow } from './TaskRow';

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
export function TaskList({ tasks, plan, mayEdit, changes, conflicts, highlighted, others, setPresence }: TaskListProps) {
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }), // less is a click on the handle
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const onEditing = useCallback((taskId: string | null) => setPresence(taskId === null ? null : { editing: taskId }), [setPresence]);

  const ids = tasks.map(({ id }) => id);
  const drop = ({ active, over }: DragEndEvent) => {
    const task = tasks.find(({ id }) => id === active.id);
    if (!task || !over || over.id === active.id) return;
    const place = ids.indexOf(String(over.id));
    const others = ids.filter((id) => id !== task.id);
    const after = place === 0 ? null : (others[place - 1] ?? null);
    if (moved(ids, task.id, after).join() !== ids.join()) changes.move(task, after);
  };

  // Who has deleted a task by keyboard goes on at the next one, rather than at the top of the page.
  const list = useRef<HTMLOListElement>(null);
  const remove = (task: KnownTask) => {
    const neighbour = ids[ids.indexOf(task.id) + 1] ?? ids[ids.indexOf(task.id) - 1];
    changes.remove(task);
    requestAnimationFrame(() => {
      [...(list.current?.children ?? [])].find((row) => (row as HTMLElement).dataset.taskId === neighbour)
        ?.querySelector<HTMLElement>('.disclose')?.focus();
    });
  };

  if (tasks.length === 0) return <p className="empty">{mayEdit ? 'Nothing to do yet. Add the first task below.' : 'Nothing to do yet.'}</p>;
  return (
    <DndContext sensors={sensors} collisionDetection={closestCenter} modifiers={straight} onDragEnd={drop} accessibility={dragWords(tasks)}>
      <SortableContext items={ids} strategy={verticalListSortingStrategy} disabled={!mayEdit}>
        <ol ref={list} className="tasks" aria-label="Tasks" data-testid="tasks">
          {tasks.map((task) => (
            <TaskRow
              key={task.id}
              task={task}
              plan={plan}
              mayEdit={mayEdit}
              changes={changes}
              onDelete={remove}
              conflict={conflicts.get(task.id)}
              highlighted={highlighted.has(task.id)}
              editors={others.filter(({ state }) => isEditing(state, task.id)).map(({ userId, userName }) => userName || nameOf(plan, userId))}
              onEditing={onEditing}
            />
          ))}
        </ol>
      </SortableContext>
    </DndContext>
  );
}

/** A list has one direction. */
const straight: Modifier[] = [({ transform }) => ({ ...transform, x: 0 })];

/** Whether a presence state, which may be anything, says that this task is being edited. */
const isEditing = (state: unknown, taskId: string) => (state as { editing?: unknown } | null | undefined)?.editing === taskId;
