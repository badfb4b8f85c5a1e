// The hook with React and TanStack Query on a plan whose events do not pause.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { Server } from '../server.js';
import { withHost } from './host.js';

const TIMEOUT = { timeout: 45_000 };

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Bundles the page with the client of this repository. */
async function bundle() {
  const built = await rolldown({
    input: path('../pages/busy.jsx'),
    resolve: {
      alias: {
        '/planrooms/react.js': path('../../../transport/browser/react.js'),
        react: path('../node_modules/react'),
      },
    },
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    onLog() {},
  });
  const {
    output: [{ code }],
  } = await built.generate({ format: 'iife' });
  return code;
}

async function post(server, path, body, headers) {
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body), headers });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

const token = async (server, user) => (await post(server, '/api/login', { user })).token;

/** Adds tasks at a pace until `stop`. */
class Events {
  last;
  #running = true;
  #every;
  #ended;

  constructor(server, headers, every) {
    this.#every = every;
    this.#ended = this.#run(server, headers);
    this.#ended.catch(() => {}); // next and stop report it
  }

  /** Waits for another task, and returns its title. */
  async next() {
    const before = this.last;
    while (this.last === before) await Promise.race([pause(this.#every), this.#ended]);
    return this.last;
  }

  async #run(server, headers) {
    for (let i = 1; this.#running; i++) {
      const title = `Task ${i}, one each ${this.#every} ms`;
      const pace = pause(this.#every); // begins before the request, which may take a while
      await post(server, '/api/plans/demo/tasks', { title }, headers);
      this.last = title;
      await pace;
    }
  }

  stop() {
    this.#running = false;
    return this.#ended;
  }
}

/** Opens the page in a document of the server, since Chromium lets no other one connect to it. */
async function open(context, { url }, parameters, script) {
  const page = await context.newPage();
  await page.goto(`${url}/planrooms/none?${new URLSearchParams(parameters)}`);
  await page.evaluate(() => {
    document.body.innerHTML = '<div id="root"></div>';
  });
  await page.evaluate(script); // the policy of the server would block a script element
  await page.waitForFunction(() => document.querySelector('[role=status]')?.textContent === 'live', TIMEOUT);
  return page;
}

/** Waits until a list of the page has a task. */
const shows = (page, list, title) =>
  page.waitForFunction(
    (l, t) => [...document.querySelectorAll(`ul[aria-label=${l}] li`)].some(({ textContent }) => textContent === t),
    TIMEOUT,
    list,
    title,
  );

/** Declares the tests for one browser. */
export function testQueries(name) {
  withHost(
    name,
    'queries',
    false,
    (running, on) => {
      for (const [ms, every] of [
        [600, 500],
        [300, 200],
        [1_200, 900],
      ]) {
        on(
          `fetches of ${ms} ms and an event each ${every} ms: the list follows, late queries and route loaders get their data`,
          async (context) => {
            const { server } = running;
            const page = await open(context, server, { ms, token: await token(server, 'alice') }, await bundle());
            const events = new Events(server, { Authorization: `Bearer ${await token(server, 'carol')}` }, every);
            // More events come while it waits.
            const follows = async (list) => shows(page, list, await events.next());
            try {
              await follows('first');
              await page.evaluate(() => {
                window.mountLate();
                window.load().then((end) => {
                  window.loaded = end;
                });
              });
              await page.waitForFunction(() => window.loaded !== undefined, TIMEOUT);
              assert.equal(await page.evaluate(() => window.loaded), 'loaded');
              for (let i = 0; i < 2; i++) for (const list of ['late', 'first']) await follows(list);
            } finally {
              await events.stop();
            }
            for (const list of ['first', 'late']) await shows(page, list, events.last);
          },
          300_000,
        );
      }
    },
    () => new Server('quickstart'),
  );
}
