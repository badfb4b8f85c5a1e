import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { jwt, last, settled, useFakes } from './fake.js';

useFakes();

describe('the client', () => {
  it('reports changes, notices and errors to its listeners', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const reported = [];
    const offs = [
      client.on('change', (c) => reported.push(c.state)),
      client.on('notice', (m) => reported.push(m.type)),
      client.on('error', (e) => reported.push(e.code)),
    ];
    client.connect();
    await settled();
    last().hello();
    last().say({ type: 'assigned', data: { taskId: 't1' } });
    last().say({ type: 'error', data: { code: 'bad_message', message: '', re: '' } });
    last().say({ type: 'pong' });
    last().end(1006);
    expect(reported).toEqual(['connecting', 'connected', 'assigned', 'bad_message', 'waiting']);
    for (const off of offs) off();
    client.disconnect();
    expect(reported.length).toBe(5);
  });

  it('gives the headers for REST requests that make changes', () => {
    const client = new Client({ getToken: () => null, clientId: 'c' });
    expect(client.headers()).toEqual({ 'X-Plan-Client': 'c' });
    expect(client.headers('m')).toEqual({ 'X-Plan-Client': 'c', 'X-Plan-Mutation': 'm' });
    expect(new Client({ getToken: () => null }).clientId).toMatch(/^\d{20,40}$/);
  });

  it('works through a Proxy, such as Vue creates for reactive() or ref()', async () => {
    const wrap = (target) => new Proxy(target, { get: (t, name, receiver) => Reflect.get(t, name, receiver) });
    const client = wrap(new Client({ getToken: async () => jwt(3600) }));
    const plan = wrap(client.join('demo'));
    const off = client.on('notice', () => {});
    await settled();
    last().hello().answer('demo', 3);
    plan.setPresence({ a: 1 });
    await vi.advanceTimersByTimeAsync(250);
    expect([client.state, client.error, client.retryAt, plan.status, plan.position.seq, plan.planId]).toEqual([
      'connected',
      null,
      0,
      'live',
      3,
      'demo',
    ]);
    expect([plan.participants, plan.participantCount, plan.error, last().of('update-presence').length]).toEqual([
      [],
      0,
      null,
      1,
    ]);
    off();
    await client.renew();
    plan.leave();
    client.close();
    expect(client.state).toBe('idle');
    expect(client.constructor).toBe(Client);
  });

  it('its methods work when they are detached from it', async () => {
    const { join, close } = new Client({ getToken: async () => jwt(3600) });
    const { leave } = join('demo');
    leave();
    close();
  });

  it('renew does not connect a client without a plan, even after a final close', async () => {
    const client = new Client({ getToken: async () => jwt(3600) });
    const plan = client.join('demo');
    await settled();
    last().hello().end(4403, { reconnect: false });
    plan.leave();
    await vi.advanceTimersByTimeAsync(1_500);
    await client.renew();
    expect([client.state, client.error?.code]).toEqual(['idle', 4403]);
  });

  it.each([
    ['neither', {}],
    ['no options', undefined],
    ['both', { getToken: () => null, credentials: 'cookie' }],
  ])('requires getToken or credentials: %s throws', (_, options) => {
    expect(() => new Client(options)).toThrow("pass either getToken or credentials: 'cookie'");
  });
});
