// The operators' page against a real server with real clients: it shows them as they are, it says
// why a user did not receive an event, and it runs nothing that its policy forbids.

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base } from '@playwright/test';
import { cookieOf, RawClient } from '../rawclient.js';
import { Server } from '../server.js';

const EVIL = '<img src=x onerror="document.title=1">';

const test = base.extend({
  server: async ({}, use) => {
    const server = await new Server('host').start();
    await use(server);
    await server.stop();
  },
  // The page, opened by the operator. At the end it has had no errors.
  ops: async ({ context, server }, use) => {
    const [name, value] = (await cookieOf(server, 'operator')).split('=');
    await context.addCookies([{ name, value, url: server.url }]);
    await context.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', (v) =>
        window.violations.push(`${v.violatedDirective} ${v.blockedURI}`),
      );
    });
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(`${server.url}/ops/rooms`);
    await expect(page.locator('#state')).toHaveText('Live');
    await use(page);
    expect(await page.evaluate(() => window.violations)).toEqual([]);
    expect(errors).toEqual([]);
  },
});

/** What a user does at the host: connections and tasks. */
class User {
  constructor(server, name) {
    this.server = server;
    this.name = name;
  }

  async open(clientId) {
    this.cookie ??= await cookieOf(this.server, this.name);
    return RawClient.open(this.server, this.cookie, clientId);
  }

  async add(plan, title, headers = {}) {
    this.cookie ??= await cookieOf(this.server, this.name);
    const response = await fetch(`${this.server.url}/plans/${plan}/tasks`, {
      method: 'POST',
      body: JSON.stringify({ title }),
      headers: { Cookie: this.cookie, ...headers },
    });
    if (!response.ok) throw new Error(`add: ${response.status}`);
  }
}

/** The JSON of the page, as a script of the operator gets it. */
async function json(server, query) {
  const response = await fetch(`${server.url}/ops/rooms?${new URLSearchParams(query)}`, {
    headers: { Cookie: await cookieOf(server, 'operator') },
  });
  return response.json();
}

const newest = async (server, plan) => (await json(server, { plan })).room.position.seq;

// Asks in the page, and expects these labels, the newest membership first.
async function ask(page, plan, user, seq, labels) {
  await page.getByLabel('Plan', { exact: true }).fill(plan);
  await page.getByLabel('User ID').fill(user);
  await page.getByLabel('Event (seq)').fill(String(seq));
  await page.getByRole('button', { name: 'Ask' }).click();
  await expect(page.locator('#answers .badge')).toHaveText(labels);
}

const answer = (page) => page.locator('#answers li').first();

test('only the operator has access', async ({ server }) => {
  for (const headers of [{}, { Cookie: await cookieOf(server, 'alice') }]) {
    for (const query of ['', '?format=json', '?file=page.js']) {
      const response = await fetch(`${server.url}/ops/rooms${query}`, { headers: { Accept: 'text/html', ...headers } });
      expect(response.status).toBe(404);
      expect(await response.text()).toBe('');
    }
  }
});

test('works at any path, and behind a proxy that strips a prefix', async ({ ops, server }) => {
  for (const path of ['/stripped/', '/stripped/a/b', '/stripped/a/b/?x=1#plan=launch']) {
    await ops.goto(server.url + path);
    await expect(ops.locator('#state')).toHaveText('Live');
    const { rooms } = await ops.evaluate(async () => (await fetch(document.querySelector('footer a').href)).json());
    expect(rooms).toEqual([]);
  }
});

