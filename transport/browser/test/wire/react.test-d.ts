// The hook infers the type of task IDs from its callbacks.
import { usePlanWebSocket } from '../../types/react.js';
import type { HostEvent, TaskId } from '../../types/protocol.js';

export function Component() {
  usePlanWebSocket({
    planId: 'demo',
    onTaskDeleted: (id) => id.trim(), // a string, unless something else is said
    onTaskReordered: (ids) => ids.map((id) => id.trim()),
  });
  usePlanWebSocket({
    planId: 'demo',
    onTaskDeleted: (id: number) => id.toFixed(),
    onTaskReordered: (ids) => ids.map((id) => id.toFixed()),
  });
  usePlanWebSocket<unknown, unknown, HostEvent, TaskId>({
    planId: 'demo',
    onTaskDeleted: (id) => String(id),
    // @ts-expect-error an ID may be a number
    onTaskReordered: (ids) => ids.map((id) => id.trim()),
  });
  // @ts-expect-error no such ID
  usePlanWebSocket({ planId: 'demo', onTaskDeleted: (id: boolean) => id });
}
