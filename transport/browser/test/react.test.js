// @vitest-environment jsdom
import { act, render } from '@testing-library/react';
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import { PlanRoomsProvider, usePlanWebSocket } from '../react.js';
import { last, sockets } from './fake.js';
import { advance, live, newClient, page, Plan, renders, server, settled, shown, useReact } from './rendering.js';

useReact();

describe('usePlanWebSocket', () => {
  it('joins when it mounts, and leaves when it unmounts', async () => {
    const { client, unmount } = page(h(Plan, { planId: 'demo' }));
    expect(shown).toMatchObject({
      isConnected: false,
      status: 'connecting',
      participantCount: 0,
      participants: [],
      lastError: null,
    });
    await live();
    expect(shown).toMatchObject({ isConnected: true, status: 'live' });
    unmount();
    await advance(1_500);
    expect([client.state, last().of('leave-plan').length, last().closed, vi.getTimerCount()]).toEqual([
      'idle',
      1,
      1000,
      0,
    ]);
  });

  it('StrictMode opens one socket, joins once and loads once', async () => {
    const onReload = vi.fn();
    page(h(Plan, { planId: 'demo', onReload }), { strict: true });
    await live();
    await advance(20_000);
    expect([sockets.length, last().of('join-plan').length, onReload.mock.calls.length, shown.isConnected]).toEqual([
      1,
      1,
      1,
      true,
    ]);
  });

  it('fifty fast mounts and unmounts leave no socket, no timer and no listener', async () => {
    const listening = new Set();
    let seen = new Set();
    const add = vi.spyOn(window, 'addEventListener').mockImplementation((name) => {
      listening.add(name);
    });
    const remove = vi.spyOn(window, 'removeEventListener').mockImplementation((name) => {
      listening.delete(name);
    });
    const client = newClient();
    for (let i = 0; i < 50; i++) {
      const { unmount } = page(h(Plan, { planId: `plan-${i % 3}` }), { client, strict: i % 2 === 0 });
      if (i % 5 === 0) await settled();
      if (i === 25) await server((s) => s.hello());
      seen = new Set([...seen, ...listening]);
      unmount();
    }
    await advance(2_000);
    expect([client.state, sockets.filter((s) => s.closed === null).length, vi.getTimerCount()]).toEqual(['idle', 0, 0]);
    expect(sockets.length).toBe(1);
    const waking = ['online', 'offline', 'pageshow'];
    expect([waking.filter((name) => seen.has(name)), waking.filter((name) => listening.has(name))]).toEqual([
      waking,
      [],
    ]);
    add.mockRestore();
    remove.mockRestore();
  });

  it('calls the callbacks of the last render, and does not reconnect for new ones', async () => {
    const first = vi.fn();
    const second = vi.fn();
    const { rerender } = page(h(Plan, { planId: 'demo', onTaskUpdated: first }));
    await live();
    rerender(h(Plan, { planId: 'demo', onTaskUpdated: second }));
    await server((s) => s.event('demo', 2, 1));
    expect([
      first.mock.calls.length,
      second.mock.lastCall[0],
      second.mock.lastCall[1].seq,
      sockets.length,
      last().sent.length,
    ]).toEqual([0, { id: 't2' }, 2, 1, 1]);
  });

  it('calls the callback of each event type', async () => {
    const calls = [];
    const on =
      (name) =>
      (...args) =>
        calls.push([name, ...args.slice(0, 1)]);
    page(
      h(Plan, {
        planId: 'demo',
        ...Object.fromEntries(
          [
            'TaskUpdated',
            'TaskCreated',
            'TaskDeleted',
            'TaskReordered',
            'ProgressUpdated',
            'UserJoined',
            'UserLeft',
          ].map((n) => [`on${n}`, on(n)]),
        ),
        onReceipt: ({ seq }) => calls.push(['Receipt', seq]),
        onEvent: ({ type }) => calls.push(['Event', type]),
        onError: ({ code }) => calls.push(['Error', code]),
      }),
    );
    await live();
    await server((s) => {
      const data = {
        'task-updated': { task: 1 },
        'task-created': { task: 2 },
        'task-deleted': { taskId: 't' },
        'task-reordered': { taskIds: ['a'] },
        'progress-updated': { progress: 4 },
        mine: {},
      };
      let seq = 1;
      for (const [type, d] of Object.entries(data)) s.say({ type, planId: 'demo', data: d, seq: seq + 1, prev: seq++ });
      s.say({ type: 'receipt', planId: 'demo', seq: seq + 1, prev: seq });
      s.say({ type: 'join-plan', planId: 'demo', data: { userId: 'b', userName: 'B', participantCount: 2 } });
      s.say({ type: 'leave-plan', planId: 'demo', data: { userId: 'b', participantCount: 1 } });
      s.say({ type: 'error', planId: 'demo', data: { code: 'bad_state', message: '', re: 'update-presence' } });
    });
    expect(calls).toEqual([
      ['Event', 'task-updated'],
      ['TaskUpdated', 1],
      ['Event', 'task-created'],
      ['TaskCreated', 2],
      ['Event', 'task-deleted'],
      ['TaskDeleted', 't'],
      ['Event', 'task-reordered'],
      ['TaskReordered', ['a']],
      ['Event', 'progress-updated'],
      ['ProgressUpdated', 4],
      ['Event', 'mine'],
      ['Receipt', 8],
      ['UserJoined', { userId: 'b', userName: 'B', participantCount: 2 }],
      ['UserLeft', { userId: 'b', participantCount: 1 }],
      ['Error', 'bad_state'],
    ]);
  });

  it('works without callbacks', async () => {
    page(h(Plan, { planId: 'demo' }));
    await live();
    await server((s) => {
      s.event('demo', 2, 1);
      s.say({ type: 'receipt', planId: 'demo', seq: 3, prev: 2 });
      s.say({ type: 'error', planId: 'demo', data: { code: 'bad_state', message: '', re: 'update-presence' } });
    });
    expect(shown.isConnected).toBe(true);
  });

  it('another planId: leaves one plan and joins the other on the same socket', async () => {
    const { rerender } = page(h(Plan, { planId: 'demo' }));
    await live();
    await server((s) =>
      s.say({ type: 'join-plan', planId: 'demo', data: { userId: 'b', userName: 'B', participantCount: 2 } }),
    );
    const before = renders;
    rerender(h(Plan, { planId: 'other' }));
    expect(renders).toBeGreaterThan(before);
    // Nothing of the plan before.
    expect(shown).toMatchObject({ isConnected: false, status: 'joining', participants: [] });
    await server((s) => s.answer('other', 5));
    await advance(1_500);
    expect([sockets.length, shown.isConnected, last().of('leave-plan')]).toEqual([
      1,
      true,
      [{ type: 'leave-plan', planId: 'demo' }],
    ]);
  });

  it.each([[{ planId: 'demo', enabled: false }], [{ planId: null }], [{ planId: undefined }], [{ planId: '' }]])(
    '%o: not connected',
    async (options) => {
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
    },
  );

  it('continues from the position of the loaded plan', async () => {
    const onReload = vi.fn();
    const onTaskUpdated = vi.fn();
    page(h(Plan, { planId: 'demo', since: { epoch: 'e1', seq: 7 }, onReload, onTaskUpdated }));
    await settled();
    await server((s) => s.hello().answer('demo', 7, { recovered: true }).event('demo', 8, 7));
    expect([last().sent[0].since.seq, onReload.mock.calls.length, onTaskUpdated.mock.calls.length]).toEqual([7, 0, 1]);
  });

  it('events are held during a reload, and those that it contains are dropped', async () => {
    let done;
    const onTaskUpdated = vi.fn();
    page(
      h(Plan, {
        planId: 'demo',
        onReload: () =>
          new Promise((resolve) => {
            done = resolve;
          }),
        onTaskUpdated,
      }),
    );
    await live();
    await server((s) => s.event('demo', 2, 1).event('demo', 3, 2));
    expect(onTaskUpdated).not.toHaveBeenCalled();
    await act(async () => done({ epoch: 'e1', seq: 2 }));
    expect(onTaskUpdated.mock.calls.map(([task]) => task.id)).toEqual(['t3']);
  });

  it('reports why it is not connected', async () => {
    page(h(Plan, { planId: 'demo' }));
    await live();
    await server((s) => s.end(4403, { reconnect: false }));
    expect(shown).toMatchObject({ status: 'stopped', isConnected: false, lastError: { code: 4403 } });
    await act(async () => shown.reconnect());
    await live();
    expect(shown).toMatchObject({ status: 'live', lastError: null });
  });

  it('disconnect and reconnect affect only this component', async () => {
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

  it('reconnect joins again after a denial', async () => {
    page(h(Plan, { planId: 'demo' }));
    await settled();
    await server((s) =>
      s.hello().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } }),
    );
    expect(shown).toMatchObject({ status: 'denied', lastError: { code: 'forbidden' } });
    await act(async () => shown.reconnect());
    expect([shown.status, last().of('join-plan').length, sockets.length]).toEqual(['joining', 2, 1]);
  });

  it('returns the same functions at each render', async () => {
    const { rerender } = page(h(Plan, { planId: 'demo' }));
    const { reconnect, disconnect, setPresence } = shown;
    await live();
    rerender(h(Plan, { planId: 'other' }));
    expect([shown.reconnect, shown.disconnect, shown.setPresence]).toEqual([reconnect, disconnect, setPresence]);
  });

  it('presence is sent, kept across a change of planId, and cleared when the component unmounts', async () => {
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
    expect(last().of('update-presence').at(-1)).toEqual({
      type: 'update-presence',
      planId: 'other',
      data: { state: { editing: 't2' } },
    });
  });

  it("two components with a state for one plan: the last one is sent, and neither clears the other's", async () => {
    let one;
    function One(options) {
      one = usePlanWebSocket(options);
      return null;
    }
    const both = [h(One, { planId: 'demo', key: 'a' }), h(Plan, { planId: 'demo', key: 'b' })];
    const { rerender } = page(both);
    await live();
    const states = () =>
      last()
        .of('update-presence')
        .map((m) => m.data.state);
    await act(async () => one.setPresence({ editing: 'title' }));
    await advance(1_000);
    await act(async () => shown.setPresence({ cursor: 3 }));
    await advance(1_000);
    rerender([both[0]]);
    await advance(1_000);
    expect(states()).toEqual([{ editing: 'title' }, { cursor: 3 }, { editing: 'title' }]);
    rerender(both);
    await act(async () => shown.setPresence({ cursor: 4 }));
    await act(async () => one.setPresence(null));
    await advance(1_000);
    expect(states().at(-1)).toEqual({ cursor: 4 });
    const before = states().length;
    rerender([both[1]]); // one shows nothing
    await advance(1_000);
    expect(states().length).toBe(before);
    rerender([]);
    await advance(1_000);
    expect(states().at(-1)).toBe(null);
  });

  it('setPresence throws for a state that cannot be sent, and keeps the previous one', async () => {
    page(h(Plan, { planId: 'demo' }));
    const cycle = {};
    cycle.self = cycle;
    expect(() => shown.setPresence(cycle)).toThrow(TypeError);
    await live();
    shown.disconnect();
    await settled();
    for (const state of [cycle, 'x'.repeat(1_023), () => {}]) expect(() => shown.setPresence(state)).toThrow(TypeError); // nor without a plan
    shown.reconnect();
    await settled();
    await advance(1_000);
    expect([shown.status, last().of('update-presence').length]).toEqual(['live', 0]);
  });

  it('a state of the previous user is not sent for the next plan of the component', async () => {
    const { rerender } = page(h(Plan, { planId: 'demo' }));
    await live();
    shown.setPresence('of ann');
    last().end(1006);
    await advance(500);
    await server((s) => s.hello('bob').answer('demo', 1));
    rerender(h(Plan, { planId: 'other' }));
    await settled();
    await server((s) => s.answer('other', 5));
    await advance(1_000);
    expect([shown.status, last().of('update-presence')]).toEqual(['live', []]);
  });

  it('reconnect works after the client was closed', async () => {
    const { client } = page([h(Plan, { planId: 'demo', key: 'a' }), h(Plan, { planId: 'demo', key: 'b' })]);
    await live();
    await act(async () => client.close());
    await settled();
    expect(shown.status).toBe('idle');
    await act(async () => shown.reconnect());
    await live();
    await advance(5_000);
    expect([shown.status, sockets.length, last().of('join-plan').length, last().of('leave-plan').length]).toEqual([
      'live',
      2,
      1,
      0,
    ]);
  });

  it('reconnect after disconnect continues from the last position', async () => {
    const { client } = page(h(Plan, { planId: 'demo' }));
    await live(7);
    await act(async () => client.disconnect());
    await settled();
    await act(async () => shown.reconnect());
    await settled();
    await server((s) => s.hello());
    expect(last().of('join-plan').at(-1).since).toEqual({ epoch: 'e1', seq: 7 });
  });

  it('a callback that throws does not prevent the other callbacks', async () => {
    const calls = [];
    const fail = (name) => () => {
      calls.push(name);
      throw new Error(name);
    };
    page(h(Plan, { planId: 'demo', onEvent: fail('onEvent'), onTaskUpdated: fail('onTaskUpdated') }));
    await live();
    const thrown = [];
    const report = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((f) => {
      try {
        f();
      } catch (error) {
        thrown.push(error.message);
      }
    });
    last().event('demo', 2, 1);
    report.mockRestore();
    expect([calls, thrown]).toEqual([
      ['onEvent', 'onTaskUpdated'],
      ['onEvent', 'onTaskUpdated'],
    ]);
  });

  it('a refused state does not break a later join, which sends the previous state', async () => {
    const { rerender } = page(h(Plan, { planId: 'demo' }));
    await live();
    shown.setPresence('good');
    expect(() => shown.setPresence('x'.repeat(2_000))).toThrow(TypeError);
    rerender(h(Plan, { planId: 'other' }));
    await settled();
    last().answer('other', 5);
    await advance(1_000);
    expect([shown.status, last().of('update-presence').at(-1)?.data.state]).toEqual(['live', 'good']);
  });

  it('throws without a provider', () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(() => render(h(Plan, { planId: 'demo' }))).toThrow('planrooms: no PlanRoomsProvider above this component');
    log.mockRestore();
  });

  it('on a server it is idle, and uses no browser API', () => {
    vi.stubGlobal('WebSocket', undefined);
    const html = renderToString(
      h(PlanRoomsProvider, { getToken: () => null }, h(Plan, { planId: 'demo' }), h('p', null, 'page')),
    );
    expect([html, shown.status, shown.isConnected, vi.getTimerCount()]).toEqual(['<p>page</p>', 'idle', false, 0]);
  });
});
