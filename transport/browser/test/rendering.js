// Renders the hook below its provider, with a fake server. A test file that uses it begins with: //
// @vitest-environment jsdom

import { act, cleanup, render } from '@testing-library/react';
import { QueryClientProvider } from '@tanstack/react-query';
import { createElement as h, StrictMode } from 'react';
import { afterEach, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { PlanRoomsProvider, usePlanWebSocket } from '../react.js';
import { jwt, last, useFakes } from './fake.js';

export function useReact() {
  useFakes();
  afterEach(cleanup);
}

export const advance = (ms) => act(() => vi.advanceTimersByTimeAsync(ms));
export const settled = () => advance(0);
export const server = (f) => act(async () => f(last()));

export let shown; // what the hook returned last
export let renders = 0;

export function Plan(options) {
  shown = usePlanWebSocket(options);
  renders++;
  return null;
}

export const newClient = (getToken = async () => jwt(3600)) => new Client({ getToken });

/** Renders plans below a provider, and returns a function that renders others in their place. */
export function page(children, { client = newClient(), queryClient, strict = false } = {}) {
  const whole = (inner) => {
    const provided = h(PlanRoomsProvider, { client, queryClient }, inner);
    const cached = queryClient ? h(QueryClientProvider, { client: queryClient }, provided) : provided;
    return strict ? h(StrictMode, null, cached) : cached;
  };
  const view = render(whole(children));
  return { client, ...view, rerender: (inner) => view.rerender(whole(inner)) };
}

export async function live(seq = 1) {
  await settled();
  await server((s) => s.hello().answer('demo', seq));
}
