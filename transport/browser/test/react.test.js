// @vitest-environment jsdom
import { act, cleanup, render } from '@testing-library/react';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createElement as h, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { PlanRoomsProvider, usePlanRooms, usePlanWebSocket } from '../react.js';
import { FakeSocket, jwt, last, sockets, useFakes } from './fake.js';

useFakes();
afterEach(cleanup);

const advance = (ms) => act(() => vi.advanceTimersByTimeAsync(ms));
const settled = () => advance(0);
const server = (f) => act(async () => f(last()));

let shown; // what the hook returned last
let renders = 0;

function Plan(options) {
  shown = usePlanWebSocket(options);
  renders++;
  return null;
}

const newClient = (getToken = async () => jwt(3600)) => new Client({ getToken });

// page renders plans below a provider, and returns a function that renders others in their place.
function page(children, { client = newClient(), queryClient, strict = false } = {}) {
  const whole = (inner) => {
    const provided = h(PlanRoomsProvider, { client, queryClient }, inner);
    const cached = queryClient ? h(QueryClientProvider, { client: queryClient }, provided) : provided;
    return strict ? h(StrictMode, null, cached) : cached;
  };
  const view = render(whole(children));
  return { client, ...view, rerender: (inner) => view.rerender(whole(inner)) };
}

async function live(seq = 1) {
  await settled();
  await server((s) => s.hello().answer('demo', seq));
}