test('shows the current rooms and people, also after a reload', async ({ ops, server }) => {
  const [alice, bob, evil] = ['alice', 'bob', EVIL].map((name) => new User(server, name));
  const first = await alice.open('a1');
  await first.join('launch');
  await (await bob.open('b1')).join('launch');
  await (await evil.open('e1')).join('zoo');
  const rooms = ops.locator('#rooms li');
  await expect(rooms.filter({ hasText: 'launch' })).toContainText('2 people');
  await ops.getByLabel('Search plans').fill('LAU');
  await expect(rooms).toHaveCount(1);
  await expect(ops.locator('#rooms-count')).toHaveText('1 of 2');
  await rooms.getByRole('button').click();
  await expect(ops.locator('#people li')).toHaveCount(2);
  await alice.add('launch', 'one');
  await expect(ops.locator('#facts')).toContainText(/· 1Events in the history1/);
  await ops.getByLabel('Search people').fill('bo');
  await expect(ops.locator('#people li')).toHaveCount(1);
  await ops.locator('#people button').click(); // asks about the newest event
  await expect(ops.locator('#answers .badge')).toHaveText(['Written']);

  await ops.reload();
  await expect(ops.locator('#answers .badge')).toHaveText(['Written']);
  await expect(ops.locator('#people li')).toHaveCount(2);
  await expect(ops.getByLabel('User ID')).toHaveValue('bob');

  // A name is text, wherever it appears.
  await rooms.filter({ hasText: 'zoo' }).getByRole('button').click();
  await expect(ops.locator('#people .name')).toHaveText([EVIL]);
  await ops.locator('#people button').click();
  await expect(ops).toHaveTitle('Plan rooms: operators');
  expect(await ops.locator('img').count()).toBe(1);

  first.cut();
  await expect(ops.locator('#closed')).toContainText('1006: it broke without a close frame');
  await fetch(`${server.url}/ws`);
  await expect(ops.locator('#refused li')).not.toHaveCount(0);
});

test('explains each case', async ({ ops, server }, info) => {
  const plan = 'launch';
  const alice = new User(server, 'alice');
  const bob = new User(server, 'bob');
  const carol = new User(server, 'carol');
  await alice.open('outside');
  const bobs = await bob.open('tab');
  await bobs.join(plan);
  await bob.add(plan, 'his own', { 'X-Plan-Client': 'tab' });
  await bob.add(plan, 'of another tab');
  await bobs.until((m) => m.type === 'task-created');
  await bob.add(plan, 'so that the one before has been written');
  await ask(ops, plan, 'bob', 1, ['Excluded']);
  await ask(ops, plan, 'bob', 2, ['Written']);
  await ask(ops, plan, 'bob', 99, []);
  await expect(ops.locator('#answer-event')).toContainText('The plan has no event 99 yet');
  await ask(ops, plan, 'alice', 2, ['Not joined']);
  await ask(ops, plan, 'nobody', 2, []);
  await expect(ops.locator('#answer-note')).toContainText('no open connection');

  const carols = await carol.open('tab');
  const { epoch } = await carols.join(plan);
  await ask(ops, plan, 'carol', 2, ['Joined later']);
  await carols.join(plan, { epoch, seq: 1 });
  await ask(ops, plan, 'carol', 2, ['Written', 'Joined later']);
  await ask(ops, plan, 'carol', 1, ['Joined later', 'Joined later']);
  await expect(answer(ops)).toContainText('resumed from event 1');
  carols.send({ type: 'leave-plan', planId: plan });
  await carols.until((m) => m.type === 'leave-plan');
  await bob.add(plan, 'after she left');
  await ask(ops, plan, 'carol', 4, ['Had left', 'Had left']);
  await expect(answer(ops)).toContainText('asked to leave');

  // Dave does not read: his socket fills, and then the events wait.
  const dave = new User(server, 'dave');
  const daves = await dave.open('tab');
  await daves.join(plan);
  const outcome = async (user, seq) => (await json(server, { plan, user, seq })).explanation.connections[0].outcome;
  const fill = async () => {
    for (;;) {
      await bob.add(plan, 'x'.repeat(60_000));
      const seq = await newest(server, plan);
      if ((await outcome('dave', seq)) === 'slow') return seq;
    }
  };
  daves.pause();
  const waiting = await fill();
  await ask(ops, plan, 'dave', waiting, ['Waiting']);
  await expect(ops.locator('#behind')).toContainText('dave, client tab');
  await ops.screenshot({ path: info.outputPath('waiting.png'), fullPage: true });
  for (let i = 0; i < 25; i++) await bob.add(plan, 'x'.repeat(60_000)); // beyond the history
  daves.resume();
  await daves.until((m) => m.type === 'resync');
  await ask(ops, plan, 'dave', waiting, ['Resync']);

  // Then he breaks off in the middle of an event.
  daves.pause();
  const unwritten = await fill();
  daves.cut();
  await ask(ops, plan, 'dave', unwritten, ['Left']);
  await expect(answer(ops)).toContainText('1006');
  let torn = unwritten;
  while ((await outcome('dave', torn)) === 'left_unwritten') torn--;
  expect(await outcome('dave', torn)).toBe('unknown');
  await ask(ops, plan, 'dave', torn, ['Not known']);
});

