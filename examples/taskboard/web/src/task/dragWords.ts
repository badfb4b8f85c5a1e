import type { Announcements, UniqueIdentifier } from '@dnd-kit/core';
import { quoted } from '../ui/text';
import type { KnownTask } from '../taskboard';

/** The announcements for screen readers while a task is moved. */
export function dragWords(tasks: KnownTask[]) {
  const title = (id: UniqueIdentifier) => quoted(tasks.find((task) => task.id === id)?.title ?? '');
  const place = (id: UniqueIdentifier) =>
    `position ${tasks.findIndex((task) => task.id === id) + 1} of ${tasks.length}`;
  const announcements: Announcements = {
    onDragStart: ({ active }) => `Picked up ${title(active.id)}, ${place(active.id)}.`,
    onDragOver: ({ active, over }) => (over ? `${title(active.id)} is at ${place(over.id)}.` : undefined),
    onDragEnd: ({ active, over }) =>
      over ? `${title(active.id)} was dropped at ${place(over.id)}.` : `${title(active.id)} was not moved.`,
    onDragCancel: ({ active }) => `${title(active.id)} was not moved.`,
  };
  return {
    announcements,
    screenReaderInstructions: {
      draggable: 'Press Space to pick up the task, the arrow keys to move it, Space to drop it, Escape to cancel.',
    },
  };
}
