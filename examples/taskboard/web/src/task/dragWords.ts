import type { Announcements, UniqueIdentifier } from '@dnd-kit/core';
import { quoted } from '../plan/changeText';
import type { KnownTask } from '../taskboard';

/** What is read out while a task is moved. */
export function dragWords(tasks: KnownTask[]) {
  const title = (id: UniqueIdentifier) => quoted(tasks.find((task) => task.id === id)?.title ?? '');
  const place = (id: UniqueIdentifier) => `position ${tasks.findIndex((task) => task.id === id) + 1} of ${tasks.length}`;
  const announcements: Announcements = {
    onDragStart: ({ active }) => `Picked up ${title(active.id)}, ${place(active.id)}.`,
    onDragOver: ({ active, over }) => (over ? `${title(active.id)} is at ${place(over.id)}.` : undefined),
    onDragEnd: ({ active, over }) => (over ? `${title(active.id)} was dropped at ${place(over.id)}.` : `${title(active.id)} was not moved.`),
    onDragCancel: ({ active }) => `${title(active.id)} is back where it was.`,
  };
  return {
    announcements,
    screenReaderInstructions: {
      draggable: 'Press space to pick the task up, the arrow keys to move it, space again to drop it, and escape to leave it where it was.',
    },
  };
}
