import { describe, expect, it, vi } from 'vitest';
import { advance, client, connected } from './connecting.js';
import { FakeSocket, jwt, last, settled, sockets, useFakes } from './fake.js';

useFakes();

describe('tokens', () => {
  it.each([[{ reauth: true }], [undefined]])(
    '4401 (goodbye %o): retries with a new token immediately, then once more after a pause; then it is final',
    async (goodbye) => {
      const c = await connected();
      last().end(4401, goodbye);
      expect([c.state, c.error?.code]).toEqual(['connecting', 4401]);
      await settled();
      expect(sockets.length).toBe(2);
      last().end(4401, goodbye);
      expect([c.state, c.error?.code]).toEqual(['waiting', 4401]);
      await advance(499);
      expect(sockets.length).toBe(2);
      await advance(2_000);
      expect(sockets.length).toBe(3);
      last().end(4401, goodbye);
      expect([c.state, c.error?.code, vi.getTimerCount()]).toEqual(['idle', 4401, 0]);
      expect(c.getToken.mock.calls.map(([r]) => r.reason)).toEqual(['connect', 'rejected', 'rejected']);
    },
  );

  it('4401 for the first token: retries once after a pause; a second 4401 is final', async () => {
    const c = client();
    c.connect();
    await settled();
    last().end(4401, { reauth: true });
    expect(c.state).toBe('waiting');
    await advance(2_000);
    last().end(4401, { reauth: true });
    expect([c.state, sockets.length, c.getToken.mock.calls.length]).toEqual(['idle', 2, 2]);
  });

  it('after a hello, 4401 is never final, and the client backs off', async () => {
    FakeSocket.pongs = true;
    const c = await connected();
    for (let i = 0; i < 200; i++) {
      last().end(4401, { reauth: true });
      await settled();
      last().hello();
    }
    expect([c.state, sockets.length]).toEqual(['waiting', 2]);
    const delays = [];
    for (let i = 0; i < 9; i++) {
      const wait = c.retryAt - Date.now();
      delays.push(wait);
      await advance(wait);
      last().hello();
      last().end(4401, { reauth: true });
    }
    expect([delays.at(-1), sockets.length]).toEqual([15_500, 11]);
    await advance(20_000);
    last().hello();
    await advance(5_000); // a connection that lasts
    last().end(4401, { reauth: true });
    expect(c.state).toBe('connecting');
  });

  it('is reused until it expires', async () => {
    const c = await connected();
    last().end(1006);
    await advance(500);
    expect([sockets.length, c.getToken.mock.calls.length]).toEqual([2, 1]);
  });

  it('is not kept after a disconnect, when another user may log in', async () => {
    const getToken = vi
      .fn()
      .mockImplementationOnce(async () => jwt(3600))
      .mockImplementation(async () => 'of somebody else');
    const c = await connected({ getToken });
    c.disconnect();
    c.connect();
    await settled();
    expect(last().token()).toBe('of somebody else');
  });

  it('is fetched again before an attempt if it expires soon', async () => {
    const c = await connected({ getToken: vi.fn(async () => jwt(29)) });
    last().end(1006);
    await advance(500);
    expect([sockets.length, c.getToken.mock.calls.length]).toEqual([2, 2]);
  });

  it.each([
    ['a JWT', () => jwt(120)],
    ['milliseconds', () => ({ token: 'opaque', expiresAt: Date.now() + 120_000 })],
    ['RFC 3339', () => ({ token: 'opaque', expiresAt: new Date(Date.now() + 120_000).toISOString() })],
  ])('is renewed on the open connection 30 s before it expires: %s', async (_, token) => {
    FakeSocket.pongs = true;
    const getToken = vi.fn(async () => token());
    const c = await connected({ getToken });
    await advance(89_999);
    expect(last().of('authenticate')).toEqual([]);
    await advance(1);
    expect(last().of('authenticate').length).toBe(1);
    expect(getToken.mock.lastCall[0].reason).toBe('renew');

    const end = new Date(Date.now() + 600_000).toISOString();
    last().say({ type: 'authenticate', data: { success: true, expiresAt: end } });
    await advance(569_999);
    expect(last().of('authenticate').length).toBe(1);
    await advance(1);
    expect(last().of('authenticate').length).toBe(2);
    expect([c.state, sockets.length]).toEqual(['connected', 1]);
  });

  it('uses the clock of the server', async () => {
    FakeSocket.skew = -3_600_000; // an hour behind ours
    await connected({ getToken: async () => jwt(120) });
    await advance(1_000);
    expect(last().of('authenticate')).toEqual([]);
  });

  it('short-lived ones are renewed at half of their lifetime, but not more often than the server allows', async () => {
    await connected({ getToken: async () => jwt(12) });
    await advance(6_000);
    expect(last().of('authenticate').length).toBe(1);
    last().say({
      type: 'authenticate',
      data: { success: true, expiresAt: new Date(Date.now() + 12_000).toISOString() },
    });
    await advance(10_400);
    expect(last().of('authenticate').length).toBe(1);
    await advance(200);
    expect(last().of('authenticate').length).toBe(2);
  });

  it.each([
    ['opaque', 'opaque'],
    ['h.e30.s', 'without exp'],
    [{ token: 'x', expiresAt: undefined }, 'an object without an end'],
  ])('%o (%s) is not renewed', async (token) => {
    FakeSocket.pongs = true;
    await connected({ getToken: async () => token });
    await advance(86_400_000);
    expect(last().of('authenticate')).toEqual([]);
  });

  it.each([
    ['a login response', { access_token: 'x' }],
    ['a number', 42],
    ['true', true],
    ['an object without its token', { token: undefined }],
    ['another type', { token: 5 }],
  ])('a value of the wrong type is an error, and never connects without a token: %s', async (_, token) => {
    const state = { token };
    const c = client({ getToken: async () => state.token });
    c.connect();
    await settled();
    expect([c.state, c.error, sockets.length]).toEqual([
      'waiting',
      { code: 'failed', message: 'TypeError: getToken returned no token' },
      0,
    ]);
    state.token = jwt(60);
    await advance(500);
    last().hello();
    state.token = token;
    await advance(30_000);
    expect([c.state, last().of('authenticate').length]).toEqual(['connected', 0]);
    state.token = jwt(600);
    await advance(5_000);
    expect([sockets.length, last().of('authenticate').length]).toEqual([1, 1]);
  });

  it.each([
    ['a null token', { token: null }],
    ['undefined', undefined],
  ])('%s: no user is logged in', async (_, token) => {
    const c = client({ getToken: async () => token });
    c.connect();
    await settled();
    expect([c.state, c.error?.code, sockets.length]).toEqual(['idle', 'unauthenticated', 0]);
  });

  it('an expiry that has passed when the server accepts the token is wrong, and counts as unknown', async () => {
    FakeSocket.pongs = true;
    const getToken = vi.fn(async () => ({ token: 'opaque', expiresAt: 3_600 }));
    const c = await connected({ getToken });
    await advance(3_600_000);
    expect([c.state, getToken.mock.calls.length, last().of('authenticate')]).toEqual(['connected', 1, []]);
  });

  it('one that expires after the longest timer is not renewed immediately', async () => {
    FakeSocket.pongs = true;
    const day = 86_400_000;
    const getToken = vi.fn(async () => jwt((30 * day) / 1000));
    await connected({ getToken });
    await advance(10_000);
    expect(getToken).toHaveBeenCalledTimes(1);
    // 30 days of beats would take long: what is under way is looked at, and the clock is set.
    const timer = vi.spyOn(globalThis, 'setTimeout');
    last().say({
      type: 'authenticate',
      data: { success: true, expiresAt: new Date(Date.now() + 30 * day).toISOString() },
    });
    const [[run, wait]] = timer.mock.calls;
    expect(wait).toBe(2 ** 31 - 1);
    vi.setSystemTime(Date.now() + wait);
    run();
    expect(getToken).toHaveBeenCalledTimes(1);
    expect(timer.mock.calls[1][1]).toBe(30 * day - 30_000 - wait);
    timer.mockRestore();
  });

  it('an expiry without a time: never renewed', async () => {
    FakeSocket.pongs = true;
    await connected({ getToken: async () => jwt(60) });
    await advance(30_000);
    last().say({ type: 'authenticate', data: { success: true, expiresAt: null } });
    await advance(86_400_000);
    expect(last().of('authenticate').length).toBe(1);
  });

  it('logged out at the time of the renewal: stops', async () => {
    const getToken = vi
      .fn()
      .mockImplementationOnce(async () => jwt(60))
      .mockResolvedValue(null);
    const c = await connected({ getToken });
    await advance(30_000);
    expect([c.state, c.error?.code, last().closed, vi.getTimerCount()]).toEqual(['idle', 'unauthenticated', 1000, 0]);
  });

  it('a renewal that fails is retried', async () => {
    FakeSocket.pongs = true;
    const getToken = vi
      .fn()
      .mockImplementationOnce(async () => jwt(60))
      .mockRejectedValueOnce(new Error('503'))
      .mockImplementation(async () => jwt(60));
    const c = await connected({ getToken });
    await advance(30_000);
    expect(last().of('authenticate')).toEqual([]);
    await advance(5_000);
    expect([c.state, last().of('authenticate').length]).toEqual(['connected', 1]);
  });

  it('rate_limited: renews later', async () => {
    await connected({ getToken: async () => jwt(60) });
    await advance(30_000);
    last().say({ type: 'error', data: { code: 'rate_limited', message: '', re: 'authenticate' } });
    await advance(10_500);
    expect(last().of('authenticate').length).toBe(2);
  });

  it('renew after a changed login: on the same connection', async () => {
    const c = await connected();
    c.renew();
    await settled();
    expect(c.getToken.mock.lastCall[0].reason).toBe('changed');
    expect([sockets.length, last().of('authenticate').length]).toEqual([1, 1]);
  });

  it('renew with a token of another user: on a new connection', async () => {
    const c = await connected();
    c.renew();
    await settled();
    last().say({ type: 'error', data: { code: 'bad_token', message: '', re: 'authenticate' } });
    await settled();
    expect([c.state, sockets.length, sockets[0].closed]).toEqual(['connecting', 2, 1000]);
  });

  it('renew while waiting connects with the new token; while disconnected it does nothing', async () => {
    const c = await connected();
    last().end(1006);
    c.renew();
    await settled();
    expect([sockets.length, c.getToken.mock.calls.length]).toEqual([2, 2]);
    c.disconnect();
    c.renew();
    await settled();
    expect([c.state, c.getToken.mock.calls.length]).toEqual(['idle', 2]);
  });

  it('renew while connecting starts again with the new token', async () => {
    const getToken = vi
      .fn()
      .mockImplementationOnce(() => new Promise(() => {}))
      .mockImplementation(async () => 'second');
    const c = client({ getToken });
    c.connect();
    c.renew();
    await settled();
    expect([getToken.mock.calls[0][0].signal.aborted, getToken.mock.calls.length, last().token()]).toEqual([
      true,
      2,
      'second',
    ]);
  });

  it.each([
    [
      'a page without a login',
      async (c) => {
        c.token = null;
      },
    ],
    [
      'a token refused twice',
      async () => {
        for (let i = 0; i < 2; i++) {
          last().end(4401);
          await advance(5_000);
        }
      },
    ],
    [
      'a user disconnected by the host',
      async () => {
        last().hello().end(4403, { reconnect: false });
      },
    ],
  ])('renew restarts a client that has ended: %s', async (_, end) => {
    const state = { token: 'first' };
    const c = client({ getToken: async () => state.token });
    if (_.includes('without')) state.token = null;
    const plan = c.join('demo');
    await settled();
    await end(state);
    expect([c.state, plan.status]).toEqual(['idle', 'stopped']);
    state.token = 'second';
    c.renew();
    await settled();
    expect([c.state, last().token()]).toEqual(['connecting', 'second']);
    last().hello();
    expect([plan.status, last().of('join-plan').length]).toEqual(['joining', 1]);
  });

  it.each(['the same user', 'another user'])(
    'renew joins denied plans again, after the server has accepted the login of %s',
    async (user) => {
      const c = await connected();
      const plan = c.join('demo');
      last().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: '', re: 'join-plan' } });
      c.renew();
      await settled();
      expect([plan.status, last().of('join-plan').length]).toEqual(['denied', 1]);
      if (user === 'the same user') last().say({ type: 'authenticate', data: { success: true, expiresAt: null } });
      else {
        last().say({ type: 'error', data: { code: 'bad_token', message: '', re: 'authenticate' } });
        await settled();
        last().hello();
      }
      expect([plan.status, last().of('join-plan').at(-1)]).toEqual(['joining', { type: 'join-plan', planId: 'demo' }]);
      last().answer('demo', 1);
      last().say({ type: 'removed', planId: 'demo', data: { reason: 'access ended', retry: false } });
      // The answer to a regular renewal.
      last().say({ type: 'authenticate', data: { success: true, expiresAt: null } });
      expect(plan.status).toBe('denied');
    },
  );

  it('unavailable: the connection stays open, and the renewal is retried until the token expires', async () => {
    FakeSocket.pongs = true;
    const c = await connected({ getToken: vi.fn(async () => jwt(60)) });
    await advance(30_000);
    for (let i = 1; i <= 3; i++) {
      expect(last().of('authenticate').length).toBe(i);
      last().say({ type: 'error', data: { code: 'unavailable', message: '', re: 'authenticate' } });
      expect(c.state).toBe('connected');
      await advance(10_499);
      expect(last().of('authenticate').length).toBe(i);
      await advance(1);
    }
    last().end(4401, { reauth: true });
    await settled();
    expect([c.state, sockets.length]).toEqual(['connecting', 2]);
  });
});

