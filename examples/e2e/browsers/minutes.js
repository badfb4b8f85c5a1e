// What takes long: a mouse that moves all the time, and a hidden tab.

import assert from 'node:assert/strict';
import { launch } from './launch.js';
import { live, open, post, seen, start, withHost } from './host.js';

// How long the mouse moves. Without pacing the server closes the connection after 16 s.
const MINUTES = Number(process.env.MINUTES ?? 0.5);

/** Declares the tests for one browser. They run in parallel, in separate browsers. */
export function testMinutes(name) {
  withHost(name, 'minutes', 2, (running, on) => {
    on(
      'a hidden tab, whose timers the browser delays, stays live',
      async (_, t) => {
        const throttled = await launch(name, { throttled: true });
        t.after(() => throttled.close());
        const context = throttled.defaultBrowserContext();
        const page = await open(context, running.server.url);
        await start(page);
        await live(page);
        const front = await open(context, running.server.url);
        await front.bringToFront();
        const hidden = await page.evaluate(
          () =>
            new Promise((resolve) => {
              if (document.hidden) resolve(true);
              document.addEventListener('visibilitychange', () => resolve(document.hidden));
            }),
        );
        assert.ok(hidden);
        // Two pings of the client, each after a silence. The frames and timers of the page cannot be
        // used to wait for that.
        const slowest = await page.evaluate(
          () =>
            new Promise((resolve) => {
              const before = window.seen.pongs;
              let last = performance.now();
              let longest = 0;
              const timer = setInterval(() => {
                longest = Math.max(longest, performance.now() - last);
                last = performance.now();
              }, 100);
              window.addEventListener('received', () => {
                if (window.seen.pongs < before + 2) return;
                clearInterval(timer);
                resolve(longest);
              });
            }),
        );
        t.diagnostic(`a timer of 0.1 s took ${(slowest / 1000).toFixed(1)} s`);
        await post(front, '/plans/one/tasks', { title: 'while hidden' });
        await page.evaluate(
          () =>
            new Promise((resolve) => {
              const check = () => {
                if (window.seen.titles.includes('while hidden')) resolve();
              };
              window.addEventListener('received', () => queueMicrotask(check));
              check();
            }),
        );
        const end = await seen(page);
        assert.deepEqual([end.hellos, end.loads, end.codes], [1, 1, []]);
        assert.equal(await page.evaluate(() => window.plans[0].status), 'live');
      },
      300_000,
    );

    on(
      `five plans with presence on each mouse move, for ${MINUTES} min: the server never refuses a message`,
      async (context) => {
        const ids = ['p1', 'p2', 'p3', 'p4', 'p5'];
        const moves = Math.ceil((MINUTES * 60_000) / 16);
        const page = await open(context, running.server.url);
        await start(page, { ids });
        await live(page);
        const other = await running.browser.createBrowserContext();
        const viewer = await open(other, running.server.url);
        await start(viewer, { user: 'bob', ids });
        await live(viewer);
        await page.bringToFront(); // the timers of a hidden tab are slow
        await page.evaluate(
          (n) =>
            new Promise((resolve) => {
              let x = 0;
              const timer = setInterval(() => {
                x++;
                for (const plan of window.plans) plan.setPresence({ x });
                if (x < n) return;
                clearInterval(timer);
                resolve();
              }, 16);
            }),
          moves,
        );
        // The last state arrives.
        await viewer.waitForFunction(
          (x) => window.plans.every(({ participants }) => participants.some(({ state }) => state?.x === x)),
          { timeout: 30_000 },
          moves,
        );
        await other.close();
        const end = await seen(page);
        assert.deepEqual([end.hellos, end.codes, end.errors], [1, [], []]);
      },
      MINUTES * 120_000 + 120_000,
    );
  });
}
