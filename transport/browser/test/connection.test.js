import { describe, expect, it, vi } from 'vitest';
import { Client } from '../planrooms.js';
import { FakeSocket, jwt, last, settled, sockets, useFakes } from './fake.js';

useFakes();

const advance = (ms) => vi.advanceTimersByTimeAsync(ms);

function client(options = {}) {
  const getToken = vi.fn(async () => jwt(3600));
  const c = new Client({ getToken, ...options });
  c.getToken = options.getToken ?? getToken;
  return c;
}

async function connected(options) {
  const c = client(options);
  c.connect();
  await settled();
  last().hello();
  return c;
}

describe('idle -> connecting', () => {
  it('nothing happens before it is wanted', async () => {
    const c = client();
    await settled();
    expect([c.state, sockets.length, c.getToken.mock.calls.length, vi.getTimerCount()]).toEqual(['idle', 0, 0, 0]);
  });

  it('asks for a token and offers it as a subprotocol', async () => {
    const c = client({ clientId: 'tab-1', getToken: () => 'a+b/c~?>' });
    c.connect();
    expect(c.state).toBe('connecting');
    await settled();
    expect(last().url.href).toBe('wss://app.test/ws?client=tab-1');
    expect(last().protocols[0]).toBe('planrooms.v1');
    expect(last().protocols[1]).toMatch(/^base64url\.bearer\.planrooms\.[A-Za-z0-9_-]+$/);
    expect(last().token()).toBe('a+b/c~?>');
  });

  it('keeps the query of the url', async () => {
    client({ url: 'http://other.test/live?v=2' }).connect();
    await settled();
    expect(last().url.href).toMatch(/^ws:\/\/other\.test\/live\?v=2&client=[0-9a-f]{32}$/);
  });

  it('connects once, however often it is told to', async () => {
    const c = client();
    c.connect();
    c.connect();
    c.join('demo');
    await settled();
    expect(sockets.length).toBe(1);
  });
});

describe('connecting -> connected', () => {
  it('with the hello, not with the open socket', async () => {
    const c = client();
    c.connect();
    await settled();
    expect(c.state).toBe('connecting');
    last().hello();
    expect([c.state, c.error]).toEqual(['connected', null]);
  });

  it('says something even without a plan, since the server does not keep who says nothing', async () => {
    await connected();
    expect(last().sent).toEqual([{ type: 'ping' }]);
  });
});

