import { describe, expect, it, vi } from 'vitest';
import { advance, client, connected } from './connecting.js';
import { FakeSocket, last, settled, sockets, useFakes } from './fake.js';
import { reconnect, setup } from './watching.js';

useFakes();

describe('dead connections', () => {
  it('pings after 25 s of silence, and reconnects 10 s later', async () => {
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

  it('any message counts as a sign of life', async () => {
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
  it('the connection of a throttled tab is kept', async () => {
    const c = await connected();
    FakeSocket.pongs = true;
    for (let minute = 0; minute < 30; minute++) {
      vi.setSystemTime(Date.now() + 55_000); // the timers that were due in the meantime run late
      await advance(5_000);
    }
    expect(last().of('ping').length).toBeGreaterThan(20);
    expect([c.state, sockets.length]).toEqual(['connected', 1]);
  });

  it('a throttled tab detects a dead connection', async () => {
    const c = await connected();
    for (let minute = 0; minute < 2; minute++) {
      expect(c.state).toBe('connected');
      vi.setSystemTime(Date.now() + 55_000);
      await advance(5_000);
    }
    expect([sockets[0].closed, c.error?.code]).toEqual([1000, 'silent']);
  });

  it('an answer that is queued behind a late timer counts', async () => {
    const c = await connected();
    await advance(25_000); // asked
    vi.setSystemTime(Date.now() + 40_000); // then everything stood still
    await vi.advanceTimersToNextTimerAsync();
    expect(c.state).toBe('connected');
    last().say({ type: 'pong' });
    await advance(10_000);
    expect([c.state, sockets.length]).toEqual(['connected', 1]);
  });

  it('after the device slept, the connection is replaced immediately', async () => {
    const c = await connected();
    vi.setSystemTime(Date.now() + 3_600_000);
    await advance(5_000); // the next look at the clock
    expect([c.state, c.error?.code, sockets.length]).toEqual(['connecting', 'asleep', 2]);
    last().hello();
    expect(c.error).toBe(null);
  });

  it('a clock that is set back does not hide a dead connection', async () => {
    const c = await connected();
    vi.setSystemTime(Date.now() - 3_600_000);
    await advance(35_000);
    expect([c.state, c.error?.code]).toEqual(['waiting', 'silent']);
  });

  it('goodbye: waits 3 s for the close frame', async () => {
    const c = await connected();
    last().say({
      type: 'goodbye',
      data: { code: 4503, reason: 'bye', reconnect: true, reauth: false, retryAfterMs: 7_000 },
    });
    await advance(2_999);
    expect(c.state).toBe('connected');
    await advance(1);
    expect([c.state, c.error, c.retryAt - Date.now(), sockets[0].closed]).toEqual([
      'waiting',
      { code: 4503, message: 'bye' },
      7_000,
      1000,
    ]);
  });

  it('only denied plans: sends a message after a reconnect, because the server closes silent connections', async () => {
    await setup();
    last().say({ type: 'error', planId: 'demo', data: { code: 'forbidden', message: 'no', re: 'join-plan' } });
    await reconnect();
    expect(last().sent).toEqual([{ type: 'ping' }]);
  });
});

describe('browser events', () => {
  // Replaces window.
  function window() {
    const target = new EventTarget();
    vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
    vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
    return (name) => target.dispatchEvent(new Event(name));
  }

  it.each(['online', 'focus', 'pageshow', 'visibilitychange'])(
    '%s: connects immediately instead of waiting',
    async (name) => {
      const fire = window();
      vi.spyOn(Math, 'random').mockReturnValue(1);
      const c = await connected();
      last().end(1006);
      fire(name);
      await settled();
      expect([c.state, sockets.length]).toEqual(['connecting', 2]);
    },
  );

  it('no attempt before the retry delay of the server has passed', async () => {
    const fire = window();
    const c = await connected();
    last().end(4503, { retryAfterMs: 9_000 });
    fire('focus');
    await settled();
    expect([c.state, sockets.length]).toEqual(['waiting', 1]);
  });

  it.each(['online', 'offline', 'focus'])('%s: pings the connection, which has 3 s to answer', async (name) => {
    const fire = window();
    const c = await connected();
    await advance(1_000);
    fire(name);
    fire(name);
    expect(last().of('ping').length).toBe(2);
    await advance(3_000);
    expect([c.state, c.error?.code]).toEqual(['waiting', 'silent']);
  });

  it('an answer to that ping keeps the connection', async () => {
    const fire = window();
    const c = await connected();
    fire('focus');
    last().say({ type: 'pong' });
    await advance(20_000);
    expect(c.state).toBe('connected');
  });

  it('shortens the wait for a ping that is in flight', async () => {
    const fire = window();
    const c = await connected();
    await advance(25_000);
    fire('online');
    await advance(3_000);
    expect(c.state).toBe('waiting');
  });

  it('after the device slept: replaces the connection without a ping', async () => {
    const fire = window();
    const c = await connected();
    vi.setSystemTime(Date.now() + 3_600_000);
    fire('focus');
    await settled();
    expect([c.error?.code, sockets.length]).toEqual(['asleep', 2]);
  });

  it('online after a long outage: connects immediately, and resets the back-off', async () => {
    const fire = window();
    const c = await connected();
    for (let i = 0; i < 12; i++) {
      last().end(1006);
      await advance(15_000);
    }
    last().end(1006);
    expect(c.retryAt - Date.now()).toBe(15_000);
    const tried = sockets.length;
    fire('online');
    await settled();
    expect(sockets.length).toBe(tried + 1);
    last().end(1006); // the name server is not up yet
    expect(c.retryAt - Date.now()).toBe(250);
    for (let i = 0; i < 12; i++) {
      last().end(1006);
      await advance(30_000);
    }
    expect(c.state).toBe('connecting'); // without an answer
    fire('online');
    last().end(1006);
    expect(c.retryAt - Date.now()).toBe(250);
  });

  it('offline does not start an attempt', async () => {
    const fire = window();
    const c = await connected();
    last().end(1006);
    fire('offline');
    await settled();
    expect([c.state, sockets.length]).toEqual(['waiting', 1]);
  });

  it('online during a handshake: the handshake gets 2 s more, then a new attempt starts', async () => {
    const fire = window();
    const c = client();
    c.connect();
    await settled();
    await advance(10_000);
    fire('online');
    await advance(1_999);
    expect(sockets.length).toBe(1);
    await advance(1);
    expect([c.state, sockets.length, sockets[0].closed]).toEqual(['connecting', 2, 1000]);
    last().hello();
    await advance(10_000);
    expect([c.state, sockets.length]).toEqual(['connected', 2]);
  });

  it('a hidden page does not connect, and neither does an idle client', async () => {
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
