import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { advance } from './connecting.js';
import { FakeSocket, jwt, last, settled, sockets, useFakes } from './fake.js';
import { live, watch } from './watching.js';

useFakes();

// A plan whose first load is under way. loads has what was asked for, with resolve and reject.
async function loading(seq = 0, options = {}) {
  FakeSocket.pongs = true;
  const client = new Client({ getToken: async () => jwt(3600), ...options });
  const loads = [];
  const watcher = watch(client, 'demo', {
    load: (request) =>
      new Promise((resolve, reject) => {
        loads.push({ ...request, resolve, reject });
      }),
  });
  await settled();
  last().hello().answer('demo', seq);
  await settled();
  return { client, loads, ...watcher };
}

describe('loading', () => {
  it('events are held until the load returns, and then delivered in order', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    let done;
    const { received, plan } = watch(client, 'demo', {
      load: () =>
        new Promise((resolve) => {
          done = resolve;
        }),
    });
    await settled();
    last().hello().answer('demo', 1);
    last().event('demo', 2, 1);
    last().event('demo', 3, 2);
    await settled();
    expect(received).toEqual([]);
    done();
    await settled();
    last().event('demo', 4, 3);
    expect([received, plan.position.seq]).toEqual([[2, 3, 4], 4]);
  });

  it('drops events that the loaded plan contains', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    let done;
    const { received } = watch(client, 'demo', {
      load: () =>
        new Promise((resolve) => {
          done = resolve;
        }),
    });
    await settled();
    last().hello().answer('demo', 1);
    last().event('demo', 2, 1);
    last().event('demo', 3, 2);
    await settled();
    done({ epoch: 'e1', seq: 4 });
    await settled();
    last().event('demo', 4, 3);
    last().event('demo', 5, 4);
    expect(received).toEqual([5]);
  });

  it('a result that is not a position drops no event', async () => {
    for (const result of [{ seq: 9 }, { epoch: 'e1', seq: '9' }, { id: 'demo' }, 'text', null]) {
      sockets.length = 0;
      const client = new Client({ getToken: async () => jwt(3600) });
      const { received } = watch(client, 'demo', { load: async () => result });
      await settled();
      last().hello().answer('demo', 1).event('demo', 2, 1);
      await settled();
      expect(received).toEqual([2]);
      client.disconnect();
    }
  });

  it('is retried when it fails', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const load = vi
      .fn()
      .mockRejectedValueOnce(new Error('502'))
      .mockRejectedValueOnce(new Error('502'))
      .mockResolvedValue(undefined);
    const { received } = watch(client, 'demo', { load });
    FakeSocket.pongs = true;
    await settled();
    last().hello().answer('demo', 1).event('demo', 2, 1);
    await advance(10_000);
    expect([load.mock.calls.length, received]).toEqual([3, ['error load', 'error load', 2]]);
  });

  it('limits the number of held events', async () => {
    const { received, loads } = await loading();
    for (let seq = 1; seq <= 4_098; seq++) last().event('demo', seq, seq - 1);
    await settled();
    expect(loads.map((l) => [l.reason, l.position.seq])).toEqual([['joined', 0]]);
    loads[0].resolve();
    await settled();
    expect(loads.map((l) => [l.reason, l.position.seq])).toEqual([
      ['joined', 0],
      ['overflow', 4_097],
    ]);
    loads[1].resolve();
    await settled();
    expect(received).toEqual([4_098]);
  });

  it('counts only the size of events after the last resync: the next load drops the earlier ones', async () => {
    const { received, loads } = await loading();
    const notes = 'x'.repeat(1024 * 1024);
    const events = (from, to) => {
      for (let seq = from; seq <= to; seq++) last().event('demo', seq, seq - 1, { data: { task: { notes } } });
    };
    events(1, 3);
    last().resync('demo', 3);
    events(4, 6);
    loads[0].resolve({ epoch: 'e1', seq: 3 });
    await settled();
    expect([loads.length, received]).toEqual([1, [4, 5, 6]]);
  });

  it('limits the size of held events', async () => {
    const { received, loads } = await loading();
    const notes = 'x'.repeat(1024 * 1024);
    for (let seq = 1; seq <= 5; seq++) last().event('demo', seq, seq - 1, { data: { task: { notes } } });
    loads[0].resolve();
    await settled();
    expect(loads.map((l) => [l.reason, l.position.seq])).toEqual([
      ['joined', 0],
      ['overflow', 4],
    ]);
    loads[1].resolve();
    await settled();
    expect(received).toEqual([5]);
  });

  it('load and onChange are called after join has returned, so they can use its result', async () => {
    const { client } = await live();
    const seen = [];
    const plan = client.join('demo', {
      onChange: () => seen.push(plan.status),
      load: () => {
        seen.push(plan.position.seq);
      },
    });
    const other = client.join('other', { onChange: () => seen.push(other.status) });
    await settled();
    expect(seen).toEqual(['loading', 10, 'joining', 'live']);
  });

  it('a load that is superseded before it begins is not made', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const load = vi.fn();
    watch(client, 'demo', { load });
    await settled();
    last().hello().answer('demo', 1).resync('demo', 5);
    await settled();
    expect(load.mock.calls.map(([r]) => r.reason)).toEqual(['resync']);
  });

  it('ends when the plan is left', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    let signal;
    const { plan } = watch(client, 'demo', {
      load: (request) => {
        signal = request.signal;
        return new Promise(() => {});
      },
    });
    await settled();
    last().hello().answer('demo', 1);
    await settled();
    plan.leave();
    expect(signal.aborted).toBe(true);
  });
});

