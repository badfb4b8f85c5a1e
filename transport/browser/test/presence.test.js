import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { advance, connected } from './connecting.js';
import { FakeSocket, jwt, last, settled, sockets, useFakes } from './fake.js';
import { live, reconnect, setup, watch } from './watching.js';

useFakes();

describe('presence', () => {
  const ann = { userId: 'ann', userName: 'Ann', connections: 1 };
  const bob = { userId: 'bob', userName: 'Bob', connections: 0, state: { editing: 't1' } };

  it('lists the participants, and adds and removes users', async () => {
    const onUserJoined = vi.fn();
    const onUserLeft = vi.fn();
    const client = new Client({ getToken: async () => jwt(3600) });
    const { plan } = watch(client, 'demo', { onUserJoined, onUserLeft });
    await settled();
    last()
      .hello()
      .answer('demo', 1, { participants: [ann, bob] });
    expect([plan.participants, plan.participantCount]).toEqual([[ann, bob], 2]);
    last().say({ type: 'join-plan', planId: 'demo', data: { userId: 'cy', userName: 'Cy', participantCount: 3 } });
    expect(plan.participants.map((p) => p.userId)).toEqual(['ann', 'bob', 'cy']);
    expect(onUserJoined).toHaveBeenCalledExactlyOnceWith({ userId: 'cy', userName: 'Cy', participantCount: 3 });
    last().say({ type: 'leave-plan', planId: 'demo', data: { userId: 'bob', participantCount: 2 } });
    expect([plan.participants.map((p) => p.userId), plan.participantCount]).toEqual([['ann', 'cy'], 2]);
    expect(onUserLeft).toHaveBeenCalledExactlyOnceWith({ userId: 'bob', participantCount: 2 });
  });

  it('a returned list is never modified', async () => {
    const { plan } = await live(1, { participants: [ann] });
    const before = plan.participants;
    last().say({ type: 'presence-updated', planId: 'demo', data: { userId: 'ann', state: { editing: 't2' } } });
    expect([before, plan.participants]).toEqual([[ann], [{ ...ann, state: { editing: 't2' } }]]);
    last().say({ type: 'presence-updated', planId: 'demo', data: { userId: 'ann', state: null } });
    expect(plan.participants[0].state).toBe(undefined);
    last().say({ type: 'presence-updated', planId: 'demo', data: { userId: 'nobody', state: {} } });
    expect(plan.participants.length).toBe(1);
  });

  it('a crowded plan has only a count', async () => {
    const onUserJoined = vi.fn();
    const client = new Client({ getToken: async () => jwt(3600) });
    const { plan } = watch(client, 'demo', { onUserJoined });
    await settled();
    last()
      .hello()
      .answer('demo', 1, { participants: [ann], participantCount: 1 });
    last().say({ type: 'join-plan', planId: 'demo', data: { participantCount: 431 } });
    expect([plan.participants, plan.participantCount, onUserJoined.mock.calls]).toEqual([[], 431, []]);
  });

  it('a user in the grace period who is not reported as left counts as present', async () => {
    const { plan } = await live(1, { participants: [ann, bob] });
    await advance(6_000);
    expect(plan.participants[1].connections).toBe(1);
  });

  it('the participants remain listed during a reconnect, until the grace period ends', async () => {
    const { client, plan } = await live(1, { participants: [ann, bob] });
    last().end(1006);
    await advance(500);
    expect([plan.status, plan.participants, plan.participantCount]).toEqual(['connecting', [ann, bob], 2]);
    last()
      .hello()
      .answer('demo', 1, { recovered: true, participants: [ann] });
    expect(plan.participants).toEqual([ann]);
    await advance(7_000);
    expect(plan.participants).toEqual([ann]);

    last().end(1006);
    await advance(3_000);
    last().end(1006); // another failure does not extend it
    await advance(2_999);
    expect(plan.participantCount).toBe(1);
    await advance(1);
    expect([plan.participants, plan.participantCount]).toEqual([[], 0]);
    client.disconnect();
  });

  it('a plan that is denied or disconnected has no participants', async () => {
    const { plan } = await live(1, { participants: [ann] });
    last().say({ type: 'removed', planId: 'demo', data: { reason: 'access ended', retry: false } });
    expect([plan.participants, plan.participantCount]).toEqual([[], 0]);
    const other = await live(1, { participants: [ann] });
    other.client.disconnect();
    expect(other.plan.participantCount).toBe(0);
  });

  it('its own state is sent at most once in 250 ms, and again after a reconnect', async () => {
    const { plan } = await live();
    for (let i = 0; i < 20; i++) plan.setPresence({ typing: i });
    await advance(250);
    expect(last().of('update-presence')).toEqual([
      { type: 'update-presence', planId: 'demo', data: { state: { typing: 19 } } },
    ]);
    await reconnect();
    expect(last().of('update-presence')).toEqual([]);
    last().answer('demo', 10, { recovered: true });
    expect(last().of('update-presence')[0].data.state).toEqual({ typing: 19 });
    plan.setPresence(undefined);
    await advance(250);
    expect(last().of('update-presence')[1].data.state).toBe(null);
    await reconnect();
    last().answer('demo', 10, { recovered: true });
    expect(last().of('update-presence')).toEqual([]);
  });

  it('a state that is set before the answer, or cleared during an outage, is sent', async () => {
    const { plan } = await setup();
    plan.setPresence({ editing: 't1' });
    last().answer('demo', 10);
    expect(last().of('update-presence').length).toBe(1);
    last().event('demo', 13, 12);
    plan.setPresence(null);
    last().answer('demo', 10, { recovered: true });
    expect(last().of('update-presence')[1].data.state).toBe(null);
  });

  it('equal states are sent once', async () => {
    const { plan } = await live();
    for (const state of [{ a: 1 }, { a: 1 }, { a: 2 }, { a: 1 }]) {
      plan.setPresence(state);
      await advance(250);
    }
    plan.setPresence({ a: 2 });
    plan.setPresence({ a: 1 });
    await advance(250);
    expect(
      last()
        .of('update-presence')
        .map((m) => m.data.state.a),
    ).toEqual([1, 2, 1]);
    last().event('demo', 13, 12); // a gap: the server still has the state
    last().answer('demo', 10, { recovered: true });
    await advance(1_000);
    expect(last().of('update-presence').length).toBe(3);
  });

  it('a state refused by the rate limit is sent again', async () => {
    FakeSocket.pongs = true;
    const { plan } = await live();
    const refuse = () =>
      last().say({ type: 'error', planId: 'demo', data: { code: 'rate_limited', message: '', re: 'update-presence' } });
    plan.setPresence({ a: 1 });
    await advance(250);
    refuse();
    await advance(1_999);
    expect(last().of('update-presence').length).toBe(1);
    await advance(9_000); // the server counts refusals in 10 s
    expect(
      last()
        .of('update-presence')
        .map((m) => m.data.state),
    ).toEqual([{ a: 1 }, { a: 1 }]);
    plan.setPresence(null);
    await advance(250);
    refuse();
    await advance(11_000);
    expect(
      last()
        .of('update-presence')
        .map((m) => m.data.state),
    ).toEqual([{ a: 1 }, { a: 1 }, null, null]);
  });

  it.each([
    [
      'cyclic',
      () => {
        const a = {};
        a.self = a;
        return a;
      },
    ],
    ['a BigInt', () => 1n],
    ['a function', () => () => {}],
    ['over 1,024 bytes', () => 'ä'.repeat(512)],
  ])('a state that is %s throws to the caller, and changes nothing', async (_, state) => {
    const { plan, received } = await setup();
    expect(() => plan.setPresence(state())).toThrow(TypeError);
    last().answer('demo', 10);
    await settled();
    expect([plan.status, received, last().of('update-presence')]).toEqual(['live', ['load joined 10'], []]);
    expect(() => plan.setPresence(state())).toThrow(TypeError);
    plan.setPresence('ä'.repeat(511)); // 1,024 bytes with the quotes
    await advance(250);
    expect(last().of('update-presence').length).toBe(1);
  });

  it('of two subscriptions the last one set wins; when it is cleared or leaves, the other is sent', async () => {
    const { client, plan } = await live();
    const second = watch(client, 'demo', { since: { epoch: 'e1', seq: 10 } }).plan;
    const shown = async () => {
      await advance(250);
      return last().of('update-presence').at(-1).data.state;
    };
    plan.setPresence('first');
    second.setPresence('second');
    expect(await shown()).toBe('second');
    second.setPresence(null);
    expect(await shown()).toBe('first');
    second.setPresence('second');
    plan.setPresence('first again');
    expect(await shown()).toBe('first again');
    plan.leave();
    expect(await shown()).toBe('second');
    second.setPresence(null);
    expect(await shown()).toBe(null);
  });

  // The server's rule, of wire.md: a token bucket of 10 a second with a burst of 128.
  it('5 plans with presence on each mouse move for 5 minutes stay below the rate limit', async () => {
    FakeSocket.pongs = true;
    const c = await connected();
    const plans = Array.from({ length: 5 }, (_, i) => c.join(`p${i}`));
    for (const p of plans) last().answer(p.planId, 1);
    await settled();
    let tokens = 128;
    let filledAt = Date.now();
    let refused = 0;
    const send = last().send.bind(last());
    last().send = (text) => {
      tokens = Math.min(128, tokens + (Date.now() - filledAt) / 100);
      filledAt = Date.now();
      if (tokens < 1) refused++;
      else tokens--;
      send(text);
    };
    for (let i = 0; i < 5 * 60 * 20; i++) {
      plans.forEach((p) => p.setPresence({ x: i, in: p.planId }));
      await advance(50);
      if (i === 199) expect(last().of('update-presence').length).toBeLessThan(100); // in 10 s
    }
    expect([refused, sockets.length, tokens > 100]).toEqual([0, 1, true]);
    const shown = last()
      .of('update-presence')
      .slice(-50)
      .map((m) => m.planId);
    // In turn.
    for (const p of plans) expect(shown.filter((id) => id === p.planId).length).toBeGreaterThanOrEqual(8);
    await advance(2_000);
    for (const p of plans)
      expect(
        last()
          .of('update-presence')
          .findLast((m) => m.planId === p.planId).data.state.x,
      ).toBe(5_999);
  });

  it('200 joins at once stay below the rate limit, and rate_limited slows the client down', async () => {
    FakeSocket.pongs = true;
    const c = await connected();
    for (let i = 0; i < 200; i++) c.join(`p${i}`);
    expect(last().of('join-plan').length).toBeLessThan(128);
    await advance(11_500);
    expect(
      last()
        .of('join-plan')
        .map((m) => m.planId),
    ).toEqual(Array.from({ length: 200 }, (_, i) => `p${i}`));
    last().answer('p0', 1);
    last().say({ type: 'error', planId: 'p0', data: { code: 'rate_limited', message: '', re: 'update-presence' } });
    const sent = last().sent.length;
    for (let i = 0; i < 20; i++) c.join(`q${i}`);
    await advance(1_000);
    expect(last().sent.length - sent).toBeLessThanOrEqual(10);
  });
});