describe('connecting -> idle', () => {
  it.each([[null], [undefined], ['']])('without a token (%o): nobody is logged in', async (token) => {
    const c = client({ getToken: async () => token });
    c.connect();
    await settled();
    expect([c.state, c.error?.code, sockets.length, vi.getTimerCount()]).toEqual(['idle', 'unauthenticated', 0, 0]);
  });

  it('disconnect while the token is fetched: no socket comes of it', async () => {
    let give;
    const c = client({ getToken: () => new Promise((resolve) => { give = resolve; }) });
    c.connect();
    c.disconnect();
    give('token');
    await settled();
    expect([c.state, c.error, sockets.length]).toEqual(['idle', null, 0]);
  });

  it('disconnect while the socket opens: it is closed, and what it says is not heard', async () => {
    const c = client();
    c.connect();
    await settled();
    c.disconnect();
    expect(last().closed).toBe(1000);
    last().hello();
    last().end(1006);
    expect(c.state).toBe('idle');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('connecting -> waiting', () => {
  it('when the token cannot be fetched', async () => {
    const c = client({ getToken: async () => { throw new Error('no network'); } });
    c.connect();
    await settled();
    expect([c.state, c.error]).toEqual(['waiting', { code: 'failed', message: 'Error: no network' }]);
    expect(c.retryAt).toBeGreaterThanOrEqual(Date.now());
  });

  it('when getToken throws outright', async () => {
    const c = client({ getToken: () => { throw new Error('bug'); } });
    c.connect();
    await settled();
    expect(c.state).toBe('waiting');
  });

  it('when no socket can be made', async () => {
    FakeSocket.refuse = true;
    const c = client();
    c.connect();
    await settled();
    expect([c.state, c.error?.code]).toEqual(['waiting', 'failed']);
  });

  it('when the handshake fails', async () => {
    const c = client();
    c.connect();
    await settled();
    last().end(1006);
    expect([c.state, c.error]).toEqual(['waiting', { code: 1006, message: 'as the close frame says' }]);
  });

  it('when nothing comes within 20 s, token included', async () => {
    const c = client({ getToken: () => new Promise(() => {}) });
    c.connect();
    await advance(19_999);
    expect(c.state).toBe('connecting');
    await advance(1);
    expect([c.state, c.error?.code]).toEqual(['waiting', 'timeout']);
  });

  it('a token that comes after the time-out is not used for the attempt that is over', async () => {
    const give = [];
    const c = client({ getToken: () => new Promise((resolve) => { give.push(resolve); }) });
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    c.connect();
    await advance(20_000);
    give[0]('late');
    await settled();
    expect([c.state, sockets.length]).toEqual(['waiting', 0]);
  });
});

describe('waiting -> connecting', () => {
  it('backs off with full jitter, from 500 ms to 30 s, without a limit', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    const c = client();
    c.connect();
    const waits = [];
    for (let i = 0; i < 12; i++) {
      await settled();
      last().end(1006);
      waits.push(c.retryAt - Date.now());
      await vi.advanceTimersToNextTimerAsync();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000, 30000]);
    random.mockReturnValue(0.25);
    await settled();
    last().end(1006);
    expect(c.retryAt - Date.now()).toBe(7500);
  });

  it('what the server says wins, and focus does not jump its queue', async () => {
    const c = await connected();
    last().end(4503, { retryAfterMs: 7000 });
    expect([c.state, c.retryAt - Date.now(), c.error]).toEqual(['waiting', 7000, { code: 4503, message: 'as the server says' }]);
    await advance(6999);
    expect(sockets.length).toBe(1);
    await advance(1);
    expect(sockets.length).toBe(2);
  });

  it('starts anew after 5 s of a live plan, not before', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    const c = client();
    c.join('demo');
    for (const [live, wait] of [[0, 500], [4999, 1000], [5000, 500]]) {
      await settled();
      last().hello().answer('demo', 1);
      await advance(live);
      last().end(1006);
      expect(c.retryAt - Date.now()).toBe(wait);
      await advance(wait);
    }
  });

  it('a limit of attempts, if the program sets one', async () => {
    const c = client({ maxAttempts: 2 });
    c.connect();
    for (let i = 0; i < 3; i++) {
      await settled();
      last().end(1006);
      await advance(30_000);
    }
    expect([c.state, c.error?.code, sockets.length, vi.getTimerCount()]).toEqual(['idle', 1006, 3, 0]);
  });

  it('at once when told to', async () => {
    const c = await connected();
    last().end(4503, { retryAfterMs: 60_000 });
    c.reconnect();
    await settled();
    expect([c.state, sockets.length]).toEqual(['connecting', 2]);
  });
});

describe('connected -> waiting or idle', () => {
  // Each close code as the server's goodbye has it, and alone.
  it.each([1000, 1001, 1005, 1006, 1011, 1012, 4408, 4429, 4500, 4503, 4508, 4999])('%i alone: comes back', async (code) => {
    const c = await connected();
    last().end(code);
    expect(c.state).toBe('waiting');
  });

  it.each([1003, 1007, 1009, 4400, 4403, 4409])('%i alone: final', async (code) => {
    const c = await connected();
    last().end(code);
    expect([c.state, c.error?.code, vi.getTimerCount()]).toEqual(['idle', code, 0]);
    await advance(3_600_000);
    expect(sockets.length).toBe(1);
  });

  it('4409 by a handshake of its own, given up and served late, is not', async () => {
    const c = client();
    c.connect();
    await advance(20_000); // without an answer
    await advance(250);
    last().hello();
    last().end(4409, { reconnect: false });
    expect([c.state, sockets.length]).toEqual(['waiting', 2]);
    await advance(500);
    last().hello();
    FakeSocket.pongs = true;
    await advance(60_000);
    last().end(4409, { reconnect: false });
    expect([c.state, sockets.length]).toEqual(['idle', 3]);
  });

  it('the goodbye wins over the code', async () => {
    const c = await connected();
    last().end(4999, { reconnect: false });
    expect(c.state).toBe('idle');
  });

  it('reconnect starts after a final end', async () => {
    const c = await connected();
    last().end(4403, { reconnect: false });
    c.reconnect();
    await settled();
    last().hello();
    expect([c.state, c.error, sockets.length]).toEqual(['connected', null, 2]);
  });

  it('disconnect closes with 1000 and leaves nothing', async () => {
    const c = await connected();
    c.disconnect();
    expect([c.state, last().closed, vi.getTimerCount()]).toEqual(['idle', 1000, 0]);
  });
});

describe('tokens', () => {
  it('4401: a new token at once; a second in a row is final', async () => {
    const c = await connected();
    last().end(4401, { reauth: true });
    expect([c.state, c.error?.code]).toEqual(['connecting', 4401]);
    await settled();
    expect(sockets.length).toBe(2);
    last().end(4401, { reauth: true });
    expect([c.state, c.error?.code, vi.getTimerCount()]).toEqual(['idle', 4401, 0]);
    expect(c.getToken.mock.calls.map(([r]) => r.reason)).toEqual(['connect', 'rejected']);
  });

  it('4401 without a goodbye is the same', async () => {
    const c = await connected();
    last().end(4401);
    await settled();
    last().end(4401);
    expect(c.state).toBe('idle');
  });

  it('a hello between two 4401 makes them two single ones', async () => {
    const c = await connected();
    for (let i = 0; i < 3; i++) {
      last().end(4401, { reauth: true });
      await settled();
      last().hello();
    }
    expect([c.state, sockets.length]).toEqual(['connected', 4]);
  });

  it('is used again while it lasts', async () => {
    const c = await connected();
    last().end(1006);
    await advance(500);
    expect([sockets.length, c.getToken.mock.calls.length]).toEqual([2, 1]);
  });

  it('is not kept for who comes after a disconnect', async () => {
    const getToken = vi.fn().mockImplementationOnce(async () => jwt(3600)).mockImplementation(async () => 'of somebody else');
    const c = await connected({ getToken });
    c.disconnect();
    c.connect();
    await settled();
    expect(last().token()).toBe('of somebody else');
  });

  it('is fetched anew before an attempt when its end is near', async () => {
    const c = await connected({ getToken: vi.fn(async () => jwt(29)) });
    last().end(1006);
    await advance(500);
    expect([sockets.length, c.getToken.mock.calls.length]).toEqual([2, 2]);
  });

  it.each([
    ['a JWT', () => jwt(120)],
    ['milliseconds', () => ({ token: 'opaque', expiresAt: Date.now() + 120_000 })],
    ['RFC 3339', () => ({ token: 'opaque', expiresAt: new Date(Date.now() + 120_000).toISOString() })],
  ])('is renewed on the open connection 30 s before its end: %s', async (_, token) => {
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

  it("goes by the server's clock", async () => {
    FakeSocket.skew = -3_600_000; // an hour behind ours
    await connected({ getToken: async () => jwt(120) });
    await advance(1_000);
    expect(last().of('authenticate')).toEqual([]);
  });

  it('short ones are renewed at half time, but not more often than the server allows', async () => {
    await connected({ getToken: async () => jwt(12) });
    await advance(6_000);
    expect(last().of('authenticate').length).toBe(1);
    last().say({ type: 'authenticate', data: { success: true, expiresAt: new Date(Date.now() + 12_000).toISOString() } });
    await advance(10_400);
    expect(last().of('authenticate').length).toBe(1);
    await advance(200);
    expect(last().of('authenticate').length).toBe(2);
  });

  it.each([['opaque', 'opaque'], ['h.e30.s', 'without exp'], [{ token: 'x', expiresAt: undefined }, 'an object without an end']])('%o (%s) is not renewed', async (token) => {
    FakeSocket.pongs = true;
    await connected({ getToken: async () => token });
    await advance(86_400_000);
    expect(last().of('authenticate')).toEqual([]);
  });

  it('one that ends later than a timer reaches is not renewed at once', async () => {
    FakeSocket.pongs = true;
    const day = 86_400_000;
    const getToken = vi.fn(async () => jwt(30 * day / 1000));
    await connected({ getToken });
    await advance(10_000);
    expect(getToken).toHaveBeenCalledTimes(1);
    // 30 days of beats would take long: what is under way is looked at, and the clock is set.
    const timer = vi.spyOn(globalThis, 'setTimeout');
    last().say({ type: 'authenticate', data: { success: true, expiresAt: new Date(Date.now() + 30 * day).toISOString() } });
    const [[run, wait]] = timer.mock.calls;
    expect(wait).toBe(2 ** 31 - 1);
    vi.setSystemTime(Date.now() + wait);
    run();
    expect(getToken).toHaveBeenCalledTimes(1);
    expect(timer.mock.calls[1][1]).toBe(30 * day - 30_000 - wait);
    timer.mockRestore();
  });

  it('an end without a time: never again', async () => {
    FakeSocket.pongs = true;
    await connected({ getToken: async () => jwt(60) });
    await advance(30_000);
    last().say({ type: 'authenticate', data: { success: true, expiresAt: null } });
    await advance(86_400_000);
    expect(last().of('authenticate').length).toBe(1);
  });

  it('logged out when it is to be renewed: stops', async () => {
    const getToken = vi.fn().mockImplementationOnce(async () => jwt(60)).mockResolvedValue(null);
    const c = await connected({ getToken });
    await advance(30_000);
    expect([c.state, c.error?.code, last().closed, vi.getTimerCount()]).toEqual(['idle', 'unauthenticated', 1000, 0]);
  });

  it('a renewal that fails is tried again', async () => {
    FakeSocket.pongs = true;
    const getToken = vi.fn().mockImplementationOnce(async () => jwt(60)).mockRejectedValueOnce(new Error('503')).mockImplementation(async () => jwt(60));
    const c = await connected({ getToken });
    await advance(30_000);
    expect(last().of('authenticate')).toEqual([]);
    await advance(5_000);
    expect([c.state, last().of('authenticate').length]).toEqual(['connected', 1]);
  });

  it('rate_limited: later', async () => {
    await connected({ getToken: async () => jwt(60) });
    await advance(30_000);
    last().say({ type: 'error', data: { code: 'rate_limited', message: '', re: 'authenticate' } });
    await advance(10_500);
    expect(last().of('authenticate').length).toBe(2);
  });

  it('renew, for a login that has changed: on the same connection', async () => {
    const c = await connected();
    c.renew();
    await settled();
    expect(c.getToken.mock.lastCall[0].reason).toBe('changed');
    expect([sockets.length, last().of('authenticate').length]).toEqual([1, 1]);
  });

  it("another user's: on a new one", async () => {
    const c = await connected();
    c.renew();
    await settled();
    last().say({ type: 'error', data: { code: 'bad_token', message: '', re: 'authenticate' } });
    await settled();
    expect([c.state, sockets.length, sockets[0].closed]).toEqual(['connecting', 2, 1000]);
  });

  it('renew while waiting connects with the new one; while idle it does nothing', async () => {
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
});

describe('signs of life', () => {
  it('asks after 25 s of silence, and gives up 10 s later', async () => {
    const c = await connected();
    await advance(24_999);
    expect(last().of('ping').length).toBe(1); // the first word
    await advance(1);
    expect(last().of('ping').length).toBe(2);
    await advance(9_999);
    expect(c.state).toBe('connected');
    await advance(1);
    expect([c.state, c.error?.code, sockets[0].closed]).toEqual(['waiting', 'silent', 1000]);
  });

  it('any message is one', async () => {
    const c = await connected();
    for (let i = 0; i < 20; i++) {
      await advance(20_000);
      last().event('demo', i + 1, i);
    }
    expect([c.state, last().of('ping').length]).toEqual(['connected', 1]);
    await advance(30_000);
    last().say({ type: 'pong' });
    await advance(24_000);
    expect(c.state).toBe('connected');
  });

  // Chrome lets the timers of a tab in background run once a minute; messages come as ever.
  it('a throttled tab is not declared dead', async () => {
    const c = await connected();
    FakeSocket.pongs = true;
    for (let minute = 0; minute < 30; minute++) {
      vi.setSystemTime(Date.now() + 55_000); // the timers that were due in the meantime run late
      await advance(5_000);
    }
    expect(last().of('ping').length).toBeGreaterThan(20);
    expect([c.state, sockets.length]).toEqual(['connected', 1]);
  });

  it('a throttled tab on a dead connection is, in the end', async () => {
    const c = await connected();
    for (let minute = 0; minute < 2; minute++) {
      expect(c.state).toBe('connected');
      vi.setSystemTime(Date.now() + 55_000);
      await advance(5_000);
    }
    expect([sockets[0].closed, c.error?.code]).toEqual([1000, 'silent']);
  });

  it('an answer behind a late timer in the queue counts', async () => {
    const c = await connected();
    await advance(25_000); // asked
    vi.setSystemTime(Date.now() + 40_000); // then everything stood still
    await vi.advanceTimersToNextTimerAsync();
    expect(c.state).toBe('connected');
    last().say({ type: 'pong' });
    await advance(10_000);
    expect([c.state, sockets.length]).toEqual(['connected', 1]);
  });

  it('after sleep the connection is replaced at once', async () => {
    const c = await connected();
    vi.setSystemTime(Date.now() + 3_600_000);
    await advance(5_000); // the next look at the clock
    expect([c.state, c.error?.code, sockets.length]).toEqual(['connecting', 'asleep', 2]);
    last().hello();
    expect(c.error).toBe(null);
  });
});

describe('what wakes it', () => {
  // Stands for window, where there is none.
  function window() {
    const target = new EventTarget();
    vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
    vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
    return (name) => target.dispatchEvent(new Event(name));
  }

  it.each(['online', 'focus', 'pageshow', 'visibilitychange'])('%s: connects at once instead of waiting', async (name) => {
    const fire = window();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const c = await connected();
    last().end(1006);
    fire(name);
    await settled();
    expect([c.state, sockets.length]).toEqual(['connecting', 2]);
  });

  it('not before the time that the server has given', async () => {
    const fire = window();
    const c = await connected();
    last().end(4503, { retryAfterMs: 9_000 });
    fire('focus');
    await settled();
    expect([c.state, sockets.length]).toEqual(['waiting', 1]);
  });

  it.each(['online', 'offline', 'focus'])('%s: a connection is asked, and has 3 s', async (name) => {
    const fire = window();
    const c = await connected();
    await advance(1_000);
    fire(name);
    fire(name);
    expect(last().of('ping').length).toBe(2);
    await advance(3_000);
    expect([c.state, c.error?.code]).toEqual(['waiting', 'silent']);
  });

  it('an answer is enough', async () => {
    const fire = window();
    const c = await connected();
    fire('focus');
    last().say({ type: 'pong' });
    await advance(20_000);
    expect(c.state).toBe('connected');
  });

  it('shortens the wait for an answer that is under way', async () => {
    const fire = window();
    const c = await connected();
    await advance(25_000);
    fire('online');
    await advance(3_000);
    expect(c.state).toBe('waiting');
  });

  it('after sleep: replaced without asking', async () => {
    const fire = window();
    const c = await connected();
    vi.setSystemTime(Date.now() + 3_600_000);
    fire('focus');
    await settled();
    expect([c.error?.code, sockets.length]).toEqual(['asleep', 2]);
  });

  it('not a page that is hidden, and nobody once it is idle', async () => {
    const fire = window();
    vi.stubGlobal('document', { visibilityState: 'hidden' });
    const c = await connected();
    fire('visibilitychange');
    expect(last().of('ping').length).toBe(1);
    vi.stubGlobal('document', { visibilityState: 'visible' });
    c.disconnect();
    fire('focus');
    await settled();
    expect([c.state, sockets.length]).toEqual(['idle', 1]);
  });
});