describe('usePlanWebSocket', () => {
  it('joins while it is mounted, and leaves after it', async () => {
    const { client, unmount } = page(h(Plan, { planId: 'demo' }));
    expect(shown).toMatchObject({ isConnected: false, status: 'connecting', participantCount: 0, participants: [], lastError: null });
    await live();
    expect(shown).toMatchObject({ isConnected: true, status: 'live' });
    unmount();
    await advance(1_500);
    expect([client.state, last().of('leave-plan').length, last().closed, vi.getTimerCount()]).toEqual(['idle', 1, 1000, 0]);
  });

  it('StrictMode opens one socket, joins once and loads once', async () => {
    const onReload = vi.fn();
    page(h(Plan, { planId: 'demo', onReload }), { strict: true });
    await live();
    await advance(20_000);
    expect([sockets.length, last().of('join-plan').length, onReload.mock.calls.length, shown.isConnected]).toEqual([1, 1, 1, true]);
  });

  it('fifty fast mounts and unmounts leave no socket, no timer and no listener', async () => {
    const add = vi.spyOn(window, 'addEventListener');
    const remove = vi.spyOn(window, 'removeEventListener');
    const waking = (spy) => spy.mock.calls.filter(([name]) => ['online', 'offline', 'pageshow'].includes(name)).length;
    const client = newClient();
    for (let i = 0; i < 50; i++) {
      const { unmount } = page(h(Plan, { planId: `plan-${i % 3}` }), { client, strict: i % 2 === 0 });
      if (i % 5 === 0) await settled();
      if (i === 25) await server((s) => s.hello());
      unmount();
    }
    await advance(2_000);
    expect([client.state, sockets.filter((s) => s.closed === null).length, vi.getTimerCount()]).toEqual(['idle', 0, 0]);
    expect(sockets.length).toBe(1);
    expect(waking(add)).toBe(waking(remove));
    add.mockRestore();
    remove.mockRestore();
  });

  it('calls the callbacks of the last render, and reconnects for none of them', async () => {
    const first = vi.fn();
    const second = vi.fn();
    const { rerender } = page(h(Plan, { planId: 'demo', onTaskUpdated: first }));
    await live();
    rerender(h(Plan, { planId: 'demo', onTaskUpdated: second }));
    await server((s) => s.event('demo', 2, 1));
    expect([first.mock.calls.length, second.mock.lastCall[0], second.mock.lastCall[1].seq, sockets.length, last().sent.length]).toEqual([0, { id: 't2' }, 2, 1, 1]);
  });

  it('tells each kind of event by its callback', async () => {
    const told = [];
    const on = (name) => (...args) => told.push([name, ...args.slice(0, 1)]);
    page(h(Plan, {
      planId: 'demo',
      ...Object.fromEntries(['TaskUpdated', 'TaskCreated', 'TaskDeleted', 'TaskReordered', 'ProgressUpdated', 'UserJoined', 'UserLeft'].map((n) => [`on${n}`, on(n)])),
      onReceipt: ({ seq }) => told.push(['Receipt', seq]),
      onEvent: ({ type }) => told.push(['Event', type]),
      onError: ({ code }) => told.push(['Error', code]),
    }));
    await live();
    await server((s) => {
      const data = { 'task-updated': { task: 1 }, 'task-created': { task: 2 }, 'task-deleted': { taskId: 't' }, 'task-reordered': { taskIds: ['a'] }, 'progress-updated': { progress: 4 }, mine: {} };
      let seq = 1;
      for (const [type, d] of Object.entries(data)) s.say({ type, planId: 'demo', data: d, seq: seq + 1, prev: seq++ });
      s.say({ type: 'receipt', planId: 'demo', seq: seq + 1, prev: seq });
      s.say({ type: 'join-plan', planId: 'demo', data: { userId: 'b', userName: 'B', participantCount: 2 } });
      s.say({ type: 'leave-plan', planId: 'demo', data: { userId: 'b', participantCount: 1 } });
      s.say({ type: 'error', planId: 'demo', data: { code: 'bad_state', message: '', re: 'update-presence' } });
    });
    expect(told).toEqual([
      ['Event', 'task-updated'], ['TaskUpdated', 1], ['Event', 'task-created'], ['TaskCreated', 2], ['Event', 'task-deleted'], ['TaskDeleted', 't'],
      ['Event', 'task-reordered'], ['TaskReordered', ['a']], ['Event', 'progress-updated'], ['ProgressUpdated', 4], ['Event', 'mine'], ['Receipt', 8],
      ['UserJoined', { userId: 'b', userName: 'B', participantCount: 2 }], ['UserLeft', { userId: 'b', participantCount: 1 }], ['Error', 'bad_state'],
    ]);
  });

  it('without any callback nothing breaks', async () => {
    page(h(Plan, { planId: 'demo' }));
    await live();
    await server((s) => {
      s.event('demo', 2, 1);
      s.say({ type: 'receipt', planId: 'demo', seq: 3, prev: 2 });
      s.say({ type: 'error', planId: 'demo', data: { code: 'bad_state', message: '', re: 'update-presence' } });
    });
    expect(shown.isConnected).toBe(true);
  });

  it('another planId: leaves one and joins the other, on the same socket', async () => {
    const { rerender } = page(h(Plan, { planId: 'demo' }));
    await live();
    await server((s) => s.say({ type: 'join-plan', planId: 'demo', data: { userId: 'b', userName: 'B', participantCount: 2 } }));
    const before = renders;
    rerender(h(Plan, { planId: 'other' }));
    expect(renders).toBeGreaterThan(before);
    expect(shown).toMatchObject({ isConnected: false, status: 'joining', participants: [] }); // nothing of the plan before
    await server((s) => s.answer('other', 5));
    await advance(1_500);
    expect([sockets.length, shown.isConnected, last().of('leave-plan')]).toEqual([1, true, [{ type: 'leave-plan', planId: 'demo' }]]);
  });

  it.each([[{ planId: 'demo', enabled: false }], [{ planId: null }], [{ planId: undefined }], [{ planId: '' }]])('%o: not connected', async (options) => {
    const { rerender } = page(h(Plan, options));
    await settled();
    expect([sockets.length, shown.status, shown.isConnected]).toEqual([0, 'idle', false]);
    rerender(h(Plan, { planId: 'demo', enabled: true }));
    await live();
    expect(shown.isConnected).toBe(true);
    rerender(h(Plan, options));
    expect(shown.status).toBe('idle');
    await advance(1_500);
    expect(last().closed).toBe(1000);
  });

  it('goes on from the position of what has been loaded', async () => {
    const onReload = vi.fn();
    const onTaskUpdated = vi.fn();
    page(h(Plan, { planId: 'demo', since: { epoch: 'e1', seq: 7 }, onReload, onTaskUpdated }));
    await settled();
    await server((s) => s.hello().answer('demo', 7, { recovered: true }).event('demo', 8, 7));
    expect([last().sent[0].since.seq, onReload.mock.calls.length, onTaskUpdated.mock.calls.length]).toEqual([7, 0, 1]);
  });

  it('events wait for a reload, and leave out what it brought', async () => {
    let done;
    const onTaskUpdated = vi.fn();
    page(h(Plan, { planId: 'demo', onReload: () => new Promise((resolve) => { done = resolve; }), onTaskUpdated }));
    await live();
    await server((s) => s.event('demo', 2, 1).event('demo', 3, 2));
    expect(onTaskUpdated).not.toHaveBeenCalled();
    await act(async () => done({ epoch: 'e1', seq: 2 }));
    expect(onTaskUpdated.mock.calls.map(([task]) => task.id)).toEqual(['t3']);
  });

  it('says why it is not connected', async () => {
    page(h(Plan, { planId: 'demo' }));
    await live();
    await server((s) => s.end(4403, { reconnect: false }));
    expect(shown).toMatchObject({ status: 'stopped', isConnected: false, lastError: { code: 4403 } });
    await act(async () => shown.reconnect());
    await live();
    expect(shown).toMatchObject({ status: 'live', lastError: null });
  });

  it('disconnect and reconnect are those of this component', async () => {
    page(h(Plan, { planId: 'demo' }));
    await live();
    await act(async () => shown.disconnect());
    expect(shown.status).toBe('idle');
    await advance(1_500);
    expect(last().closed).toBe(1000);
    await act(async () => shown.reconnect());
    await live();
    expect([shown.isConnected, sockets.length]).toEqual([true, 2]);
  });

  it('reconnect asks again after a denial', async () => {
    page(h(Plan, { planId: 'demo' }));
    await settled();
    await server((s) => s.hello().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } }));
    expect(shown).toMatchObject({ status: 'denied', lastError: { code: 'forbidden' } });
    await act(async () => shown.reconnect());
    expect([shown.status, last().of('join-plan').length, sockets.length]).toEqual(['joining', 2, 1]);
  });

  it('functions are the same at each render', async () => {
    const { rerender } = page(h(Plan, { planId: 'demo' }));
    const { reconnect, disconnect, setPresence } = shown;
    await live();
    rerender(h(Plan, { planId: 'other' }));
    expect([shown.reconnect, shown.disconnect, shown.setPresence]).toEqual([reconnect, disconnect, setPresence]);
  });

  it('presence is shown, survives a planId, and is taken away with the component', async () => {
    const { rerender } = page([h(Plan, { planId: 'demo', key: 'a' }), h(Plan, { planId: 'demo', key: 'b' })]);
    await live();
    await act(async () => shown.setPresence({ editing: 't1' }));
    await advance(250);
    expect(last().of('update-presence').at(-1).data.state).toEqual({ editing: 't1' });
    rerender([h(Plan, { planId: 'demo', key: 'a' })]);
    await advance(2_000);
    expect([last().of('update-presence').at(-1).data.state, last().of('leave-plan').length]).toEqual([null, 0]);
    rerender([h(Plan, { planId: 'demo', key: 'a' }), h(Plan, { planId: 'demo', key: 'c' })]);
    await act(async () => shown.setPresence({ editing: 't2' }));
    rerender([h(Plan, { planId: 'demo', key: 'a' }), h(Plan, { planId: 'other', key: 'c' })]);
    await server((s) => s.answer('other', 1));
    expect(last().of('update-presence').at(-1)).toEqual({ type: 'update-presence', planId: 'other', data: { state: { editing: 't2' } } });
  });

  it('needs a provider, and says so', () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(() => render(h(Plan, { planId: 'demo' }))).toThrow('planrooms: no PlanRoomsProvider above this component');
    log.mockRestore();
  });

  it('on a server it is idle, and touches nothing', () => {
    vi.stubGlobal('WebSocket', undefined);
    const html = renderToString(h(PlanRoomsProvider, { getToken: () => null }, h(Plan, { planId: 'demo' }), h('p', null, 'page')));
    expect([html, shown.status, shown.isConnected, vi.getTimerCount()]).toEqual(['<p>page</p>', 'idle', false, 0]);
  });
});

