// The client in a browser, against a real server: what must be the same in all browsers.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Server, signingKey } from '../server.js';
import { launch } from './launch.js';
import { Proxy } from './proxy.js';

let server;
let proxy;

async function post(path, body, headers = {}) {
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body), headers });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

const token = async (user = 'alice', ttl = '15m') => (await post('/api/login', { user, ttl })).token;
const addTask = async (title) =>
  post('/api/plans/demo/tasks', { title }, { Authorization: `Bearer ${await token('carol')}` });

/** Starts the client in a page of the server's origin on which nothing else runs. */
async function start(page) {
  await page.goto(`${proxy.url}/icon.svg`);
  await page.evaluate(async () => {
    const { Client } = await import('/planrooms/planrooms.js');
    window.loads = 0;
    window.titles = [];
    window.states = [];
    window.client = new Client({
      getToken: async () =>
        (await (await fetch('/api/login', { method: 'POST', body: '{"user":"alice"}' })).json()).token,
    });
    window.client.on('change', ({ state, error }) => window.states.push([state, error?.code]));
    window.plan = window.client.join('demo', {
      load: () => {
        window.loads++;
      },
      onEvent: (event) => {
        if (event.data.task) window.titles.push(event.data.task.title);
      },
    });
  });
  await live(page);
}

const live = (page, timeout = 30_000) => page.waitForFunction(() => window.plan.status === 'live', { timeout });
const lost = (page, timeout = 45_000) => page.waitForFunction(() => window.plan.status !== 'live', { timeout });

/** Adds a task and waits until the page has its event. */
async function follows(page, title) {
  await addTask(title);
  await page.waitForFunction((t) => window.titles.includes(t), { timeout: 30_000 }, title);
}

const closeOf = (page, query, messages = []) =>
  page.evaluate(
    (q, m) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws?${q}`, 'planrooms.v1');
        socket.onopen = () => m.forEach((text) => socket.send(text));
        socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
        window.socket = socket;
      }),
    query,
    messages,
  );

/** Declares the tests for one browser. */
export function testClient(name) {
  describe(name, { concurrency: false }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'planrooms-browsers-'));
    let browser;
    let page;
    before(async () => {
      server = await new Server('quickstart', { env: { QUICKSTART_SIGNING_KEY: signingKey(folder) } }).start();
      proxy = await new Proxy(server.url).start();
      browser = await launch(name);
    });
    after(async () => {
      await browser?.close();
      await proxy?.stop();
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const on = (title, f) =>
      test(title, { timeout: 120_000 }, async (t) => {
        page = await browser.newPage();
        try {
          await f(t);
        } finally {
          proxy.restore();
          await page.close();
        }
      });

    on('events arrive', async () => {
      await start(page);
      await follows(page, `${name}: first`);
    });

    on('a restart of the server', async () => {
      await start(page);
      await server.stop();
      await server.start();
      await lost(page);
      await live(page);
      await follows(page, `${name}: after the restart`);
      assert.equal(await page.evaluate(() => window.loads), 2, 'a new server has another epoch');
    });

    on('a network failure: no event is missed, and the plan is not loaded again', async () => {
      await start(page);
      proxy.cut();
      await lost(page);
      for (const i of [1, 2, 3]) await addTask(`${name}: while offline ${i}`);
      proxy.restore();
      await live(page, 60_000);
      await page.waitForFunction(() => window.titles.length >= 3);
      assert.deepEqual(
        await page.evaluate(() => window.titles),
        [1, 2, 3].map((i) => `${name}: while offline ${i}`),
      );
      assert.equal(await page.evaluate(() => window.loads), 1);
    });

    on('a proxy that goes silent without closing: live again, with a stated reason', async (t) => {
      await start(page);
      const begun = performance.now();
      proxy.silence();
      await addTask(`${name}: while silent`);
      await page.waitForFunction(() => window.titles.length > 0, { timeout: 60_000 });
      t.diagnostic(`after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      assert.ok(
        await page.evaluate(() => window.states.some(([, code]) => code === 'silent')),
        'the reason is not stated',
      );
    });

    on('a return from another page resumes the plan', async () => {
      await start(page);
      await page.goto(`${proxy.url}/planrooms/planrooms.js`);
      await addTask(`${name}: while away`);
      // page.goBack would wait for a load event, which a page from the cache does not get.
      await page.evaluate(() => {
        setTimeout(() => history.back());
      });
      await page.waitForFunction(() => location.pathname === '/icon.svg');
      // Chromium keeps the page in its back/forward cache and closes the socket. Firefox loads it
      // again.
      const kept = await page.evaluate(() => window.plan !== undefined);
      assert.equal(kept, name === 'chromium');
      if (!kept) return;
      await page.waitForFunction((t) => window.titles.includes(t), {}, `${name}: while away`);
      await follows(page, `${name}: back`);
      assert.equal(await page.evaluate(() => window.loads), 1);
    });

    on('close codes', async () => {
      await page.goto(`${proxy.url}/icon.svg`);
      assert.deepEqual(await closeOf(page, 'token=bad'), { code: 4401, wasClean: true });
      assert.deepEqual(await closeOf(page, `token=${await token()}`, Array(200).fill('{"type":"ping"}')), {
        code: 4429,
        wasClean: true,
      });
      assert.deepEqual(await closeOf(page, `token=${await token()}`, ['x'.repeat(40_000)]), {
        code: 1009,
        wasClean: true,
      });
      const closed = closeOf(page, `token=${await token()}`, [
        '{"type":"ping"}',
        '{"type":"join-plan","planId":"demo"}',
      ]);
      await page.waitForFunction(() => window.socket.readyState === 1);
      await server.stop();
      assert.deepEqual(await closed, { code: 4503, wasClean: true });
      await server.start();
    });

    on("the page of the quickstart under its policy script-src 'self'", async () => {
      const violations = [];
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) violations.push(message.text());
      });
      await page.goto(proxy.url);
      await page.waitForFunction(() => document.body.textContent.includes('Live'));
      assert.deepEqual(violations, []);
    });
  });
}