test('works in light and dark mode, on a phone and with the keyboard', async ({ ops, server }, info) => {
  const users = await Promise.all(
    ['alice', 'bob', 'carol', 'dave'].map(async (name) => {
      const user = new User(server, name);
      const client = await user.open('tab');
      await client.join('launch');
      return { user, client };
    }),
  );
  for (let i = 0; i < 120; i++) await users[0].user.add(`plan-${String(i).padStart(3, '0')}`, 'one');
  await users[0].user.add('launch', 'one', { 'X-Plan-Client': 'tab' });
  await ops.goto(`${server.url}/ops/rooms#plan=launch&user=alice&seq=${await newest(server, 'launch')}`);
  await ops.reload();
  await expect(ops.locator('#answers .badge')).toHaveText(['Excluded']);
  for (const colorScheme of ['light', 'dark']) {
    await ops.emulateMedia({ colorScheme });
    await ops.setViewportSize({ width: 1200, height: 900 });
    await ops.screenshot({ path: info.outputPath(`${colorScheme}.png`), fullPage: true });
    expect(
      (await new AxeBuilder({ page: ops }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0].html]),
    ).toEqual([]);
    await ops.setViewportSize({ width: 360, height: 740 });
    expect(await ops.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await ops.screenshot({ path: info.outputPath(`${colorScheme}-phone.png`), fullPage: true });
  }
  // A refresh keeps the focus on the room that was reached with the keyboard.
  await ops.getByLabel('Order').focus();
  await ops.keyboard.press('Tab');
  await ops.keyboard.press('Tab');
  const focused = await ops.evaluate(() => document.activeElement.textContent);
  await ops.waitForResponse((response) => response.url().includes('format=json'));
  expect(await ops.evaluate(() => document.activeElement.textContent.slice(0, 8))).toBe(focused.slice(0, 8));
  await ops.keyboard.press('Enter');
  await expect(ops.locator('#rooms [aria-pressed=true]')).toHaveCount(1);
});

test('a hidden page sends no requests, and a page without a server reports it', async ({ context, ops, server }) => {
  let asked = 0;
  ops.on('request', () => {
    asked++;
  });
  await ops.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.hiddenNow ?? false });
    window.hiddenNow = true;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(ops.locator('#state')).toHaveText('Paused');
  asked = 0;
  const other = await context.newPage(); // which asks twice meanwhile
  await other.goto(`${server.url}/ops/rooms`);
  for (let i = 0; i < 2; i++) await other.waitForResponse((response) => response.url().includes('format=json'));
  await other.close();
  expect(asked).toBe(0);
  await ops.evaluate(() => {
    window.hiddenNow = false;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(ops.locator('#state')).toHaveText('Live');
  await context.route('**/ops/rooms?format=json**', (route) =>
    route.fulfill({ status: 200, contentType: 'application/json', body: '{' }),
  );
  await expect(ops.locator('#state')).toHaveText(/^No answer since/);
  await context.unroute('**/ops/rooms?format=json**');
  await expect(ops.locator('#state')).toHaveText('Live');
});
