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
export function patchTasks({ key, version, list }?: {
    key?: string;
    version?: string;
    list?: string;
}): Patch;
import type { Patch } from './types.js';
