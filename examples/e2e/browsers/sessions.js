// Logins and origins, against a real host with sessions in a cookie.

import assert from 'node:assert/strict';
import { Server } from '../server.js';
import { add, got, live, open, post, seen, start, WAIT, withHost } from './host.js';

/** Declares the tests for one browser. */
export function testSessions(name) {
  withHost(name, 'sessions', false, (running, on) => {
    on('a session in an HttpOnly cookie: renewals lose no event, and the plan loads once', async (context, t) => {
      const page = await open(context, running.server.url);
      await page.evaluate(async () => {
        let { expiresAt } = await window.post('/login', { user: 'alice', ttl: '12s' });
        window.start({
          credentials: 'cookie',
          getExpiry: async ({ reason }) => {
            if (reason !== 'connect') ({ expiresAt } = await window.post('/refresh'));
            return expiresAt;
          },
        });
      });
      await live(page);
      assert.equal(await page.evaluate(() => document.cookie), '', 'scripts can read the cookie');

      // Another context has another cookie, which does not end.
      const other = await running.browser.createBrowserContext();
      const writer = await open(other, running.server.url);
      await post(writer, '/login', { user: 'bob' });
      const titles = [];
      while ((await seen(page)).hellos < 4) {
        titles.push(`task ${titles.length}`);
        await add(writer, titles.at(-1));
        // The history of the host has 256 events.
        if (titles.length > 100) await got(page, titles.at(-100));
      }
      await got(page, titles.at(-1));
      await other.close();
      const end = await seen(page);
      t.diagnostic(`${titles.length} events, ${end.hellos} connections`);
      assert.deepEqual(end.titles, titles);
      assert.equal(end.loads, 1);
      assert.ok(
        end.states.every(([, code]) => code === undefined),
        `not only renewals: ${JSON.stringify(end.states)}`,
      );
      assert.ok(!end.codes.includes(4401), 'the server ended a session');
      assert.deepEqual(end.errors, []);
    });

    on('a session that the page refreshes: the server ends the old one, and the client resumes', async (context) => {
      const page = await open(context, running.server.url);
      await start(page, { ttl: '10s' });
      await live(page);
      await post(page, '/login', { user: 'alice' }); // the cookie has a longer session now
      await page.waitForFunction(() => window.seen.hellos === 2, WAIT);
      await live(page);
      const end = await seen(page);
      assert.deepEqual(end.codes, [4401]);
      assert.equal(end.loads, 1);
    });

    on('a login restored after the first render: renew makes the client live', async (context) => {
      const page = await open(context, running.server.url);
      await page.evaluate(() => {
        window.start({
          getToken: async ({ signal }) => {
            const response = await fetch('/token', { method: 'POST', signal });
            return response.status === 401 ? null : response.json();
          },
        });
      });
      await page.waitForFunction(() => window.plans[0].status === 'stopped', WAIT);
      assert.equal(await page.evaluate(() => window.plans[0].error.code), 'unauthenticated');
      await page.evaluate(async () => {
        await window.post('/login', { user: 'alice' });
        window.client.renew();
      });
      await live(page);
      await add(page, 'restored');
      await page.waitForFunction(() => window.seen.receipts === 1, WAIT);
    });

    on('a logout in another tab ends the client with a stated reason', async (context) => {
      const page = await open(context, running.server.url);
      await start(page);
      await live(page);
      const second = await open(context, running.server.url);
      await add(second, 'before the logout');
      await got(page, 'before the logout');
      await post(second, '/logout');
      await page.waitForFunction(() => window.plans[0].status === 'stopped', WAIT);
      assert.deepEqual(await page.evaluate(() => window.plans[0].error), { code: 4403, message: 'disconnected' });

      // Another user logs in there and adds a task, which must not reach the first page.
      await start(second, { user: 'bob' });
      await live(second);
      const third = await open(context, running.server.url);
      await add(third, 'after the logout');
      await got(second, 'after the logout');
      const end = await seen(page);
      assert.deepEqual(end.titles, ['before the logout']);
      assert.deepEqual([end.hellos, end.codes], [1, [4403]]);
      assert.equal(await page.evaluate(() => window.plans[0].status), 'stopped');
    });

    on('a page of another origin, which the host allows', async (context) => {
      const allowing = await new Server('host', { args: ['-origin', running.server.url] }).start();
      try {
        const page = await open(context, running.server.url, allowing.url);
        await start(page);
        await live(page);
        const second = await open(context, allowing.url);
        await add(second, 'from its own origin');
        await got(page, 'from its own origin');
        await add(page, 'from the other origin');
        await page.waitForFunction(() => window.seen.receipts === 1, WAIT);
        assert.equal((await seen(page)).loads, 1);

        // The request headers that the README lists, and the position in a response header.
        const [fromHeader, fromBody] = await page.evaluate(async (base) => {
          const { positionOf } = await import('/planrooms/position.js');
          const response = await fetch(`${base}/plans/one`, {
            credentials: 'include',
            headers: {
              Authorization: 'Bearer none',
              'Content-Type': 'application/json',
              'X-Plan-Mutation': 'm1',
              ...window.client.headers(),
            },
          });
          return [positionOf(response), (await response.json()).position];
        }, allowing.url);
        assert.ok(fromBody.epoch);
        assert.deepEqual(fromHeader, fromBody);
      } finally {
        await allowing.stop();
      }
    });

    on('a page of another origin, which the host does not allow', async (context) => {
      const refusing = await new Server('host').start();
      try {
        // The cookie of a login belongs to the host name, so the browser sends it to each port.
        const own = await open(context, refusing.url);
        await post(own, '/login', { user: 'alice' });
        const page = await open(context, running.server.url, refusing.url);
        await page.evaluate(() => window.start({ credentials: 'cookie', maxAttempts: 2 }));
        await page.waitForFunction(() => window.plans[0].status === 'stopped', { ...WAIT, timeout: 60_000 });
        const end = await seen(page);
        assert.deepEqual([end.hellos, end.loads, end.titles], [0, 0, []]);
        assert.equal(await page.evaluate(() => window.plans[0].error.code), 1006);
        // Nor can it read or write over REST.
        await assert.rejects(add(page, 'not allowed'));
        assert.match(refusing.log, /origin/);
      } finally {
        await refusing.stop();
      }
    });
  });
}
