import { expect, test as base } from '@playwright/test';
import { Server, signingKey } from '../server.js';
import { ofType, watchSockets } from '../sockets.js';

const test = base.extend({
  server: async ({}, use, info) => {
    const server = await new Server('quickstart', { env: { QUICKSTART_SIGNING_KEY: signingKey(info.outputDir) } }).start();
    await use(server);
    await server.stop();
  },
});

// The page has two panes, and each is a person with a token and a connection of its own.
class Pane {
  constructor(page, name) {
    this.page = page;
    this.root = page.getByRole('region', { name: `${name}’s view` }).or(page.locator(`section.pane[aria-label="${name}’s view"]`)).first();
    this.tasks = this.root.locator('ol.tasks > li.task');
    this.badge = this.root.locator('.badge');
    this.notice = this.root.locator('.notice');
  }

  titles() {
    return this.root.locator('ol.tasks > li.task .title').allTextContents();
  }

  task(title) {
    return this.tasks.filter({ has: this.page.locator('.title', { hasText: title }) });
  }

  async add(title) {
    await this.root.getByPlaceholder('Add a task').fill(title);
    await this.root.getByRole('button', { name: 'Add', exact: true }).click();
  }

  button(name) {
    return this.root.getByRole('button', { name, exact: true });
  }

  live() {
    return expect(this.badge).toHaveText('Live');
  }
}

async function open(context, server) {
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  const sockets = watchSockets(page);
  await page.goto(server.url);
  const alice = new Pane(page, 'Alice');
  const bob = new Pane(page, 'Bob');
  await alice.live();
  await bob.live();
  return { page, alice, bob, errors, sockets };
}