describe('PlanRoomsProvider', () => {
  it('makes one client, and takes another getToken as it comes', async () => {
    const tokens = [];
    const provided = (name) => h(PlanRoomsProvider, {
      url: '/live', getToken: async ({ reason }) => { tokens.push(`${name} ${reason}`); return jwt(3600); },
    }, h(Plan, { planId: 'demo' }));
    const { rerender } = render(provided('first'));
    await live();
    rerender(provided('second'));
    await server((s) => s.end(4401, { reauth: true }));
    await settled();
    expect([tokens, sockets.map((s) => s.url.pathname)]).toEqual([['first connect', 'second rejected'], ['/live', '/live']]);
  });

  it('gives its client', () => {
    const client = newClient();
    let given;
    page(h(() => { given = usePlanRooms(); return null; }), { client });
    expect(given).toBe(client);
  });
});

describe('TanStack Query', () => {
  // A host whose answers the test gives.
  function host() {
    const calls = [];
    const fetch = (key) => (context) => new Promise((resolve) => {
      calls.push({ key, resolve, signal: context.signal });
    });
    return { calls, fetch, of: (key) => calls.filter((c) => c.key === key) };
  }

  let seen = {};

  function Board({ fetch, planId = 'demo', keys, options }) {
    const { plan, tasks, progress } = keys ?? { plan: ['plan', planId], tasks: ['plan', planId, 'tasks'], progress: ['plan', planId, 'progress'] };
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
    const view = page(Array.from({ length: boards }, (_, i) => h(Board, { fetch, key: i, ...props })), { queryClient });
    await settled();
    return { calls, of, queryClient, ...view };
  }

  async function answerAll(calls, value) {
    await act(async () => { for (const c of calls.splice(0)) c.resolve(value); });
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

  it('a first fetch under way when the plan is joined is begun again: it may have missed something', async () => {
    const { calls } = await board();
    expect(calls.map((c) => c.key)).toEqual(['plan', 'tasks', 'progress']);
    await live();
    await settled();
    expect(calls.map((c) => c.signal.aborted)).toEqual([true, true, true, false, false, false]);
    await answerAll(calls.splice(3), 'fresh');
    expect(seen).toEqual({ plan: 'fresh', tasks: 'fresh', progress: 'fresh' });
  });

  it('many events cost one refetch, 250 ms after the last, at most a second after the first', async () => {
    const { calls } = await liveBoard();
    for (let i = 0; i < 3; i++) {
      await server((s) => s.event('demo', 2 + i, 1 + i));
      await advance(200);
    }
    expect(calls.length).toBe(0);
    await advance(50);
    expect(calls.map((c) => c.key).sort()).toEqual(['plan', 'tasks']);
    await answerAll(calls, 'second');
    for (let i = 0; i < 10; i++) { // 2 s of them without a pause
      await server((s) => s.event('demo', 5 + i, 4 + i));
      await advance(100);
    }
    expect(calls.length).toBe(2);
  });

  it('progress is put in as it comes', async () => {
    const { calls } = await liveBoard();
    await server((s) => s.say({ type: 'progress-updated', planId: 'demo', data: { progress: { done: 3 } }, seq: 2, prev: 1 }));
    await advance(2_000);
    expect([seen.progress, calls.length]).toEqual([{ done: 3 }, 0]);
  });

  it('progress that comes while it is fetched is fetched again', async () => {
    const { calls, queryClient } = await liveBoard();
    void queryClient.invalidateQueries({ queryKey: ['plan', 'demo', 'progress'] });
    await settled();
    await server((s) => s.say({ type: 'progress-updated', planId: 'demo', data: { progress: 'new' }, seq: 2, prev: 1 }));
    await answerAll(calls, 'read before the change');
    await advance(250);
    await answerAll(calls, 'new');
    expect(seen.progress).toBe('new');
  });

  it('not recovered, resync: every key of the plan, once, and those below them; no other plan', async () => {
    const { calls, queryClient } = await liveBoard();
    queryClient.setQueryData(['plan', 'demo', 'members'], []);
    queryClient.setQueryData(['plan', 'demo2'], []);
    await server((s) => s.say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 300 }, reason: 'missed' } }));
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

  it('recovered: nothing is fetched but for the events that follow', async () => {
    const { calls } = await liveBoard();
    await server((s) => s.end(1006));
    await advance(500);
    await server((s) => s.hello().answer('demo', 1, { recovered: true }));
    await advance(2_000);
    expect(calls.length).toBe(0);
  });

  it('events during a reload are handed over after it', async () => {
    const onTaskUpdated = vi.fn();
    const { calls } = await liveBoard({ options: { onTaskUpdated } });
    await server((s) => s.say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 300 }, reason: 'missed' } }).event?.('demo', 301, 300));
    await server((s) => s.event('demo', 301, 300));
    expect(onTaskUpdated).not.toHaveBeenCalled();
    await answerAll(calls, 'again');
    expect(onTaskUpdated).toHaveBeenCalledTimes(1);
  });

  it('two who show a plan fetch it once', async () => {
    const { calls } = await liveBoard({ boards: 2 });
    await server((s) => s.event('demo', 2, 1));
    await advance(250);
    expect(calls.map((c) => c.key).sort()).toEqual(['plan', 'tasks']);
    await answerAll(calls, 'x');
    await server((s) => s.say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 300 }, reason: 'missed' } }));
    await settled();
    expect(calls.length).toBe(3);
  });

  it('own keys, of which the application gives all or some', async () => {
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

  it('null leaves the cache alone', async () => {
    const { calls } = await board({ options: { queryKeys: null } });
    await answerAll(calls, 'first');
    await live();
    await server((s) => s.event('demo', 2, 1));
    await advance(2_000);
    expect([calls.length, shown.isConnected]).toEqual([0, true]);
  });

  it('no timer is left behind', async () => {
    const { unmount, queryClient } = await liveBoard();
    await server((s) => s.event('demo', 2, 1));
    unmount();
    await advance(2_000);
    queryClient.clear();
    expect(vi.getTimerCount()).toBe(0);
  });
});
