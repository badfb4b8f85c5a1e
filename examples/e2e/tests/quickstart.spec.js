import { expect } from '@playwright/test';
import { login, open, Pane, test } from '../quickstart.js';
import { ofType } from '../sockets.js';

// An event takes some 50 ms on an idle machine. The limit is for a busy one.
const soon = { timeout: 5_000 };

test('each of the five changes appears once in both panes and in a second tab', async ({ context, server }) => {
  const one = await open(context, server);
  const two = await open(context, server); // the second tab of both
  const others = [one.bob, two.alice, two.bob];

  await one.alice.add('Paint the fence');
  await Promise.all([one.alice, ...others].map((p) => expect(p.task('Paint the fence')).toHaveCount(1, soon)));
  await Promise.all(
    [one.alice, ...others].map((p) => expect(p.root.locator('.done')).toContainText(/^\d+ of \d+ done$/, soon)),
  );

  await one.alice.task('Paint the fence').locator('.status').click();
  await one.alice.task('Paint the fence').locator('.status').click();
  await Promise.all(
    others.map((p) => expect(p.task('Paint the fence')).toHaveAttribute('data-status', 'completed', soon)),
  );

  const before = await one.bob.titles();
  await one.alice.task('Paint the fence').hover();
  await one.alice.task('Paint the fence').locator('.up').click();
  const moved = [...before];
  moved.splice(-1, 0, moved.pop());
  for (const p of [one.alice, ...others]) await expect.poll(() => p.titles(), soon).toEqual(moved);

  await one.alice.task('Paint the fence').hover();
  await one.alice.task('Paint the fence').locator('.delete').click();
  await Promise.all([one.alice, ...others].map((p) => expect(p.task('Paint the fence')).toHaveCount(0, soon)));

  // The tab that made a change gets a receipt, every other tab the event.
  const types = ['task-created', 'task-updated', 'task-reordered', 'task-deleted'];
  const sockets = [one, two].flatMap((tab) => tab.sockets);
  // Either pane may connect first.
  const author = one.sockets.find((s) => ofType(s.received, 'pong')[0].data.userId === 'alice');
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

test('network off for a short time: the missed events arrive in order, without a reload', async ({
  browser,
  server,
}) => {
  const context = await browser.newContext();
  const { page, alice, sockets } = await open(context, server);
  await page.evaluate(() => {
    window.sameDocument = true;
  });
  const change = await login(server, 'carol');
  const loads = [];
  page.on('request', (r) => {
    if (r.method() === 'GET' && r.url().endsWith('/api/plans/demo')) loads.push(r.url());
  });

  await context.setOffline(true);
  const titles = Array.from({ length: 20 }, (_, i) => `missed ${i}`);
  for (const title of titles) await change('POST', '/api/plans/demo/tasks', { title });
  await expect(alice.badge).toContainText('Offline');
  await context.setOffline(false);

  await alice.live();
  await expect.poll(async () => (await alice.titles()).slice(-20)).toEqual(titles);
  // Each task and its progress.
  await expect(alice.notice).toHaveText('Resumed: 40 missed events received.');
  expect(await page.evaluate(() => window.sameDocument)).toBe(true);
  expect(loads).toEqual([]);
  const resumed = sockets.findLast((s) => ofType(s.received, 'join-plan').some((m) => m.data.recovered));
  const seqs = resumed.received.filter((m) => m.seq > 0).map((m) => m.seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  await context.close();
});

test('network off beyond the history: each pane loads the plan once', async ({ browser, server }) => {
  const context = await browser.newContext();
  const { page, alice, bob } = await open(context, server);
  const change = await login(server, 'carol');
  const loads = [];
  page.on('request', (r) => {
    if (r.method() === 'GET' && r.url().endsWith('/api/plans/demo')) loads.push(r.url());
  });

  await context.setOffline(true);
  const {
    tasks: [task],
  } = await change('GET', '/api/plans/demo');
  const rename = (title) => change('PATCH', `/api/tasks/${task.id}`, { title });
  for (let i = 0; i < 160; i++) await rename(`changed ${i}`); // 320 events
  await expect(alice.badge).toContainText('Offline');
  await context.setOffline(false);

  await alice.live();
  await bob.live();
  for (const pane of [alice, bob]) {
    await expect(pane.notice).toHaveText('Plan reloaded: the missed events are no longer available.');
    await expect.poll(async () => (await pane.titles())[0]).toBe('changed 159');
  }
  expect(loads.length).toBe(2); // one for each pane
  await rename('the next change');
  await expect.poll(async () => (await alice.titles())[0]).toBe('the next change');
  await context.close();
});

test('the server is restarted: all clients reconnect automatically, spread in time', async ({ context, server }) => {
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
  const delays = new Set(goodbyes.map((g) => g.retryAfterMs));
  expect(delays.size).toBeGreaterThan(40); // spread over time

  await server.start();
  await alice.live();
  await bob.live();
  await expect(page.locator('#crowd')).toContainText('50 live', { timeout: 30_000 });
  const times = sockets
    .slice(before)
    .filter((s) => s.received.length > 0)
    .map((s) => s.openedAt);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300);

  const change = await login(server, 'carol');
  const { tasks } = await change('GET', '/api/plans/demo');
  for (const pane of [alice, bob]) await expect.poll(() => pane.titles()).toEqual(tasks.map((t) => t.title));
  await change('POST', '/api/plans/demo/tasks', { title: 'Of the second server' });
  for (const pane of [alice, bob]) await expect(pane.task('Of the second server')).toHaveCount(1, soon);
  expect(errors).toEqual([]);
});

test('the token is renewed on the open connection, without an interruption', async ({ context, server }) => {
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

test('a token that expires closes with 4401; the pane logs in again and is live', async ({ context, server }) => {
  const { alice, sockets } = await open(context, server);
  await alice.button('Expire my token').click();
  await expect
    .poll(() => sockets.flatMap((s) => ofType(s.received, 'goodbye')).map((m) => m.data.code), { timeout: 15_000 })
    .toEqual([4401]);
  await alice.live();
  expect(sockets.length).toBe(3);
});

test('disconnect and reconnect: delivers the missed events and no others', async ({ context, server }) => {
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

test('a user who is not a member sees nothing', async ({ context, server }) => {
  const { page, alice, sockets } = await open(context, server);
  await alice.switchTo('mallory');
  const mallory = new Pane(page, 'Mallory');
  await expect(mallory.badge).toHaveText('No access');
  await expect(mallory.tasks).toHaveCount(0);
  const socket = sockets.at(-1);
  expect(socket.received.filter((m) => m.seq > 0)).toEqual([]);
});