// An API user who is no page.
async function login(server, user) {
  const response = await fetch(`${server.url}/api/login`, { method: 'POST', body: JSON.stringify({ user }) });
  const { token } = await response.json();
  return async (method, path, body) => {
    const answer = await fetch(server.url + path, { method, headers: { Authorization: `Bearer ${token}` }, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  };
}

// On a machine with nothing else to do it is some 50 ms. The limit is for a busy one.
const soon = { timeout: 5_000 };

test('each of the five changes appears in the other pane, in a second tab too, and once in the own', async ({ context, server }) => {
  const one = await open(context, server);
  const two = await open(context, server); // the second tab of both
  const others = [one.bob, two.alice, two.bob];

  await one.alice.add('Paint the fence');
  await Promise.all([one.alice, ...others].map((p) => expect(p.task('Paint the fence')).toHaveCount(1, soon)));
  await Promise.all([one.alice, ...others].map((p) => expect(p.root.locator('.done')).toContainText(/^\d+ of \d+ done$/, soon)));

  await one.alice.task('Paint the fence').locator('.status').click();
  await one.alice.task('Paint the fence').locator('.status').click();
  await Promise.all(others.map((p) => expect(p.task('Paint the fence')).toHaveAttribute('data-status', 'completed', soon)));

  const before = await one.bob.titles();
  await one.alice.task('Paint the fence').hover();
  await one.alice.task('Paint the fence').locator('.up').click();
  const moved = [...before];
  moved.splice(-1, 0, moved.pop());
  for (const p of [one.alice, ...others]) await expect.poll(() => p.titles(), soon).toEqual(moved);

  await one.alice.task('Paint the fence').hover();
  await one.alice.task('Paint the fence').locator('.delete').click();
  await Promise.all([one.alice, ...others].map((p) => expect(p.task('Paint the fence')).toHaveCount(0, soon)));

  // The tab that made a change hears of it as a receipt, every other one as the event.
  const types = ['task-created', 'task-updated', 'task-reordered', 'task-deleted'];
  const sockets = [one, two].flatMap((tab) => tab.sockets);
  const author = one.sockets.find((s) => ofType(s.received, 'pong')[0].data.userId === 'alice'); // either pane may connect first
  const rest = sockets.filter((s) => s !== author);
  expect(ofType(author.received, 'receipt').length).toBe(5);
  for (const type of types) expect(ofType(author.received, type)).toEqual([]);
  for (const socket of rest) {
    expect(ofType(socket.received, 'receipt')).toEqual([]);
    for (const type of types) expect(ofType(socket.received, type).length).toBe(type === 'task-updated' ? 2 : 1);
    expect(ofType(socket.received, 'progress-updated').length).toBe(4);
  }
  expect(ofType(author.received, 'progress-updated').length).toBe(4);
  expect([...one.errors, ...two.errors]).toEqual([]);
});

test('network off for a while: what was missed comes in order, without a reload', async ({ browser, server }) => {
  const context = await browser.newContext();
  const { page, alice, sockets } = await open(context, server);
  await page.evaluate(() => { window.sameDocument = true; });
  const change = await login(server, 'carol');
  const loads = [];
  page.on('request', (r) => { if (r.method() === 'GET' && r.url().endsWith('/api/plans/demo')) loads.push(r.url()); });

  await context.setOffline(true);
  const titles = Array.from({ length: 20 }, (_, i) => `missed ${i}`);
  for (const title of titles) await change('POST', '/api/plans/demo/tasks', { title });
  await expect(alice.badge).toContainText('Offline');
  await context.setOffline(false);

  await alice.live();
  await expect.poll(async () => (await alice.titles()).slice(-20)).toEqual(titles);
  await expect(alice.notice).toHaveText('Resumed: 40 missed events received.'); // each task and its progress
  expect(await page.evaluate(() => window.sameDocument)).toBe(true);
  expect(loads).toEqual([]);
  const resumed = sockets.findLast((s) => ofType(s.received, 'join-plan').some((m) => m.data.recovered));
  const seqs = resumed.received.filter((m) => m.seq > 0).map((m) => m.seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  await context.close();
});

test('network off beyond the history: one load, and it is right', async ({ browser, server }) => {
  const context = await browser.newContext();
  const { page, alice, bob } = await open(context, server);
  const change = await login(server, 'carol');
  const loads = [];
  page.on('request', (r) => { if (r.method() === 'GET' && r.url().endsWith('/api/plans/demo')) loads.push(r.url()); });

  await context.setOffline(true);
  const { tasks: [task] } = await change('GET', '/api/plans/demo');
  for (let i = 0; i < 160; i++) await change('PATCH', `/api/tasks/${task.id}`, { title: `changed ${i}` }); // 320 events
  await expect(alice.badge).toContainText('Offline');
  await context.setOffline(false);

  await alice.live();
  await bob.live();
  for (const pane of [alice, bob]) {
    await expect(pane.notice).toHaveText('Loaded anew: what was missed is no longer to be had.');
    await expect.poll(async () => (await pane.titles())[0]).toBe('changed 159');
  }
  expect(loads.length).toBe(2); // one for each pane
  await change('PATCH', `/api/tasks/${task.id}`, { title: 'and on it goes' });
  await expect.poll(async () => (await alice.titles())[0]).toBe('and on it goes');
  await context.close();
});

test('the server is restarted: all come back by themselves, spread in time, and are right', async ({ context, server }) => {
  const { page, alice, bob, sockets, errors } = await open(context, server);
  await page.getByRole('button', { name: 'Open 50 viewers' }).click();
  await expect(page.locator('#crowd')).toContainText('50 live');
  await alice.add('Lost with the memory of the first server');
  await expect(bob.task('Lost with the memory')).toHaveCount(1);

  expect(await server.stop()).toBe(0);
  await expect(alice.badge).toContainText('Offline');
  const before = sockets.length;
  const goodbyes = sockets.flatMap((s) => ofType(s.received, 'goodbye')).map((m) => m.data);
  expect(goodbyes.length).toBe(52);
  expect(new Set(goodbyes.map((g) => g.code))).toEqual(new Set([4503]));
  expect(new Set(goodbyes.map((g) => g.retryAfterMs)).size).toBeGreaterThan(40); // each its own slot

  await server.start();
  await alice.live();
  await bob.live();
  await expect(page.locator('#crowd')).toContainText('50 live', { timeout: 30_000 });
  const times = sockets.slice(before).filter((s) => s.received.length > 0).map((s) => s.openedAt);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300);

  const change = await login(server, 'carol');
  const { tasks } = await change('GET', '/api/plans/demo');
  for (const pane of [alice, bob]) await expect.poll(() => pane.titles()).toEqual(tasks.map((t) => t.title));
  await change('POST', '/api/plans/demo/tasks', { title: 'Of the second server' });
  for (const pane of [alice, bob]) await expect(pane.task('Of the second server')).toHaveCount(1, soon);
  expect(errors).toEqual([]);
});

test('the token is renewed on the open connection, and nobody notices', async ({ context, server }) => {
  await context.route('**/api/login', async (route) => {
    const { user } = route.request().postDataJSON();
    await route.continue({ postData: JSON.stringify({ user, ttl: '14s' }) });
  });
  const { page, alice, sockets } = await open(context, server);
  const seen = new Set();
  const until = Date.now() + 32_000; // past the ends of two tokens
  while (Date.now() < until) {
    seen.add(await alice.badge.textContent());
    await page.waitForTimeout(200);
  }
  expect([...seen]).toEqual(['Live']);
  expect(sockets.length).toBe(2); // one for each pane, since the beginning
  for (const socket of sockets) {
    expect(socket.closed).toBe(false);
    expect(ofType(socket.sent, 'authenticate').length).toBeGreaterThanOrEqual(2);
    expect(ofType(socket.received, 'authenticate').every((m) => m.data.success)).toBe(true);
  }
});

test('a token that runs out closes with 4401; a new login, and live again', async ({ context, server }) => {
  const { alice, sockets } = await open(context, server);
  await alice.button('Expire my token').click();
  await expect.poll(() => sockets.flatMap((s) => ofType(s.received, 'goodbye')).map((m) => m.data.code), { timeout: 15_000 }).toEqual([4401]);
  await alice.live();
  expect(sockets.length).toBe(3);
});

test('cut and reconnect: what was missed, and nothing else', async ({ context, server }) => {
  const { alice, bob } = await open(context, server);
  await alice.button('Cut my network').click();
  await expect(alice.badge).toHaveText('Offline');
  await bob.add('While Alice was away');
  await expect(bob.task('While Alice was away')).toHaveCount(1);
  await expect(alice.task('While Alice was away')).toHaveCount(0);
  await alice.button('Reconnect').click();
  await expect(alice.notice).toHaveText('Resumed: 2 missed events received.');
  await expect(alice.task('While Alice was away')).toHaveCount(1);
});

test('who is no member sees nothing', async ({ context, server }) => {
  const { page, alice, sockets } = await open(context, server);
  await alice.root.locator('select.user').selectOption('mallory');
  const mallory = new Pane(page, 'Mallory');
  await expect(mallory.badge).toHaveText('No access');
  await expect(mallory.tasks).toHaveCount(0);
  const socket = sockets.at(-1);
  expect(socket.received.filter((m) => m.seq > 0)).toEqual([]);
});
