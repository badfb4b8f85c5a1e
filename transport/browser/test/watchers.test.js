import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { advance } from './connecting.js';
import { jwt, last, settled, sockets, useFakes } from './fake.js';
import { live, reconnect, setup, watch } from './watching.js';

useFakes();

describe('several subscriptions of a plan', () => {
  it('share one membership', async () => {
    const { client, received } = await live();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 10 } });
    last().event('demo', 11, 10);
    expect([received, second.received, last().of('join-plan').length]).toEqual([[11], [11], 1]);
  });

  it('one without a position calls load, the others do not', async () => {
    const { client, received } = await live();
    const second = watch(client);
    await settled();
    expect([received, second.received]).toEqual([[], ['load joined 10']]);
  });

  it('one with an earlier position gets the events since, and the others get no event twice', async () => {
    const { client, received } = await live();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 8 } });
    expect(last().of('join-plan').at(-1).since.seq).toBe(8);
    last().answer('demo', 8, { recovered: true });
    for (const seq of [9, 10, 11]) last().event('demo', seq, seq - 1);
    expect([received, second.received]).toEqual([[11], [9, 10, 11]]);
  });

  it('one with a later position gets no event before it', async () => {
    const { client, received } = await live();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 12 } });
    for (const seq of [11, 12, 13]) last().event('demo', seq, seq - 1);
    expect([received, second.received, last().of('join-plan').length]).toEqual([[11, 12, 13], [13], 1]);
  });

  it('one with a position of another epoch calls load', async () => {
    const { client, received } = await live();
    const second = watch(client, 'demo', { since: { epoch: 'e0', seq: 8 } });
    await settled();
    expect([received, second.received]).toEqual([[], ['load not_recovered 10']]);
  });

  it('a reconnect joins from the earliest position', async () => {
    const { client, received } = await live();
    const ahead = watch(client, 'demo', { since: { epoch: 'e1', seq: 12 } });
    await reconnect();
    expect(last().sent[0].since.seq).toBe(10);
    last().answer('demo', 10, { recovered: true });
    for (const seq of [11, 12, 13]) last().event('demo', seq, seq - 1);
    expect([received, ahead.received]).toEqual([[11, 12, 13], [13]]);
  });

  it('one that joins while the answer is in flight', async () => {
    const { client, received } = await setup();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 8 } });
    last().answer('demo', 10);
    await settled();
    expect([received, second.received]).toEqual([['load joined 10'], ['load not_recovered 10']]);
  });
});

