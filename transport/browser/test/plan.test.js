import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { advance, connected } from './connecting.js';
import { FakeSocket, jwt, last, settled, sockets, useFakes } from './fake.js';
import { live, reconnect, setup, watch } from './watching.js';

useFakes();

describe('joining -> live', () => {
  it('joins without a position, and calls load', async () => {
    const { plan, received } = await setup();
    expect(last().sent).toEqual([{ type: 'join-plan', planId: 'demo' }]);
    expect([plan.status, plan.position]).toEqual(['joining', null]);
    last().answer('demo', 10);
    await settled();
    expect([plan.status, plan.position, received]).toEqual(['live', { epoch: 'e1', seq: 10 }, ['load joined 10']]);
  });

  it('continues from the position of the plan that the program has loaded', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const { plan, received } = watch(client, 'demo', { since: { epoch: 'e1', seq: 7 } });
    await settled();
    last().hello();
    expect(last().sent[0].since).toEqual({ epoch: 'e1', seq: 7 });
    last().answer('demo', 7, { recovered: true });
    last().event('demo', 9, 7);
    await settled();
    expect([received, plan.position]).toEqual([[9], { epoch: 'e1', seq: 9 }]);
  });

  it('ignores events before the answer to the join', async () => {
    const { received } = await setup();
    last().event('demo', 10, 9);
    last().answer('demo', 10);
    await settled();
    expect(received).toEqual(['load joined 10']);
  });

  it('calls onJoin with the answer', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const onJoin = vi.fn();
    watch(client, 'demo', { onJoin });
    await settled();
    last().hello().answer('demo', 3, { participantCount: 4 });
    expect(onJoin.mock.lastCall[0]).toMatchObject({
      recovered: false,
      participantCount: 4,
      position: { seq: 3 },
      timestamp: expect.any(String),
    });
  });

  it('a plan without load continues without a reload', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const { received } = watch(client, 'demo', { load: undefined });
    await settled();
    last().hello().answer('demo', 3).event('demo', 4, 3);
    await settled();
    expect(received).toEqual([4]);
  });
});

describe('live', () => {
  it('delivers events and receipts in order, each once', async () => {
    const { plan, received } = await live();
    last().event('demo', 12, 10);
    last().say({ type: 'receipt', planId: 'demo', seq: 15, prev: 12, mutationId: 'm' });
    last().event('demo', 15, 12);
    last().event('demo', 11, 10);
    last().event('demo', 16, 15);
    expect([received, plan.position.seq]).toEqual([[12, 'receipt 15', 16], 16]);
  });

  it('delivers event types of the host, and ignores unknown messages', async () => {
    const { received } = await live();
    last().say({ type: 'host-event', planId: 'demo', seq: 11, prev: 10, data: {} });
    last().say({ type: 'of-a-later-version', planId: 'demo' });
    last().say({ type: 'leave-plan', planId: 'demo', data: { success: true } });
    last().event('other', 12, 11);
    expect(received).toEqual([11]);
  });

  it('an error in a handler is reported and does not affect the others', async () => {
    const { client, received } = await live();
    const reported = [];
    const report = (error) => reported.push(error.message);
    process.on('uncaughtException', report);
    watch(client, 'demo', {
      since: { epoch: 'e1', seq: 10 },
      onEvent: () => {
        throw new Error('of the program');
      },
    });
    const { received: third } = watch(client, 'demo', { since: { epoch: 'e1', seq: 10 } });
    last().event('demo', 11, 10);
    vi.useRealTimers();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    process.off('uncaughtException', report);
    expect([received, third, reported]).toEqual([[11], [11], ['of the program']]);
  });
});

