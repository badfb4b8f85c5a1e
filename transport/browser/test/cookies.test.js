import { describe, expect, it, vi } from 'vitest';
import { advance, client } from './connecting.js';
import { FakeSocket, last, settled, sockets, useFakes } from './fake.js';

useFakes();

describe('cookie sessions', () => {
  const cookie = (options = {}) =>
    client({ getToken: undefined, credentials: 'cookie', clientId: 'tab-1', ...options });
  const open = async (options) => {
    FakeSocket.pongs = true;
    const c = cookie(options);
    const plan = c.join('demo');
    await settled();
    last().hello().answer('demo', 3);
    return { c, plan };
  };

  it('do not offer a token', async () => {
    const { c } = await open();
    expect([last().protocols, last().url.searchParams.get('client'), c.state]).toEqual([
      ['planrooms.v1'],
      'tab-1',
      'connected',
    ]);
  });

  it('reconnect with the same client ID when the server ends the session', async () => {
    const { c, plan } = await open();
    last().event('demo', 4, 3);
    last().end(4401, { reauth: true });
    await settled();
    expect([last().protocols, last().url.searchParams.get('client')]).toEqual([['planrooms.v1'], 'tab-1']);
    last().hello();
    expect(last().of('join-plan')[0].since.seq).toBe(4);
    sockets[0].end(4409, { reconnect: false }); // of the connection before
    expect([c.state, plan.status]).toEqual(['connected', 'recovering']);
  });

  it('that are refused: one retry after a pause, then final; renew restarts the client', async () => {
    const c = cookie();
    c.connect();
    await settled();
    last().end(4401, { reauth: true });
    expect(c.state).toBe('waiting');
    await advance(5_000);
    last().end(4401, { reauth: true });
    expect([c.state, c.error?.code, sockets.length]).toEqual(['idle', 4401, 2]);
    c.renew();
    await settled();
    expect([c.state, sockets.length]).toEqual(['connecting', 3]);
  });

  it('are renewed 30 s before the end that getExpiry returns', async () => {
    const getExpiry = vi.fn(async () => Date.now() + 600_000);
    const { c } = await open({ getExpiry });
    await advance(569_999);
    expect([sockets.length, getExpiry.mock.calls.map(([r]) => r.reason)]).toEqual([1, ['connect']]);
    await advance(1);
    expect([sockets.length, sockets[0].closed, getExpiry.mock.calls.map(([r]) => r.reason)]).toEqual([
      2,
      1000,
      ['connect', 'renew'],
    ]);
    last().hello();
    expect([c.state, last().of('join-plan').length, last().of('authenticate').length]).toEqual(['connected', 1, 0]);
  });

  it('that expire within seconds cause no new handshake before the server closes the connection', async () => {
    const getExpiry = vi.fn(async () => Math.floor(Date.now() / 1_000) + 600);
    const { c } = await open({ getExpiry });
    await advance(60_000);
    expect([c.state, sockets.length, getExpiry.mock.calls.length]).toEqual(['connected', 1, 1]);
    last().end(4401, { reauth: true });
    await settled();
    expect([sockets.length, getExpiry.mock.lastCall[0].reason]).toEqual([2, 'rejected']);
  });

  it('renew makes another handshake, and null means logged out', async () => {
    const getExpiry = vi.fn().mockResolvedValueOnce(undefined).mockResolvedValueOnce(undefined).mockResolvedValue(null);
    const { c } = await open({ getExpiry });
    c.renew();
    await settled();
    expect([sockets.length, getExpiry.mock.lastCall[0].reason]).toEqual([2, 'changed']);
    last().hello();
    c.renew();
    await settled();
    expect([c.state, c.error?.code, sockets.length]).toEqual(['idle', 'unauthenticated', 2]);
  });

  it.each([NaN, 'no time'])('an expiry that is not a time (%s) counts as unknown', async (end) => {
    await open({ getExpiry: async () => end });
    for (let i = 0; i < 60; i++) {
      await advance(1_000);
      last().hello();
    }
    expect(sockets.length).toBe(1);
  });

  it('a session that has already expired causes no loop', async () => {
    await open({ getExpiry: async () => Date.now() - 1_000 });
    for (let i = 0; i < 60; i++) {
      await advance(1_000);
      last().hello();
    }
    expect(sockets.length).toBeLessThan(15);
  });
});