describe('a getToken that does not return', () => {
  it('is aborted when the connection attempt ends', async () => {
    const getToken = vi.fn(() => new Promise(() => {}));
    const c = client({ getToken });
    c.connect();
    const [[{ signal }]] = getToken.mock.calls;
    await advance(20_000);
    expect([signal.aborted, c.error?.code]).toEqual([true, 'timeout']);
  });

  it('is aborted after 30 s during a renewal, and called again', async () => {
    FakeSocket.pongs = true;
    const getToken = vi
      .fn()
      .mockImplementationOnce(async () => jwt(600))
      .mockImplementationOnce(() => new Promise(() => {}))
      .mockImplementation(async () => jwt(600));
    const c = await connected({ getToken });
    await advance(570_000);
    const { signal } = getToken.mock.lastCall[0];
    await advance(29_999);
    expect([getToken.mock.calls.length, signal.aborted]).toEqual([2, false]);
    await advance(5_001);
    expect([getToken.mock.calls.length, signal.aborted, c.state, last().of('authenticate').length]).toEqual([
      3,
      true,
      'connected',
      1,
    ]);
  });

  it('has the timeout that the program sets', async () => {
    const c = client({ getToken: () => new Promise(() => {}), timeoutMs: 3_000 });
    c.connect();
    await advance(3_000);
    expect([c.state, c.error]).toEqual(['waiting', { code: 'failed', message: 'Error: no answer' }]);
  });

  it('is called again when the server closes the connection meanwhile', async () => {
    FakeSocket.pongs = true;
    const getToken = vi
      .fn()
      .mockImplementationOnce(async () => jwt(60))
      .mockImplementationOnce(() => new Promise(() => {}))
      .mockImplementation(async () => jwt(60));
    await connected({ getToken });
    await advance(59_000);
    const { signal } = getToken.mock.lastCall[0];
    last().end(4401, { reauth: true });
    await settled();
    expect([signal.aborted, getToken.mock.lastCall[0].reason, sockets.length]).toEqual([true, 'rejected', 2]);
  });
});