describe('live -> recovering -> live', () => {
  it('joins again from its position, and receives the missed events', async () => {
    const { plan, received } = await live();
    last().event('demo', 11, 10);
    last().end(1006);
    expect(plan.status).toBe('waiting');
    await advance(500);
    expect(plan.status).toBe('connecting');
    last().hello();
    expect([plan.status, last().sent]).toEqual([
      'recovering',
      [{ type: 'join-plan', planId: 'demo', since: { epoch: 'e1', seq: 11 } }],
    ]);
    last().answer('demo', 11, { recovered: true });
    last().event('demo', 12, 11);
    expect([plan.status, received]).toEqual(['live', [11, 12]]);
  });

  it('missed events that were evicted: loads once, and does not join again', async () => {
    const { received } = await live();
    await reconnect();
    last().answer('demo', 300).event('demo', 301, 300);
    await settled();
    expect([received, last().of('join-plan').length]).toEqual([['load not_recovered 300', 301], 1]);
  });

  it('a server with another epoch', async () => {
    const { plan, received } = await live();
    await reconnect();
    last().answer('demo', 0, { epoch: 'e2' }).event('demo', 1, 0);
    await settled();
    expect([received, plan.position]).toEqual([['load not_recovered 0', 1], { epoch: 'e2', seq: 1 }]);
  });

  it('resync: loads once, and continues', async () => {
    const { plan, received } = await live();
    last().say({ type: 'resync', planId: 'demo', data: { position: { epoch: 'e1', seq: 50 }, reason: 'missed' } });
    last().event('demo', 51, 50);
    await settled();
    expect([received, plan.status, last().of('join-plan').length]).toEqual([['load resync 50', 51], 'live', 1]);
  });

  it('a gap: requests the missing events on the same connection', async () => {
    const { plan, received } = await live();
    last().event('demo', 13, 12);
    expect([plan.status, last().of('join-plan').at(-1).since]).toEqual(['recovering', { epoch: 'e1', seq: 10 }]);
    last().event('demo', 14, 13); // still on its way from before
    last().answer('demo', 10, { recovered: true });
    for (const seq of [11, 12, 13, 14]) last().event('demo', seq, seq - 1);
    expect([received, plan.status]).toEqual([[11, 12, 13, 14], 'live']);
  });

  it('a gap that remains: loads, and stops requesting', async () => {
    const { received } = await live();
    last().event('demo', 13, 12);
    last().answer('demo', 10, { recovered: true });
    last().event('demo', 13, 12);
    await settled();
    expect([received, last().of('join-plan').length]).toEqual([['load gap 12', 13], 2]);
  });

  it('an event whose prev is below the last seq is not a gap', async () => {
    const { plan, received } = await live();
    last().event('demo', 11, 4);
    last().event('demo', 12, undefined);
    expect([received, plan.status, last().of('join-plan').length]).toEqual([[11, 12], 'live', 1]);
  });

  it('a join without an answer is sent again, and then the connection is replaced', async () => {
    FakeSocket.pongs = true;
    const { client, plan } = await setup();
    await advance(19_999);
    expect(last().of('join-plan').length).toBe(1);
    await advance(1);
    expect([last().of('join-plan').length, plan.status]).toEqual([2, 'joining']);
    await advance(20_000);
    expect([client.state, client.error, sockets[0].closed]).toEqual([
      'waiting',
      { code: 'timeout', message: 'no answer' },
      1000,
    ]);
    await advance(500);
    last().hello().answer('demo', 1);
    await advance(60_000);
    expect([plan.status, sockets.length]).toEqual(['live', 2]);
  });
});

