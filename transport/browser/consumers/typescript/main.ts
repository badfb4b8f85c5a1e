// A program of Node that TypeScript compiles to an ES module.
import { Client, type PlanHandlers } from 'planrooms';
import type { PlanEvent } from 'planrooms/protocol';

type Task = { id: string; title: string };

const handlers: PlanHandlers<Task> = {
  onEvent(event: PlanEvent<Task>) {
    if (event.type === 'task-updated') console.log(event.data.task.title);
  },
};
export const open = (getToken: () => Promise<string>) =>
  new Client({ url: 'ws://127.0.0.1:1/ws', getToken }).join<Task>('demo', handlers);
