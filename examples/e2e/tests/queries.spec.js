// The hook with React and TanStack Query on a busy plan, in a browser and against a real server.

import { fileURLToPath } from 'node:url';
import { expect, test as base } from '@playwright/test';
import { rolldown } from 'rolldown';
import { Server, signingKey } from '../server.js';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const CHANGES = 24;

let script;

const test = base.extend({
  server: async ({}, use, info) => {
    const server = await new Server('quickstart', { env: { QUICKSTART_SIGNING_KEY: signingKey(info.outputDir) } }).start();
    await use(server);
    await server.stop();
  },
});

test.beforeAll(async () => {
  const bundle = await rolldown({
    input: path('../pages/busy.jsx'),
    resolve: { alias: { '/planrooms/react.js': path('../../../transport/browser/react.js'), react: path('../node_modules/react') } },
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    onLog() {},
  });
  const { output: [chunk] } = await bundle.generate({ format: 'es' });
  script = chunk.code;
});

async function token(server, user) {
  const response = await fetch(`${server.url}/api/login`, { method: 'POST', body: JSON.stringify({ user }) });
  return (await response.json()).token;
}

// open runs the page in an empty document of the server: Chromium lets no other one connect to it.
async function open(page, server, ms) {
  await page.route('**/busy.js', (route) => route.fulfill({ contentType: 'text/javascript', body: script }));
  await page.goto(`${server.url}/planrooms/none?ms=${ms}&token=${await token(server, 'alice')}`);
  await page.evaluate(() => {
    document.body.innerHTML = '<div id="root"></div>';
    document.body.append(Object.assign(document.createElement('script'), { type: 'module', src: '/busy.js' }));
  });
  await expect(page.getByRole('status')).toHaveText('live');
}

for (const [ms, every] of [[600, 500], [300, 200], [1_200, 900]]) {
  test(`fetches of ${ms} ms and an event each ${every} ms: the list follows, late queries and route loaders get their data`, async ({ page, server }) => {
    await open(page, server, ms);
    const headers = { Authorization: `Bearer ${await token(server, 'carol')}` };
    await page.evaluate(() => { window.shown.first.clear(); });
    let route;
    for (let i = 1; i <= CHANGES; i++) {
      const { status } = await fetch(`${server.url}/api/plans/demo/tasks`, { method: 'POST', headers, body: JSON.stringify({ title: `Task ${i}` }) });
      expect(status).toBeLessThan(300);
      if (i === 4) {
        route = page.evaluate(() => window.load());
        await page.evaluate(() => window.mountLate());
      }
      await page.waitForTimeout(every); // the pace of the events
    }
    // While the events came. Two fetches and 1.5 s bring each change, so the list has changed
    // several times.
    const during = await page.evaluate(() => ({ first: window.shown.first.size, late: window.shown.late.size }));
    expect(during.first).toBeGreaterThanOrEqual(Math.floor((CHANGES * every) / (2 * ms + 1_500)));
    expect(during.late).toBeGreaterThan(1);
    expect(await route).toBe('loaded');
    for (const name of ['first', 'late']) {
      await expect(page.getByRole('list', { name }).getByText(`Task ${CHANGES}`, { exact: true })).toBeVisible();
    }
  });
}