describe('leaving', () => {
  it('is sent after a short delay, and the connection closes after the last plan', async () => {
    const { client, plan } = await live();
    plan.leave();
    plan.leave();
    await advance(1_499);
    expect([client.state, last().of('leave-plan').length]).toEqual(['connected', 0]);
    await advance(1);
    expect([client.state, last().of('leave-plan'), last().closed]).toEqual([
      'idle',
      [{ type: 'leave-plan', planId: 'demo' }],
      1000,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not sent if another subscription joins before', async () => {
    const { client, plan } = await live();
    plan.leave();
    await advance(1_000);
    const again = watch(client);
    await advance(5_000);
    expect([again.plan.status, last().of('leave-plan').length, last().of('join-plan').length, again.received]).toEqual([
      'live',
      0,
      1,
      ['load joined 10'],
    ]);
  });

  it('one of two subscriptions leaves: the other still receives events', async () => {
    const { client, plan, received } = await live();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 10 } });
    plan.leave();
    await advance(5_000);
    last().event('demo', 11, 10);
    expect([received, second.received, client.state]).toEqual([[], [11], 'connected']);
  });

  it('one of two plans is left: the connection stays open', async () => {
    const { client, plan } = await live();
    watch(client, 'other');
    plan.leave();
    await advance(2_000);
    expect([client.state, last().of('leave-plan').length]).toEqual(['connected', 1]);
  });

  it('connect keeps the connection open for notices without a plan', async () => {
    const { client, plan } = await live();
    client.connect();
    plan.leave();
    await advance(2_000);
    expect(client.state).toBe('connected');
  });

  it('a denied plan is not left', async () => {
    const { plan } = await setup();
    last().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } });
    plan.leave();
    await advance(2_000);
    expect(last().of('leave-plan')).toEqual([]);
  });

  it('fifty joins and leaves in a row leave no socket and no timer', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    for (let i = 0; i < 50; i++) {
      watch(client).plan.leave();
      await advance(i % 7);
      if (i === 20) last().hello();
    }
    await advance(2_000);
    expect([client.state, sockets.length, last().closed, vi.getTimerCount()]).toEqual(['idle', 1, 1000, 0]);
  });

  it('close leaves all plans immediately', async () => {
    const { client, plan } = await live();
    const other = watch(client, 'other', { load: () => new Promise(() => {}) });
    last().answer('other', 1);
    plan.leave();
    client.close();
    expect([
      client.state,
      last()
        .of('leave-plan')
        .map((m) => m.planId),
      last().closed,
      other.plan.status,
    ]).toEqual(['idle', ['demo', 'other'], 1000, 'idle']);
    await advance(5_000);
    expect([sockets.length, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it('after close and another join, leaving the old subscription does not affect the new one', async () => {
    const { client, plan: old } = await live();
    client.close();
    const { plan, received } = watch(client);
    old.leave();
    old.retry();
    old.setPresence({ editing: 't1' });
    await settled();
    last().hello().answer('demo', 10);
    await advance(5_000);
    last().event('demo', 11, 10);
    expect([received, plan.status, last().of('leave-plan').length]).toEqual([['load joined 10', 11], 'live', 0]);
    expect([old.status, old.closed, plan.closed, last().of('update-presence').length]).toEqual([
      'idle',
      true,
      false,
      0,
    ]);
  });

  it('close notifies its subscriptions, and a reconnect does not restore them', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const seen = [];
    const { plan } = watch(client, 'demo', { onChange: () => seen.push(plan.status) });
    await settled();
    last().hello().answer('demo', 10);
    await settled();
    client.close();
    await settled();
    client.reconnect();
    await settled();
    last().hello();
    expect([seen.at(-1), plan.status, last().of('join-plan')]).toEqual(['idle', 'idle', []]);
  });

  it('leave in onEvent: no more events, whether held or live', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const got = [];
    let done;
    const plan = client.join('demo', {
      load: () =>
        new Promise((resolve) => {
          done = resolve;
        }),
      onEvent: (e) => {
        got.push(e.seq);
        plan.leave();
      },
    });
    await settled();
    last().hello().answer('demo', 1).event('demo', 2, 1).event('demo', 3, 2);
    await settled();
    done();
    await settled();
    last().event('demo', 4, 3);
    expect(got).toEqual([2]);
  });

  it('leave in onJoin: nothing is loaded, and no event comes', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const load = vi.fn();
    const onEvent = vi.fn();
    const plan = client.join('demo', { load, onEvent, onJoin: () => plan.leave() });
    await settled();
    last().hello().answer('demo', 1).event('demo', 2, 1);
    await settled();
    expect([load.mock.calls.length, onEvent.mock.calls.length]).toEqual([0, 0]);
  });

  it('close in onEvent: the other subscriptions get no event', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const since = { epoch: 'e1', seq: 10 };
    const first = watch(client, 'demo', { since, onEvent: () => client.close() });
    const second = watch(client, 'demo', { since });
    await settled();
    last().hello().answer('demo', 10, { recovered: true }).event('demo', 11, 10);
    expect([first.plan.closed, second.received, client.state]).toEqual([true, [], 'idle']);
  });

  it('can join again after it has left', async () => {
    const { client, plan } = await live();
    watch(client, 'other');
    plan.leave();
    await advance(2_000);
    const again = watch(client);
    expect(last().of('join-plan').at(-1)).toEqual({ type: 'join-plan', planId: 'demo' });
    last().answer('demo', 12).event('demo', 13, 12);
    await settled();
    expect(again.received).toEqual(['load joined 12', 13]);
  });
});