describe('the status while loading', () => {
  it('is loading until the plan is loaded and the held events are delivered', async () => {
    const { plan, received, loads } = await loading();
    last().event('demo', 1, 0);
    expect([plan.status, plan.participantCount]).toEqual(['loading', 0]);
    expect(plan.snapshot).toBe(plan.snapshot);
    loads[0].resolve();
    await settled();
    expect([plan.status, received]).toEqual(['live', [1]]);
  });

  it('belongs to the subscription: another one that has loaded the plan is live', async () => {
    const { client, plan } = await loading();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 0 } });
    expect([plan.status, second.plan.status]).toEqual(['loading', 'live']);
  });

  it('names the error of the last attempt', async () => {
    const { plan, loads } = await loading();
    loads[0].reject(new Error('502'));
    await settled();
    expect([plan.status, plan.error]).toEqual(['loading', { code: 'load', message: 'Error: 502' }]);
  });
});

describe('a load that does not return', () => {
  it('is aborted after 30 s, reported, and retried with back-off', async () => {
    const { plan, received, loads } = await loading();
    last().event('demo', 1, 0);
    await advance(29_999);
    expect([loads[0].signal.aborted, received]).toEqual([false, []]);
    await advance(1);
    expect([loads[0].signal.aborted, received]).toEqual([true, ['error load']]);
    expect(plan.error.message).toBe('Error: no answer');
    await advance(750);
    expect(loads.length).toBe(2);
    loads[0].resolve(); // too late
    await settled();
    expect(plan.status).toBe('loading');
    loads[1].resolve();
    await settled();
    expect([plan.status, plan.error, received]).toEqual(['live', null, ['error load', 1]]);
  });

  it('has the timeout that the program sets', async () => {
    const { loads } = await loading(0, { timeoutMs: 1_000 });
    await advance(1_000);
    expect(loads[0].signal.aborted).toBe(true);
  });

  it('is aborted when the connection ends, and repeated after the next join', async () => {
    const { plan, received, loads } = await loading(1);
    last().event('demo', 2, 1);
    last().end(1006);
    expect(loads[0].signal.aborted).toBe(true);
    await advance(500);
    last().hello();
    expect(last().sent).toEqual([{ type: 'join-plan', planId: 'demo', since: { epoch: 'e1', seq: 2 } }]);
    last().answer('demo', 2, { recovered: true }).event('demo', 3, 2);
    await settled();
    loads[0].resolve();
    await settled();
    expect([plan.status, received, loads.length]).toEqual(['loading', [], 2]);
    loads[1].resolve();
    await settled();
    expect([plan.status, received]).toEqual(['live', [3]]);
  });

  it('leaves no timer', async () => {
    for (const end of [
      (s) => s.plan.leave(),
      (s) => s.client.close(),
      (s) => {
        s.loads[0].reject(new Error('502'));
      },
    ]) {
      const s = await loading();
      end(s);
      await settled();
      s.client.close();
      await advance(0);
      expect([s.loads[0].signal.aborted || s.received.length > 0, vi.getTimerCount()]).toEqual([true, 0]);
    }
  });
});

