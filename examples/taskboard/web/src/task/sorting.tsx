// Moves tasks by pointer, finger or keyboard. It is a file of the build that loads after the first
// tasks are shown (see useSorting.ts).

import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
  type Modifier,
} from '@dnd-kit/core';
import {
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from '@dnd-kit/sortable';
import { CSS } from '@dnd-kit/utilities';
import type { ReactNode } from 'react';
import type { KnownTask } from '../taskboard';
import { dragWords } from './dragWords';
import { TaskRow, type TaskRowProps } from './TaskRow';

interface SortableTasksProps {
  tasks: KnownTask[];
  disabled: boolean;
  onDragging(dragging: boolean): void;
  /** The task was dropped at the place of another. */
  onDrop(taskId: string, overId: string): void;
  children: ReactNode;
}

export function SortableTasks({ tasks, disabled, onDragging, onDrop, children }: SortableTasksProps) {
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }), // a shorter way is a click
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      modifiers={straight}
      onDragStart={() => onDragging(true)}
      onDragCancel={() => onDragging(false)}
      onDragEnd={({ active, over }) => {
        onDragging(false);
        if (over && over.id !== active.id) onDrop(String(active.id), String(over.id));
      }}
      accessibility={dragWords(tasks)}
    >
      <SortableContext items={tasks.map(({ id }) => id)} strategy={verticalListSortingStrategy} disabled={disabled}>
        {children}
      </SortableContext>
    </DndContext>
  );
}

/** A list has one direction. */
const straight: Modifier[] = [({ transform }) => ({ ...transform, x: 0 })];

/** A row of SortableTasks. */
export function SortableRow(props: TaskRowProps) {
  const { setNodeRef, setActivatorNodeRef, attributes, listeners, transform, transition, isDragging } = useSortable({
    id: props.task.id,
    disabled: !props.mayEdit || props.task.unborn,
  });
  return (
    <TaskRow
      {...props}
      drag={{
        row: setNodeRef,
        style: { transform: CSS.Translate.toString(transform), transition },
        dragging: isDragging,
        handle: { ...attributes, ...listeners, ref: setActivatorNodeRef },
      }}
    />
  );
}
