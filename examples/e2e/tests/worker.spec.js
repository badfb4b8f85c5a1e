// The client in a web worker: the example of transport/browser/consumers in a browser, against a
// real server.

import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { rolldown } from 'rolldown';
import { Server, signingKey } from '../server.js';

const browser = new URL('../../../transport/browser/', import.meta.url);
const path = (name) => fileURLToPath(new URL(name, browser));

test('a web worker receives the events of a plan', async ({ page }, info) => {
  const server = await new Server('quickstart', {
    env: { QUICKSTART_SIGNING_KEY: signingKey(info.outputDir) },
  }).start();
  const token = async (user) => {
    const response = await fetch(`${server.url}/api/login`, { method: 'POST', body: JSON.stringify({ user }) });
    return (await response.json()).token;
  };
  const bundle = await rolldown({
    input: path('consumers/worker/worker.js'),
    resolve: { alias: { planrooms: path('planrooms.js') } },
  });
  const {
    output: [chunk],
  } = await bundle.generate({ format: 'es' });
  const script = (body) => (route) => route.fulfill({ contentType: 'text/javascript', ...body });
  await page.route('**/main.js', script({ path: path('consumers/worker/main.js') }));
  await page.route('**/worker.js', script({ body: chunk.code }));
  await page.route('**/token', async (route) => route.fulfill({ body: await token('alice') }));
  await page.goto(`${server.url}/planrooms/none`); // an empty document of the server
  await page.context().grantPermissions(['local-network-access']); // a routed script has no address
  await page.evaluate(() => {
    document.body.replaceChildren(Object.assign(document.createElement('script'), { type: 'module', src: '/main.js' }));
  });
  await expect(page.locator('body')).toContainText('live');

  const added = await fetch(`${server.url}/api/plans/demo/tasks`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await token('carol')}` },
    body: JSON.stringify({ title: 'Seen in a worker' }),
  });
  expect(added.status).toBe(201);
  await expect(page.locator('body')).toContainText('task-created Seen in a worker');

  await server.stop();
  await expect(page.locator('body')).toContainText(/live.*waiting/s);
  await server.start();
  await expect(page.locator('body')).toContainText(/waiting.*live/s, { timeout: 30_000 });
  expect(page.workers().length).toBe(1);
  await server.stop();
});