describe('a resync or gap during a load', () => {
  it('a resync each second and loads of 2 s: each load finishes, and its events are delivered', async () => {
    FakeSocket.pongs = true;
    const client = new Client({ getToken: async () => jwt(3600) });
    const loads = [];
    const { received } = watch(client, 'demo', {
      load: ({ reason, position, signal }) => {
        loads.push({ reason, seq: position.seq, signal });
        return new Promise((resolve) => {
          setTimeout(resolve, 2_000);
        });
      },
    });
    await settled();
    last().hello().answer('demo', 0);
    for (let i = 1; i <= 20; i++) {
      last().event('demo', 10 * i + 1, i === 1 ? 0 : 10 * i);
      await advance(1_000);
      last().resync('demo', 10 * i + 10);
    }
    expect(loads.some((l) => l.signal.aborted)).toBe(false);
    expect(loads.length).toBeLessThanOrEqual(11);
    const during = received.length;
    expect(during).toBeGreaterThan(5);
    await advance(10_000);
    last().event('demo', 211, 210);
    expect(received.slice(during)).toEqual([201, 211]); // 201: before the last break
    expect(loads.length).toBeLessThanOrEqual(12); // at most one more
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it('delivers the events before it, then loads again, once for several resyncs', async () => {
    const { received, loads, plan } = await loading();
    last().event('demo', 1, 0).resync('demo', 5).event('demo', 6, 5).resync('demo', 8).event('demo', 9, 8);
    loads[0].resolve();
    await settled();
    expect([received, loads.map((l) => [l.reason, l.position.seq])]).toEqual([
      [1],
      [
        ['joined', 0],
        ['resync', 8],
      ],
    ]);
    loads[1].resolve();
    await settled();
    expect([received, plan.status]).toEqual([[1, 9], 'live']);
  });

  it('does not load again if the loaded plan has a position after it', async () => {
    const { received, loads, plan } = await loading();
    last().event('demo', 1, 0).resync('demo', 5).event('demo', 6, 5).event('demo', 7, 6);
    loads[0].resolve({ epoch: 'e1', seq: 6 });
    await settled();
    expect([received, loads.length, plan.status]).toEqual([[7], 1, 'live']);
  });

  it('a handler that leaves the plan ends the load', async () => {
    FakeSocket.pongs = true;
    const client = new Client({ getToken: async () => jwt(3600) });
    const done = [];
    const { plan } = watch(client, 'demo', {
      load: () =>
        new Promise((resolve) => {
          done.push(resolve);
        }),
      onEvent: () => plan.leave(),
    });
    await settled();
    last().hello().answer('demo', 0);
    await settled();
    last().event('demo', 1, 0).resync('demo', 5);
    done[0]();
    await settled();
    expect(done.length).toBe(1);
  });

  it('resync with spreadMs: waits a random part of that time, and holds events', async () => {
    const { plan, received } = await live();
    last().resync('demo', 20, { spreadMs: 10_000 }).event('demo', 21, 20);
    await advance(4_999);
    expect([plan.status, received]).toEqual(['loading', []]);
    await advance(1);
    expect([plan.status, received]).toEqual(['live', ['load resync 20', 21]]);
  });
});

describe('a load that returns an older plan', () => {
  it('joins again from its position, so that the missing events are replayed', async () => {
    FakeSocket.pongs = true;
    const client = new Client({ getToken: async () => jwt(3600) });
    const { received, plan } = watch(client, 'demo', { load: async () => ({ epoch: 'e1', seq: 7 }) });
    await settled();
    last().hello().answer('demo', 10).event('demo', 11, 10);
    await settled();
    expect([last().of('join-plan').at(-1).since, plan.status]).toEqual([{ epoch: 'e1', seq: 7 }, 'recovering']);
    last().answer('demo', 7, { recovered: true });
    for (const seq of [8, 9, 10, 11, 12]) last().event('demo', seq, seq - 1);
    expect([received, plan.status, last().of('join-plan').length]).toEqual([[8, 9, 10, 11, 12], 'live', 2]);
  });

  it.each([
    ['too old for the server', { epoch: 'e1', seq: 7 }],
    ['of another epoch', { epoch: 'e0', seq: 7 }],
  ])('three times, %s: reports an error, and continues from the position of the join', async (_, position) => {
    FakeSocket.pongs = true;
    const client = new Client({ getToken: async () => jwt(3600) });
    const load = vi.fn(async () => position);
    const { received, plan } = watch(client, 'demo', { load });
    await settled();
    last().hello().answer('demo', 300).event('demo', 301, 300);
    let joins = 1;
    for (let i = 0; i < 60; i++) {
      await advance(250);
      if (last().of('join-plan').length === joins) continue;
      joins++;
      last().answer('demo', 301);
    }
    expect([load.mock.calls.length, received[0], plan.status]).toEqual([3, 'error stale_load', 'live']);
    last().event('demo', 302, 301);
    expect(received.at(-1)).toBe(302);
    expect(joins).toBeLessThanOrEqual(3);
  });

  it('of another epoch: backs off between the loads', async () => {
    const { loads, plan } = await loading(10);
    loads[0].resolve({ epoch: 'e0', seq: 99 });
    await advance(749);
    expect([loads.length, plan.status]).toEqual([1, 'loading']);
    await advance(1);
    loads[1].resolve({ epoch: 'e1', seq: 10 });
    await settled();
    expect([plan.status, loads.length]).toEqual(['live', 2]);
  });
});
