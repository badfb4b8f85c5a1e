// What the client and a bare WebSocket see of the server in a real browser.

import { expect, test as base } from '@playwright/test';
import { Server, signingKey } from '../server.js';
import { ofType, watchSockets } from '../sockets.js';

const test = base.extend({
  server: async ({}, use, info) => {
    const server = await new Server('quickstart', {
      env: { QUICKSTART_SIGNING_KEY: signingKey(info.outputDir) },
    }).start();
    await use(server);
    await server.stop();
  },
  // A page of the server's origin on which nothing runs.
  bare: async ({ page, server }, use) => {
    await page.goto(`${server.url}/icon.svg`);
    await use(page);
  },
});

async function token(server, user = 'alice', ttl = '15m') {
  const response = await fetch(`${server.url}/api/login`, { method: 'POST', body: JSON.stringify({ user, ttl }) });
  return (await response.json()).token;
}

// closeOf opens a WebSocket in the page, has it say something, and resolves to how it was closed.
const closeOf = (page, query, messages = []) =>
  page.evaluate(
    ([q, m]) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`/ws?${q}`, 'planrooms.v1');
        const goodbyes = [];
        socket.onopen = () => m.forEach((text) => socket.send(text));
        socket.onmessage = ({ data }) => {
          if (data.includes('"goodbye"')) goodbyes.push(JSON.parse(data).data);
        };
        socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean, goodbyes });
        window.socket = socket;
      }),
    [query, messages],
  );

const asSent = (code) => ({
  code,
  wasClean: true,
  reason: expect.stringMatching(/./),
  goodbyes: [expect.objectContaining({ code })],
});

test.describe('close codes reach CloseEvent.code as sent', () => {
  test('4401, for a bad token, no token, and an expired token', async ({ bare, server }) => {
    expect(await closeOf(bare, 'token=bad')).toEqual(asSent(4401));
    expect(await closeOf(bare, '')).toEqual(asSent(4401));
    expect(await closeOf(bare, `token=${await token(server, 'alice', '2s')}`, ['{"type":"ping"}'])).toEqual(
      asSent(4401),
    );
  });

  test('4429, for too many messages', async ({ bare, server }) => {
    const flood = Array(200).fill('{"type":"ping"}');
    const closed = await closeOf(bare, `token=${await token(server)}`, flood);
    expect(closed).toEqual(asSent(4429));
    expect(closed.goodbyes[0].retryAfterMs).toBeGreaterThanOrEqual(10_000);
  });

  test('4409, for a connection that was replaced', async ({ bare, context, server }) => {
    const query = `client=tab&token=${await token(server)}`;
    const first = closeOf(bare, query, ['{"type":"ping"}']);
    await bare.waitForFunction(() => window.socket?.readyState === 1);
    const other = await context.newPage();
    await other.goto(`${server.url}/icon.svg`);
    const second = closeOf(other, query, ['{"type":"ping"}']);
    expect(await first).toEqual(asSent(4409));
    await other.evaluate(() => window.socket.close(1000));
    expect(await second).toMatchObject({ code: 1000, wasClean: true });
  });

  test('4503, when the server goes down', async ({ bare, server }) => {
    const closed = closeOf(bare, `token=${await token(server)}`, ['{"type":"ping"}']);
    await bare.waitForFunction(() => window.socket?.readyState === 1);
    expect(await server.stop()).toBe(0);
    expect(await closed).toEqual(asSent(4503));
    await server.start();
  });

  test('1009, for a message that is too long', async ({ bare, server }) => {
    const closed = await closeOf(bare, `token=${await token(server)}`, ['x'.repeat(40_000)]);
    expect(closed).toEqual(asSent(1009));
  });
});

// start runs the client in the page, and keeps what it receives.
async function start(page, server, user = 'alice') {
  await page.evaluate(
    async (t) => {
      const { Client } = await import('/planrooms/planrooms.js');
      window.received = [];
      window.client = new Client({ getToken: () => t });
      window.plan = window.client.join('demo', {
        load: () => {
          window.received.push('load');
        },
        onEvent: (e) => window.received.push(e.seq),
      });
    },
    await token(server, user),
  );
  await page.waitForFunction(() => window.plan.status === 'live');
}

async function addTask(server, title) {
  const t = await token(server, 'carol');
  await fetch(`${server.url}/api/plans/demo/tasks`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${t}` },
    body: JSON.stringify({ title }),
  });
}

// Chrome lets the timers of a hidden tab run once a minute.
test('the connection of a tab with throttled timers is kept for minutes', async ({ page, server }) => {
  await page.clock.install();
  const sockets = watchSockets(page);
  await page.goto(`${server.url}/icon.svg`);
  await start(page, server);
  for (let minute = 1; minute <= 5; minute++) {
    const answered = ofType(sockets[0].received, 'pong').length;
    await page.clock.fastForward(60_000); // what was due runs once, late
    await expect.poll(() => ofType(sockets[0].received, 'pong').length).toBeGreaterThan(answered);
  }
  expect(await page.evaluate(() => window.plan.status)).toBe('live');
  expect(sockets.length).toBe(1);
});

test('after the laptop slept, the connection is replaced immediately', async ({ page, server }) => {
  await page.clock.install();
  const sockets = watchSockets(page);
  await page.goto(`${server.url}/icon.svg`);
  await start(page, server);
  await page.clock.fastForward('03:00:00');
  await expect.poll(() => sockets.length).toBe(2); // without waiting for an answer that cannot come
  await page.clock.resume();
  await page.waitForFunction(() => window.plan.status === 'live');
  expect(ofType(sockets[1].sent, 'join-plan')[0].since).toBeTruthy();
});

// The page stands still for longer than the server waits for a sign of life; the browser itself
// answers its pings.
test('a frozen page resumes from its position', async ({ page, server }) => {
  test.setTimeout(90_000);
  await page.goto(`${server.url}/icon.svg`);
  await start(page, server);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  for (let i = 0; i < 5; i++) await addTask(server, `while frozen ${i}`);
  await new Promise((resolve) => {
    setTimeout(resolve, 40_000);
  });
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await page.waitForFunction(() => window.plan.status === 'live' && window.received.length >= 11);
  const received = await page.evaluate(() => window.received);
  expect(received[0]).toBe('load');
  expect(received.slice(1)).toEqual(received.slice(1).toSorted((a, b) => a - b));
  // Five tasks and their progress, each once, and no second load.
  expect(new Set(received).size).toBe(11);
});

test('fifty fast joins and leaves leave no socket and no participant', async ({ page, server }) => {
  const sockets = watchSockets(page);
  await page.goto(`${server.url}/icon.svg`);
  await page.evaluate(
    async (t) => {
      const { Client } = await import('/planrooms/planrooms.js');
      window.client = new Client({ getToken: () => t });
      for (let i = 0; i < 50; i++) {
        const plan = window.client.join('demo', {});
        await new Promise((resolve) => {
          setTimeout(resolve, i % 10);
        });
        plan.leave();
      }
    },
    await token(server),
  );
  await expect.poll(() => page.evaluate(() => window.client.state)).toBe('idle');
  expect(sockets.length).toBe(1);
  await expect.poll(() => sockets[0].closed).toBe(true);
  const { rooms } = await (await fetch(`${server.url}/api/rooms`)).json();
  // A client that sends leave-plan does not linger.
  expect(rooms.filter((room) => room.participants > 0)).toEqual([]);
});
