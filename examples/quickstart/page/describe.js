// Events in words: sentences for `show` of text.js.

import { of, plain, shorten } from './text.js';

export function nameOf(userId) {
  return userId ? userId[0].toUpperCase() + userId.slice(1) : 'someone';
}

export function clock(time) {
  return new Date(time).toLocaleTimeString('en-GB');
}

const quote = (title) => ['“', of(shorten(plain(title), 40)), '”'];

/**
 * Describes an event. For a receipt of this page, own is the event that the others got. titles has
 * the titles of tasks by ID.
 */
export function describe(message, own, titles) {
  const who = own ? 'You' : of(nameOf(message.by));
  const { type, data } = own ?? message;
  switch (type) {
    case 'task-created':
      return [who, ' added ', ...quote(data.task.title)];
    case 'task-updated':
      return [who, ' changed ', ...quote(data.task.title), `, ${data.task.status.replace('_', ' ')}`];
    case 'task-deleted':
      return [who, ' deleted ', ...quote(titles.get(data.taskId) ?? 'a task')];
    case 'task-reordered':
      return [who, ' changed the order'];
    case 'progress-updated':
      return [`progress ${data.progress.completedTasks}/${data.progress.totalTasks}`];
    case 'receipt':
      return ['the server acknowledged a change of ', who];
    default:
      return [`${type} by `, who];
  }
}
