// A host with sessions in a cookie, its bare page in a browser, and what the tests do there.

import { after, before, describe, test } from 'node:test';
import { Server } from '../server.js';
import { launch } from './launch.js';

// For waitForFunction: a tab in the background may draw no frame, so it looks at the clock instead.
export const WAIT = { timeout: 30_000, polling: 100 };

export const live = (page) => page.waitForFunction(() => window.plans.every(({ status }) => status === 'live'), WAIT);
export const post = (page, path, body = {}) => page.evaluate((...args) => window.post(...args), path, body);
export const seen = (page) => page.evaluate(() => window.seen);

/** Adds a task from this page, as the user that is logged in. */
export const add = (page, title, plan = 'one') => post(page, `/plans/${plan}/tasks`, { title });

/** Waits until the page has the event of a task. */
export const got = (page, title) => page.waitForFunction((t) => window.seen.titles.includes(t), WAIT, title);

/**
 * Opens the bare page of the host at url. In the page, `post` makes a request to the host at api;
 * `start` starts a client of that host and records in `seen` what happens to it.
 */
export async function open(context, url, api = url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(async (base) => {
    const { Client } = await import('/planrooms/planrooms.js');
    const request = async (path, options) => {
      const response = await fetch(base + path, { credentials: 'include', ...options });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return response.json();
    };
    window.post = (path, body) =>
      request(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...window.client?.headers() },
        body: JSON.stringify(body),
      });
    window.seen = { loads: 0, titles: [], receipts: 0, states: [], codes: [], errors: [], hellos: 0, pongs: 0 };
    class Recorded extends WebSocket {
      constructor(...args) {
        super(...args);
        this.addEventListener('open', () => {
          window.seen.hellos++;
        });
        this.addEventListener('close', ({ code }) => window.seen.codes.push(code));
        this.addEventListener('message', ({ data }) => {
          const message = JSON.parse(data);
          if (message.type === 'error') window.seen.errors.push(message.data.code);
          if (message.type === 'pong') window.seen.pongs++;
          window.dispatchEvent(new Event('received'));
        });
      }
    }
    window.start = (options, ids = ['one']) => {
      const client = (window.client = new Client({ url: `${base}/ws`, WebSocket: Recorded, ...options }));
      client.on('change', ({ state, error }) => window.seen.states.push([state, error?.code]));
      window.plans = ids.map((id) =>
        client.join(id, {
          load: async ({ signal }) => {
            const { position } = await request(`/plans/${id}`, { signal });
            window.seen.loads++;
            return position;
          },
          onEvent: ({ data }) => window.seen.titles.push(data.task.title),
          onReceipt: () => window.seen.receipts++,
        }),
      );
    };
  }, api);
  return page;
}

/** Logs in, and starts the client with the cookie. */
export async function start(page, { user = 'alice', ttl = '15m', ids = ['one'] } = {}) {
  await post(page, '/login', { user, ttl });
  await page.evaluate((plans) => window.start({ credentials: 'cookie' }, plans), ids);
}

/**
 * Declares tests for one browser, with a host and a browser for all of them. declare gets an object
 * with both, which is filled before the first test, and a function that declares a test with a
 * separate context, and so separate cookies. create returns another host than that of this file.
 */
export function withHost(name, title, concurrency, declare, create = () => new Server('host')) {
  describe(`${name}: ${title}`, { concurrency }, () => {
    const running = {};
    before(async () => {
      running.server = await create().start();
      running.browser = await launch(name);
    });
    after(async () => {
      await running.browser?.close();
      await running.server?.stop();
    });
    declare(running, (what, f, timeout = 120_000) =>
      test(what, { timeout }, async (t) => {
        const context = await running.browser.createBrowserContext();
        try {
          await f(context, t);
        } finally {
          await context.close();
        }
      }),
    );
  });
}
