import { describe, expect, it, vi } from 'vitest';
import { advance, client, connected } from './connecting.js';
import { FakeSocket, last, settled, sockets, useFakes } from './fake.js';

useFakes();

describe('idle -> connecting', () => {
  it('does nothing before the first join or connect', async () => {
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
    expect(last().url.href).toMatch(/^ws:\/\/other\.test\/live\?v=2&client=\d{20,40}$/);
  });

  it('connects once, however often connect is called', async () => {
    const c = client();
    c.connect();
    c.connect();
    c.join('demo');
    await settled();
    expect(sockets.length).toBe(1);
  });
});

describe('connecting -> connected', () => {
  it('is connected after the hello, not when the socket opens', async () => {
    const c = client();
    c.connect();
    await settled();
    expect(c.state).toBe('connecting');
    last().hello();
    expect([c.state, c.error]).toEqual(['connected', null]);
  });

  it('sends a message even without a plan, because the server closes silent connections', async () => {
    await connected();
    expect(last().sent).toEqual([{ type: 'ping' }]);
  });
});

describe('connecting -> idle', () => {
  it.each([[null], [undefined], ['']])('without a token (%o): no user is logged in', async (token) => {
    const c = client({ getToken: async () => token });
    c.connect();
    await settled();
    expect([c.state, c.error?.code, sockets.length, vi.getTimerCount()]).toEqual(['idle', 'unauthenticated', 0, 0]);
  });

  it('disconnect while the token is fetched: no socket is opened', async () => {
    let give;
    const c = client({
      getToken: () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    });
    c.connect();
    c.disconnect();
    give('token');
    await settled();
    expect([c.state, c.error, sockets.length]).toEqual(['idle', null, 0]);
  });

  it('disconnect while the socket opens: it is closed, and its messages are ignored', async () => {
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
    const c = client({
      getToken: async () => {
        throw new Error('no network');
      },
    });
    c.connect();
    await settled();
    expect([c.state, c.error]).toEqual(['waiting', { code: 'failed', message: 'Error: no network' }]);
    expect(c.retryAt).toBeGreaterThanOrEqual(Date.now());
  });

  it('when getToken throws synchronously', async () => {
    const c = client({
      getToken: () => {
        throw new Error('bug');
      },
    });
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

  it('when there is no hello within 20 s, including the time for the token', async () => {
    const c = client({ getToken: () => new Promise(() => {}) });
    c.connect();
    await advance(19_999);
    expect(c.state).toBe('connecting');
    await advance(1);
    expect([c.state, c.error?.code]).toEqual(['waiting', 'timeout']);
  });

  it('a token that arrives after the timeout is not used for the expired attempt', async () => {
    const give = [];
    const c = client({
      getToken: () =>
        new Promise((resolve) => {
          give.push(resolve);
        }),
    });
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

  it('the delay that the server sets takes precedence, and focus does not shorten it', async () => {
    const c = await connected();
    last().end(4503, { retryAfterMs: 7000 });
    expect([c.state, c.retryAt - Date.now(), c.error]).toEqual([
      'waiting',
      7000,
      { code: 4503, message: 'as the server says' },
    ]);
    await advance(6999);
    expect(sockets.length).toBe(1);
    await advance(1);
    expect(sockets.length).toBe(2);
  });

  it('the back-off resets after 5 s with a live plan, not before', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const c = client();
    c.join('demo');
    for (const [live, wait] of [
      [0, 500],
      [4999, 1000],
      [5000, 500],
    ]) {
      await settled();
      last().hello().answer('demo', 1);
      await advance(live);
      last().end(1006);
      expect(c.retryAt - Date.now()).toBe(wait);
      await advance(wait);
    }
  });

  it('the back-off also resets after 5 s without a plan', async () => {
    const c = await connected({ maxAttempts: 3 });
    FakeSocket.pongs = true;
    for (let i = 0; i < 8; i++) {
      await advance(3_600_000);
      last().end(1006);
      expect([c.state, c.retryAt - Date.now()]).toEqual(['waiting', 250]);
      await advance(250);
      last().hello();
    }
  });

  it('stops after the number of attempts that the program sets', async () => {
    const c = client({ maxAttempts: 2 });
    c.connect();
    for (let i = 0; i < 3; i++) {
      await settled();
      last().end(1006);
      await advance(30_000);
    }
    expect([c.state, c.error?.code, sockets.length, vi.getTimerCount()]).toEqual(['idle', 1006, 3, 0]);
  });

  it('connects immediately when reconnect is called', async () => {
    const c = await connected();
    last().end(4503, { retryAfterMs: 60_000 });
    c.reconnect();
    await settled();
    expect([c.state, sockets.length]).toEqual(['connecting', 2]);
  });
});

describe('connected -> waiting or idle', () => {
  // Each close code as the server's goodbye has it, and alone.
  it.each([1000, 1001, 1005, 1006, 1011, 1012, 4408, 4429, 4500, 4503, 4508, 4999])(
    'close code %i without a goodbye: reconnects',
    async (code) => {
      const c = await connected();
      last().end(code);
      expect(c.state).toBe('waiting');
    },
  );

  it.each([1003, 1007, 1009, 4400, 4403, 4409])('close code %i without a goodbye: final', async (code) => {
    const c = await connected();
    last().end(code);
    expect([c.state, c.error?.code, vi.getTimerCount()]).toEqual(['idle', code, 0]);
    await advance(3_600_000);
    expect(sockets.length).toBe(1);
  });

  it('4409 caused by an earlier handshake of the same client is not final', async () => {
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

  it('the goodbye takes precedence over the close code', async () => {
    const c = await connected();
    last().end(4999, { reconnect: false });
    expect(c.state).toBe('idle');
  });

  it.each([4403, 4409])(
    'a join does not restart a client after a final %i; reconnect, connect, renew, or a disconnect before the join do',
    async (code) => {
      const end = async () => {
        const c = client();
        const plan = c.join('demo');
        await settled();
        last().hello().end(code, { reconnect: false });
        return { c, plan };
      };
      const { c, plan } = await end();
      expect(c.join('other').status).toBe('stopped');
      plan.leave();
      await advance(2_000);
      c.join('third').leave();
      await advance(2_000);
      expect([c.state, c.error?.code]).toEqual(['idle', code]);
      for (const start of [
        (x) => x.reconnect(),
        (x) => x.connect(),
        (x) => x.renew(),
        (x) => {
          x.close();
          x.join('other');
        },
      ]) {
        const again = (await end()).c;
        start(again);
        await settled();
        last().hello();
        expect([again.state, again.error]).toEqual(['connected', null]);
        again.close();
      }
    },
  );

  it('reconnect connects after a final close', async () => {
    const c = await connected();
    last().end(4403, { reconnect: false });
    c.reconnect();
    await settled();
    last().hello();
    expect([c.state, c.error, sockets.length]).toEqual(['connected', null, 2]);
  });

  it('disconnect closes with 1000 and leaves no timer or listener', async () => {
    const c = await connected();
    c.disconnect();
    expect([c.state, last().closed, vi.getTimerCount()]).toEqual(['idle', 1000, 0]);
  });
});

describe('where it runs', () => {
  it.each([
    ['a worker from a blob', 'blob:https://app.test/5a2', undefined],
    ['a page from srcdoc', 'about:srcdoc', undefined],
    ['a file', 'file:///index.html', undefined],
    ['an invalid url', 'https://app.test/', 'http://'],
    ['a url without a scheme', 'https://app.test/', 'localhost:8080/ws'],
    ['a url of another scheme', 'https://app.test/', 'ftp://app.test/ws'],
  ])('%s: no base for the url, reported once', async (_, href, url) => {
    vi.stubGlobal('location', { href });
    const c = client({ url });
    const plan = c.join('demo');
    await advance(600_000);
    expect([plan.status, c.error, c.getToken.mock.calls.length, sockets.length]).toEqual([
      'stopped',
      { code: 'unsupported', message: 'no absolute http or ws url' },
      0,
      0,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('an absolute URL works without location', async () => {
    vi.stubGlobal('location', undefined);
    client({ url: 'https://app.test/ws' }).connect();
    await settled();
    expect(last().url.href).toMatch(/^wss:\/\/app\.test\/ws\?client=/);
  });

  it('without WebSocket: one error; with the WebSocket option: uses it', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const c = client();
    c.connect();
    await advance(60_000);
    expect([c.state, c.error]).toEqual(['idle', { code: 'unsupported', message: 'no WebSocket' }]);
    const passed = client({ WebSocket: FakeSocket });
    passed.connect();
    await settled();
    last().hello();
    expect(passed.state).toBe('connected');
  });

  it('a change listener that disconnects while connecting starts nothing', async () => {
    const c = client();
    c.on('change', () => {
      if (c.state === 'connecting') c.disconnect();
    });
    c.connect();
    await settled();
    expect([c.state, sockets.length, vi.getTimerCount()]).toEqual(['idle', 0, 0]);
  });
});