describe('denied', () => {
  it('forbidden: remains denied, also on the next connection', async () => {
    const { plan, received } = await setup();
    last().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } });
    expect([plan.status, plan.error.code, received]).toEqual(['denied', 'forbidden', ['error forbidden']]);
    await reconnect();
    expect([plan.status, last().of('join-plan')]).toEqual(['denied', []]);
  });

  it('removed: the plan closes, and others on the socket remain live', async () => {
    const { client, plan, received } = await live();
    const other = watch(client, 'other');
    last().answer('other', 1);
    last().say({ type: 'removed', planId: 'demo', data: { reason: 'access ended', retry: false } });
    last().event('demo', 11, 10);
    last().event('other', 2, 1);
    await settled();
    expect([plan.status, plan.error, plan.position]).toEqual([
      'denied',
      { code: 'removed', message: 'access ended' },
      null,
    ]);
    expect([received, other.received]).toEqual([['error removed'], ['load joined 1', 2]]);
    expect(other.plan.status).toBe('live');
  });

  it('retry joins again, and loads', async () => {
    const { plan, received } = await live();
    last().say({ type: 'removed', planId: 'demo', data: { reason: 'access ended', retry: false } });
    plan.retry();
    expect([plan.status, last().of('join-plan').at(-1)]).toEqual(['joining', { type: 'join-plan', planId: 'demo' }]);
    last().answer('demo', 20);
    await settled();
    expect([plan.status, plan.error, received.at(-1)]).toEqual(['live', null, 'load joined 20']);
  });

  it('reconnect sends the join on the new connection only', async () => {
    const { client, plan } = await live();
    const [old] = sockets;
    client.reconnect();
    await settled();
    last().hello();
    expect([
      old.of('join-plan').length,
      old.closed,
      last()
        .of('join-plan')
        .map((m) => m.since.seq),
      plan.status,
    ]).toEqual([1, 1000, [10], 'recovering']);
  });

  it('a reconnect joins again, and so does another subscription', async () => {
    const { client, plan } = await setup();
    last().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } });
    client.reconnect();
    await settled();
    last().hello();
    expect([plan.status, last().of('join-plan').length]).toEqual(['joining', 1]);
    last().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } });
    watch(client);
    expect(last().of('join-plan').length).toBe(2);
  });

  it('the timeout of a join starts when it is sent: 600 plans are queued on one connection', async () => {
    FakeSocket.pongs = true;
    const client = await connected();
    for (let i = 0; i < 600; i++) client.join(`p${i}`);
    for (let answered = 0; answered < 600; ) {
      const joins = last().of('join-plan');
      expect([joins.length > answered, last().closed]).toEqual([true, null]);
      for (; answered < joins.length; answered++) last().answer(joins[answered].planId, 1);
      await advance(1_000);
    }
    expect(
      new Set(
        last()
          .of('join-plan')
          .map(({ planId }) => planId),
      ).size,
    ).toBe(600);
    expect(last().of('join-plan').length).toBe(600);
  });

  it('a queued join is sent once, with the position at that time, and not after the plan was left', async () => {
    const { client, plan } = await live(10);
    for (let i = 0; i < 150; i++) client.join(`p${i}`);
    last().event('demo', 15, 13); // a gap: joins
    plan.retry();
    watch(client, 'demo', { since: { epoch: 'e1', seq: 3 } });
    client.join('left').leave();
    await advance(8_000);
    expect(
      last()
        .of('join-plan')
        .filter(({ planId }) => planId === 'left'),
    ).toEqual([]);
    expect(
      last()
        .of('join-plan')
        .filter(({ planId }) => planId === 'demo')
        .map(({ since }) => since?.seq),
    ).toEqual([undefined, 3]);
  });

  it.each(['unavailable', 'rate_limited'])('%s is not a denial: joins again after a delay', async (code) => {
    const { plan } = await setup();
    FakeSocket.pongs = true;
    for (let i = 1; i <= 4; i++) {
      last().say({ type: 'error', planId: 'demo', data: { code, message: '', re: 'join-plan' } });
      expect([plan.status, last().of('join-plan').length, plan.error.code]).toEqual(['joining', i, code]);
      await advance(499);
      expect(last().of('join-plan').length).toBe(i);
      await advance(4_000);
      expect(last().of('join-plan').length).toBe(i + 1);
    }
    last().answer('demo', 1);
    await settled();
    expect([plan.status, plan.error]).toEqual(['live', null]);
  });

  it('removed with a retry: continues from its position', async () => {
    const { plan } = await live();
    last().say({ type: 'removed', planId: 'demo', data: { reason: 'unavailable', retry: true } });
    expect(plan.status).toBe('recovering');
    await advance(750);
    expect(last().of('join-plan').at(-1).since.seq).toBe(10);
  });

  it('a final close: stopped, with the reason', async () => {
    const { plan } = await live();
    last().end(4403, { reconnect: false });
    expect([plan.status, plan.error.code]).toEqual(['stopped', 4403]);
  });

  it('disconnect: idle', async () => {
    const { client, plan } = await live();
    client.disconnect();
    expect([plan.status, plan.error]).toEqual(['idle', null]);
    client.connect();
    await settled();
    last().hello();
    expect(last().of('join-plan').at(-1).since.seq).toBe(10);
  });

  it('errors of other requests are reported, and nothing changes', async () => {
    const { plan, received } = await live();
    last().say({ type: 'error', planId: 'demo', data: { code: 'bad_state', message: '', re: 'update-presence' } });
    expect([plan.status, received]).toEqual(['live', ['error bad_state']]);
  });
});
