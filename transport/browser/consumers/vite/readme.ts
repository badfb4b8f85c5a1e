// The lines of the package's README. A test compares the two.
import { Client } from 'planrooms'; // or '/planrooms/planrooms.js'
import { patchTasks } from 'planrooms/patch';
import { positionOf } from 'planrooms/position';
import { usePlanRooms, usePlanWebSocket } from 'planrooms/react';
import { useMutation, type QueryClient } from '@tanstack/react-query';

declare const body: string;
declare const planId: string;
declare const queryClient: QueryClient;
declare function post(path: string, body: unknown, headers: Record<string, string>): Promise<unknown>;
declare function fetchToken(signal: AbortSignal): Promise<string | null>;
declare function fetchPlan(signal: AbortSignal): Promise<unknown>;
declare function show(plan: unknown): void;
declare function apply(event: unknown): void;
declare function badge(status: string, participants: readonly unknown[]): void;

const client = new Client({ url: '/ws', getToken: ({ signal }) => fetchToken(signal) });
const plan = client.join('demo', {
  // At first, and when the server no longer has the missed events.
  load: async ({ signal }) => show(await fetchPlan(signal)),
  // In order, each once. Events that arrive during a load wait for it.
  onEvent: (event) => apply(event),
  onChange: () => { badge(plan.status, plan.participants); },
});
// This page gets a receipt (onReceipt) instead of the event: apply the answer of the request.
await fetch('/tasks/7', { method: 'PATCH', headers: client.headers(), body });
plan.setPresence({ editing: '7' });
plan.leave(); // and client.close() at a logout

export function position() {
  const plan = client.join('demo', {
    async load({ signal }) {
      const response = await fetch('/plans/demo', { signal });
      show(await response.json());
      return positionOf(response); // null without the header
    },
  });
  return plan;
}

export function useAdd() {
  const client = usePlanRooms();
  const add = useMutation({
    mutationFn: (title) => post('/tasks', { title }, client.headers()),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['plan', planId] }),
  });
  return add;
}

export function usePatched() {
  const patch = patchTasks({ key: 'id', version: 'version' });
  usePlanWebSocket({ planId, patch });
}
