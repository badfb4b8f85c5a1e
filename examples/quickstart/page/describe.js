// Events in words.

export function nameOf(userId) {
  return userId ? userId[0].toUpperCase() + userId.slice(1) : 'somebody';
}

export function clock(time) {
  return new Date(time).toLocaleTimeString('en-GB');
}

function quote(title) {
  return `“${title.length > 40 ? `${title.slice(0, 39)}…` : title}”`;
}

/** What an event says. own is the event behind a receipt; titles those of tasks by id. */
export function describe(message, own, titles) {
  const who = own ? 'You' : nameOf(message.by);
  const { type, data } = own ?? message;
  switch (type) {
    case 'task-created': return `${who} added ${quote(data.task.title)}`;
    case 'task-updated': return `${who} changed ${quote(data.task.title)}, ${data.task.status.replace('_', ' ')}`;
    case 'task-deleted': return `${who} deleted ${quote(titles.get(data.taskId) ?? 'a task')}`;
    case 'task-reordered': return `${who} changed the order`;
    case 'progress-updated': return `progress ${data.progress.completedTasks}/${data.progress.totalTasks}`;
    case 'receipt': return `a change of ${who} was acknowledged`;
    default: return `${type} by ${who}`;
  }
}
