import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { advance } from './connecting.js';
import { jwt, last, settled, useFakes } from './fake.js';
import { live, reconnect, setup, watch } from './watching.js';

useFakes();

describe('presence', () => {
  const ann = { userId: 'ann', userName: 'Ann', connections: 1 };
  const bob = { userId: 'bob', userName: 'Bob', connections: 0, state: { editing: 't1' } };

  it('who is there, who comes and who goes', async () => {
    const onUserJoined = vi.fn();
    const onUserLeft = vi.fn();
    const client = new Client({ getToken: async () => jwt(3600) });
    const { plan } = watch(client, 'demo', { onUserJoined, onUserLeft });
    await settled();
    last().hello().answer('demo', 1, { participants: [ann, bob] });
    expect([plan.participants, plan.participantCount]).toEqual([[ann, bob], 2]);
    last().say({ type: 'join-plan', planId: 'demo', data: { userId: 'cy', userName: 'Cy', participantCount: 3 } });
    expect(plan.participants.map((p) => p.userId)).toEqual(['ann', 'bob', 'cy']);
    expect(onUserJoined).toHaveBeenCalledExactlyOnceWith({ userId: 'cy', userName: 'Cy', participantCount: 3 });
    last().say({ type: 'leave-plan', planId: 'demo', data: { userId: 'bob', participantCount: 2 } });
    expect([plan.participants.map((p) => p.userId), plan.participantCount]).toEqual([['ann', 'cy'], 2]);
    expect(onUserLeft).toHaveBeenCalledExactlyOnceWith({ userId: 'bob', participantCount: 2 });
  });

  it('a list is never modified', async () => {
    const { plan } = await live(1, { participants: [ann] });
    const before = plan.participants;
    last().say({ type: 'presence-updated', planId: 'demo', data: { userId: 'ann', state: { editing: 't2' } } });
    expect([before, plan.participants]).toEqual([[ann], [{ ...ann, state: { editing: 't2' } }]]);
    last().say({ type: 'presence-updated', planId: 'demo', data: { userId: 'ann', state: null } });
    expect(plan.participants[0].state).toBe(undefined);
    last().say({ type: 'presence-updated', planId: 'demo', data: { userId: 'nobody', state: {} } });
    expect(plan.participants.length).toBe(1);
  });

  it('a crowd is counted', async () => {
    const onUserJoined = vi.fn();
    const client = new Client({ getToken: async () => jwt(3600) });
    const { plan } = watch(client, 'demo', { onUserJoined });
    await settled();
    last().hello().answer('demo', 1, { participants: [ann], participantCount: 1 });
    last().say({ type: 'join-plan', planId: 'demo', data: { participantCount: 431 } });
    expect([plan.participants, plan.participantCount, onUserJoined.mock.calls]).toEqual([[], 431, []]);
  });

  it('who was about to come back and was not told to have left is there', async () => {
    const { plan } = await live(1, { participants: [ann, bob] });
    await advance(6_000);
    expect(plan.participants[1].connections).toBe(1);
  });

  it('nobody is known to be there without a connection', async () => {
    const { plan } = await live(1, { participants: [ann, bob] });
    last().end(1006);
    expect([plan.participants, plan.participantCount]).toEqual([[], 0]);
  });

  it('what we show is said once in 250 ms, and again after a reconnect', async () => {
    const { plan } = await live();
    for (let i = 0; i < 20; i++) plan.setPresence({ typing: i });
    await advance(250);
    expect(last().of('update-presence')).toEqual([{ type: 'update-presence', planId: 'demo', data: { state: { typing: 19 } } }]);
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

  it('what is shown before the answer, and taken away during a gap, arrives', async () => {
    const { plan } = await setup();
    plan.setPresence({ editing: 't1' });
    last().answer('demo', 10);
    expect(last().of('update-presence').length).toBe(1);
    last().event('demo', 13, 12);
    plan.setPresence(null);
    last().answer('demo', 10, { recovered: true });
    expect(last().of('update-presence')[1].data.state).toBe(null);
  });
});
