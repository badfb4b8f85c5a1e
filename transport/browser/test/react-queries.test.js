// @vitest-environment jsdom
import { act } from '@testing-library/react';
import { QueryClient, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { createElement as h, Suspense } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { patchTasks } from '../patch.js';
import { usePlanWebSocket } from '../react.js';
import { FakeSocket, last } from './fake.js';
import { advance, live, page, Plan, server, settled, useReact } from './rendering.js';

useReact();

let shown;

describe('TanStack Query', () => {
  // A host whose answers the test gives.
  function host() {
    const calls = [];
    const fetch = (key) => (context) =>
      new Promise((resolve) => {
        calls.push({ key, resolve, signal: context.signal });
      });
    return { calls, fetch, of: (key) => calls.filter((c) => c.key === key) };
  }

  let seen = {};

  function Board({ fetch, planId = 'demo', keys, options }) {
    const { plan, tasks, progress } = keys ?? {
      plan: ['plan', planId],
      tasks: ['plan', planId, 'tasks'],
      progress: ['plan', planId, 'progress'],
    };
    seen.plan = useQuery({ queryKey: plan, queryFn: fetch('plan') }).data;
    seen.tasks = useQuery({ queryKey: tasks, queryFn: fetch('tasks') }).data;
    seen.progress = useQuery({ queryKey: progress, queryFn: fetch('progress') }).data;
    shown = usePlanWebSocket({ planId, queryKeys: keys, ...options });
    return null;
  }

  async function board({ boards = 1, ...props } = {}) {
    seen = {};
    const { calls, fetch, of } = host();
    const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
    const view = page(
      Array.from({ length: boards }, (_, i) => h(Board, { fetch, key: i, ...props })),
      { queryClient },
    );
    await settled();
    return { calls, of, queryClient, ...view };
  }

  async function answerAll(calls, value) {
    await act(async () => {
      for (const c of calls.splice(0)) c.resolve(value);
    });
    await settled();
  }

  async function liveBoard(props) {
    const b = await board(props);
    await answerAll(b.calls, 'first');
    await live();
    await settled();
    await answerAll(b.calls, 'loaded');
    return b;
  }

  it('progress is stored when it arrives', async () => {
    const { calls } = await liveBoard();
    await server((s) =>
      s.say({ type: 'progress-updated', planId: 'demo', data: { progress: { done: 3 } }, seq: 2, prev: 1 }),
    );
    await advance(2_000);
    expect([seen.progress, calls.length]).toEqual([{ done: 3 }, 0]);
  });

  it('not recovered, resync: fetches each key of the plan and those below it once; no other plan', async () => {
    const { calls, queryClient } = await liveBoard();
    queryClient.setQueryData(['plan', 'demo', 'members'], []);
    queryClient.setQueryData(['plan', 'demo2'], []);
    await server((s) =>
      s.say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 300 }, reason: 'missed' } }),
    );
    await settled();
    expect(calls.map((c) => c.key).sort()).toEqual(['plan', 'progress', 'tasks']);
    expect(queryClient.getQueryState(['plan', 'demo', 'members']).isInvalidated).toBe(true);
    expect(queryClient.getQueryState(['plan', 'demo2']).isInvalidated).toBe(false);
    await answerAll(calls, 'again');
    await server((s) => s.end(1006));
    await advance(500);
    await server((s) => s.hello().answer('demo', 900));
    await settled();
    expect(calls.length).toBe(3);
  });

  it('recovered: fetches only for the events that follow', async () => {
    const { calls } = await liveBoard();
    await server((s) => s.end(1006));
    await advance(500);
    await server((s) => s.hello().answer('demo', 1, { recovered: true }));
    await advance(2_000);
    expect(calls.length).toBe(0);
  });

  it('events during a reload are delivered after it', async () => {
    const onTaskUpdated = vi.fn();
    const { calls } = await liveBoard({ options: { onTaskUpdated } });
    await server((s) =>
      s
        .say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 300 }, reason: 'missed' } })
        .event?.('demo', 301, 300),
    );
    await server((s) => s.event('demo', 301, 300));
    expect(onTaskUpdated).not.toHaveBeenCalled();
    await answerAll(calls, 'again');
    expect(onTaskUpdated).toHaveBeenCalledTimes(1);
  });

  it('two components that show a plan fetch it once', async () => {
    const { calls } = await liveBoard({ boards: 2 });
    await server((s) => s.event('demo', 2, 1));
    await advance(250);
    expect(calls.map((c) => c.key).sort()).toEqual(['plan', 'tasks']);
    await answerAll(calls, 'x');
    await server((s) =>
      s.say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 300 }, reason: 'missed' } }),
    );
    await settled();
    expect(calls.length).toBe(3);
  });

  it('the application can set all keys or some of them', async () => {
    const keys = { plan: ['p', { id: 'demo' }], tasks: ['t', 'demo'], progress: ['g', 'demo'] };
    const { calls } = await liveBoard({ keys });
    await server((s) => s.event('demo', 2, 1));
    await advance(250);
    expect(calls.map((c) => c.key).sort()).toEqual(['plan', 'tasks']);
    await answerAll(calls, 'x');
    await server((s) => s.say({ type: 'progress-updated', planId: 'demo', data: { progress: 7 }, seq: 3, prev: 2 }));
    await settled();
    expect(seen.progress).toBe(7);
  });

  it('null leaves the cache unchanged', async () => {
    const { calls } = await board({ options: { queryKeys: null } });
    await answerAll(calls, 'first');
    await live();
    await server((s) => s.event('demo', 2, 1));
    await advance(2_000);
    expect([calls.length, shown.isConnected]).toEqual([0, true]);
  });

  it('leaves no timer', async () => {
    const { unmount, queryClient } = await liveBoard();
    await server((s) => s.event('demo', 2, 1));
    unmount();
    await advance(2_000);
    queryClient.clear();
    expect(vi.getTimerCount()).toBe(0);
  });

  // A host that answers each fetch with its number after so many milliseconds.
  const slow = (ms, calls = { begun: 0 }) => ({
    calls,
    queryFn: () =>
      new Promise((resolve) => {
        const n = ++calls.begun;
        setTimeout(() => resolve(n), ms);
      }),
  });

  it('a page load fetches once, and shows the data when it arrives', async () => {
    const { calls, queryFn } = slow(800);
    let data;
    function Tasks() {
      ({ data } = useQuery({ queryKey: ['plan', 'demo', 'tasks'], queryFn }));
      usePlanWebSocket({ planId: 'demo' });
      return null;
    }
    page(h(Tasks), { queryClient: new QueryClient() });
    await advance(600); // for the token, the handshake and the join
    await server((s) => s.hello().answer('demo', 1));
    await advance(201);
    expect(data).toBe(1);
    await advance(5_000);
    expect([calls.begun, data]).toEqual([1, 1]);
  });

  it('a busy plan: a query that mounts late, a Suspense query and a route loader get their data', async () => {
    FakeSocket.pongs = true;
    const queryClient = new QueryClient();
    const got = {};
    const { queryFn } = slow(1_200);
    function Late() {
      got.late = useQuery({ queryKey: ['plan', 'demo', 'tasks', 'late'], queryFn }).data;
      return null;
    }
    function Suspended() {
      got.suspense = useSuspenseQuery({ queryKey: ['plan', 'demo', 'tasks', 'suspense'], queryFn }).data;
      return null;
    }
    const { rerender } = page(h(Plan, { planId: 'demo', key: 'live' }), { queryClient });
    await live();
    rerender([
      h(Plan, { planId: 'demo', key: 'live' }),
      h(Late, { key: 'late' }),
      h(Suspense, { key: 'suspense', fallback: 'loading' }, h(Suspended)),
    ]);
    queryClient.fetchQuery({ queryKey: ['plan', 'demo', 'tasks', 'loader'], queryFn }).then(
      (data) => {
        got.loader = data;
      },
      (error) => {
        got.loader = error;
      },
    );
    for (let i = 0; i < 20; i++) {
      await server((s) => s.event('demo', i + 2, i + 1));
      await advance(100);
    }
    expect(got).toEqual({ late: expect.any(Number), suspense: expect.any(Number), loader: expect.any(Number) });
  });

  it('a hanging query below the plan delays no event', async () => {
    const onTaskUpdated = vi.fn();
    function Attachments() {
      useQuery({ queryKey: ['plan', 'demo', 'attachments'], queryFn: () => new Promise(() => {}) });
      usePlanWebSocket({ planId: 'demo', onTaskUpdated });
      return null;
    }
    page(h(Attachments), { queryClient: new QueryClient() });
    await live();
    await server((s) => s.event('demo', 2, 1));
    await settled();
    expect(onTaskUpdated).toHaveBeenCalledTimes(1);
  });

  it('a patch that throws is reported, the query is fetched, and the callbacks are called', async () => {
    const onTaskUpdated = vi.fn();
    const { calls } = await liveBoard({
      options: {
        onTaskUpdated,
        patch: () => {
          throw new Error('of the application');
        },
      },
    });
    const report = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((f) => {
      expect(f).toThrow('of the application');
    });
    last().event('demo', 2, 1);
    // For plan and tasks.
    expect([report.mock.calls.length, onTaskUpdated.mock.calls.length]).toEqual([2, 1]);
    report.mockRestore();
    await advance(1_500);
    expect(calls.map((c) => c.key).sort()).toEqual(['plan', 'tasks']);
  });

  it('an event is patched into the cache instead of fetched', async () => {
    const patch = patchTasks();
    const { calls, queryClient } = await liveBoard({ options: { patch, queryKeys: { plan: null, progress: null } } });
    queryClient.setQueryData(['plan', 'demo', 'tasks'], [{ id: 't2', version: 1 }]);
    await server((s) => s.event('demo', 2, 1, { data: { task: { id: 't2', version: 2 } } }));
    await settled();
    expect(seen.tasks).toEqual([{ id: 't2', version: 2 }]);
    await advance(5_000);
    expect(calls.length).toBe(0);
  });
});
