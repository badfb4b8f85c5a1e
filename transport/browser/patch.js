// Applies the events of tasks to a cached list of tasks, so that a change does not refetch the
// list. It stands alone: queries.js calls the function that it makes.

/** @import { Patch } from './types.js' */

/**
 * Makes the `patch` option of usePlanWebSocket for data that is a list of tasks, or an object with
 * such a list. Call it once, outside of the component:
 *
 *     const patch = patchTasks({ key: 'id', version: 'version' });
 *     usePlanWebSocket({ planId, patch });
 *
 * A created task is added at the end. An updated task replaces the cached one unless its version is
 * lower. A deleted task is removed. A reordered list is sorted; tasks that the event does not name
 * stay at the end. The query is refetched where the data is not enough: for an update of an unknown
 * task, for an order with an unknown task, without a version, and for data of another shape.
 *
 * The version is that of the task in the event, else that of the event. A cached task without a
 * version is replaced only if the event has a version: the client drops events older than another
 * one of the same key. IDs are compared as text: the cached task 7 is the task "7" of an event.
 * @param {{ key?: string, version?: string, list?: string }} [options] key: the field with the ID
 *   of a task, default `id`. version: the field with its version, a number or another value that
 *   `<` compares, default `version`. list: the field with the tasks of an object, default `tasks`.
 * @returns {Patch}
 */
export function patchTasks({ key = 'id', version = 'version', list = 'tasks' } = {}) {
  return (data, event) => {
    const tasks = Array.isArray(data) ? data : data?.[list];
    if (!Array.isArray(tasks)) return undefined;
    const patched = patchList(tasks, event, key, version);
    return patched === undefined || patched === tasks
      ? patched && data
      : tasks === data
        ? patched
        : { ...data, [list]: patched };
  };
}

const same = (/** @type {unknown} */ a, /** @type {unknown} */ b) => String(a) === String(b);

/** @param {any[]} tasks @param {any} event @param {string} key @param {string} version */
function patchList(tasks, { type, data, version: wire }, key, version) {
  switch (type) {
    case 'task-created':
    case 'task-updated': {
      const { task } = data;
      const id = task?.[key];
      if (id == null) return undefined;
      const known = tasks.find((other) => same(other[key], id));
      if (!known) return type === 'task-created' ? [...tasks, task] : undefined;
      const next = task[version] ?? wire?.n;
      const current = known[version];
      if (next == null || (current == null && !wire)) return undefined;
      return current == null || current <= next ? tasks.map((other) => (other === known ? task : other)) : tasks;
    }
    case 'task-deleted': {
      const gone = tasks.find((task) => same(task[key], data.taskId));
      return !gone || gone[version] > wire?.n ? tasks : tasks.filter((task) => task !== gone);
    }
    case 'task-reordered': {
      const places = new Map(
        data.taskIds.map((/** @type {unknown} */ id, /** @type {number} */ place) => [String(id), place]),
      );
      const place = (/** @type {any} */ task) => places.get(String(task[key])) ?? places.size;
      if (tasks.filter((task) => places.has(String(task[key]))).length < places.size) return undefined;
      return [...tasks].sort((a, b) => place(a) - place(b));
    }
  }
  return undefined;
}
