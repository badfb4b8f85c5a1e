import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { ofType } from '../sockets.js';
import { RESTARTED, test } from '../taskboard.js';

test('each of the five changes appears for the others, in the second tab, and once in the own tab', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const adaToo = await as('Ada');
  const others = [ben, adaToo];
  const before = await ada.titles();

  await ada.add('Print badges');
  for (const b of [ada, ...others]) await expect(b.task('Print badges')).toHaveCount(1);
  await expect(ben.task('Print badges')).toHaveAttribute('data-changed', 'true');
  await expect(ben.toasts.filter({ hasText: 'Ada' })).not.toHaveCount(0);
  await expect(ada.toasts).toHaveCount(0);

  await ada.rename('Print badges', 'Print all badges');
  for (const b of others) await expect(b.task('Print all badges')).toHaveCount(1);
  await ada.tick('Print all badges');
  for (const b of others) await expect(b.task('Print all badges')).toHaveAttribute('data-status', 'completed');
  // 3 s later.
  await expect(ben.task('Print all badges')).not.toHaveAttribute('data-changed', 'true', { timeout: 15_000 });

  await ada.moveUp('Print all badges');
  const moved = [...before.slice(0, -1), 'Print all badges', before.at(-1)];
  for (const b of [ada, ...others]) await expect.poll(() => b.titles()).toEqual(moved);

  await ada.remove('Print all badges');
  for (const b of [ada, ...others]) await expect.poll(() => b.titles()).toEqual(before);

  // One socket each, also in StrictMode; the author's has receipts instead of the events.
  for (const b of [ada, ...others]) expect(b.sockets.length).toBe(1);
  const types = ['task-created', 'task-updated', 'task-reordered', 'task-deleted'];
  expect(ofType(ada.sockets[0].received, 'receipt').length).toBe(5);
  for (const type of types) {
    expect(ofType(ada.sockets[0].received, type)).toEqual([]);
    for (const b of others) expect(ofType(b.sockets[0].received, type).length).toBe(type === 'task-updated' ? 2 : 1);
  }
});

test('shows the participants and what they are editing', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  await expect(ada.page.getByTestId('people')).toHaveAttribute('data-count', '2');
  const [title] = await ada.titles();
  const field = await ada.edit(title, 'half written');
  await expect(ben.task(title).getByTestId('editing')).toHaveText('Ada is editing…');
  await field.press('Escape');
  await expect(ben.task(title).getByTestId('editing')).toHaveCount(0);
  await ben.page.close();
  // After the linger.
  await expect(ada.page.getByTestId('people')).toHaveAttribute('data-count', '1', { timeout: 15_000 });
});

test('offline for a short time: no change is lost in either direction', async ({ as }, info) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  await ben.page.evaluate(() => {
    window.sameDocument = true;
  });
  await ben.context.setOffline(true);
  await ben.offline();
  for (let i = 0; i < 5; i++) await ada.add(`While Ben was away ${i}`);
  await ben.add('Written on a train');
  await expect(ben.task('Written on a train')).toHaveAttribute('data-pending', 'true');
  await expect(ben.page.getByTestId('unsent')).toContainText('One change is kept on this page');
  await ben.shot(info, 'offline');

  await ben.context.setOffline(false);
  await ben.live();
  for (const b of [ada, ben]) await expect(b.task('Written on a train')).toHaveCount(1);
  await expect
    .poll(async () => (await ben.titles()).filter((t) => t.startsWith('While')))
    .toEqual([0, 1, 2, 3, 4].map((i) => `While Ben was away ${i}`));
  await expect(ben.task('Written on a train')).not.toHaveAttribute('data-pending', 'true');
  await expect.poll(() => ben.titles()).toEqual(await ada.titles());
  expect(await ben.page.evaluate(() => window.sameDocument)).toBe(true);
});

test('offline beyond the history: loads once, and shows the current plan', async ({ as, server }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  await ben.context.setOffline(true);
  await ben.offline();
  await ada.page.evaluate(async () => {
    // as Ada, but faster than she could
    const { token } = await (await fetch('/api/token', { method: 'POST' })).json();
    const call = async (method, path, body) =>
      (
        await fetch(path, {
          method,
          headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
          body: body && JSON.stringify(body),
        })
      ).json();
    const { plans } = await call('GET', '/api/plans');
    const { id } = plans.find((p) => p.title === 'Launch week');
    let {
      tasks: [task],
    } = await call('GET', `/api/plans/${id}`);
    for (let i = 0; i < 160; i++)
      task = await call('PATCH', `/api/tasks/${task.id}`, { version: task.version, title: `Changed ${i}` });
  });
  const loads = [];
  ben.page.on('request', (r) => {
    if (r.method() === 'GET' && /\/api\/plans\/[^/]+$/.test(r.url())) loads.push(r.url());
  });
  await ben.context.setOffline(false);
  await ben.live();
  await expect.poll(async () => (await ben.titles())[0]).toBe('Changed 159');
  await ada.rename('Changed 159', 'And on it goes');
  await expect.poll(async () => (await ben.titles())[0]).toBe('And on it goes');
  expect(loads.length).toBe(1);
  expect(server.log).not.toContain('panic');
});

test('the server is restarted: all pages reconnect, and show the current plan', async ({ as, server }) => {
  const boards = [await as('Ada'), await as('Ben'), await as('Cleo')];
  const [ada] = boards;
  expect(await server.stop()).toBe(0);
  for (const b of boards) await b.offline();
  await server.start();
  for (const b of boards) await b.live(RESTARTED);
  await ada.add('After the restart');
  for (const b of boards) await expect(b.task('After the restart')).toHaveCount(1);
  for (const b of boards) await expect.poll(() => b.titles()).toEqual(await ada.titles());
  for (const b of boards) expect(ofType(b.sockets[0].received, 'goodbye')[0].data.code).toBe(4503);
});

test('a conflict shows both versions, and the user can keep either', async ({ as }, info) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const [first, second] = await ada.titles();
  for (const [title, choice, winner] of [
    [first, 'Take theirs', 'by Ben'],
    [second, 'Keep mine', 'by Ada'],
  ]) {
    const field = await ada.edit(title, `${title}, by Ada`);
    await ben.rename(title, `${title}, by Ben`);
    await expect(ben.task(`${title}, by Ben`)).toHaveCount(1);
    await expect
      .poll(
        () =>
          ofType(ada.sockets[0].received, 'task-updated').filter((m) => m.data.task.title === `${title}, by Ben`)
            .length,
      )
      .toBe(1);
    await field.press('Enter');
    await expect(ada.conflict).toContainText('Ben changed this in the meantime.');
    await expect(ada.conflict.getByTestId('mine')).toContainText(`${title}, by Ada`);
    await expect(ada.conflict.getByTestId('theirs')).toContainText(`${title}, by Ben`);
    if (choice === 'Take theirs') await ada.shot(info, 'conflict');
    await ada.conflict.getByRole('button', { name: choice }).click();
    for (const b of [ada, ben]) await expect(b.task(`${title}, ${winner}`)).toHaveCount(1);
    await expect(ada.conflict).toHaveCount(0);
  }
});

test('membership revoked: the plan closes, and others on the socket remain live', async ({ as }) => {
  const ada = await as('Ada');
  const ben = await as('Ben', null);
  await ben.page
    .getByRole('textbox', { name: /title|plan/i })
    .first()
    .fill('Of Ben alone');
  await ben.page.keyboard.press('Enter');
  await ben.live(); // the page of the new plan; that of all plans has the same link
  await ben.page.getByRole('link', { name: /all plans/ }).click();
  await ben.open('Launch week');

  await ada.page.getByRole('button', { name: 'Share…' }).click();
  await ada.page.getByRole('button', { name: 'Remove Ben' }).click();
  await expect(ben.page.getByRole('alert')).toContainText('You no longer have access to “Launch week”');
  await expect(ben.tasks).toHaveCount(0);
  await ben.page.getByRole('link', { name: 'See your plans' }).click();
  await expect(ben.page.getByRole('link', { name: 'Launch week' })).toHaveCount(0);
  await ben.open('Of Ben alone');
  expect(ben.sockets.length).toBe(1);
  expect(ofType(ben.sockets[0].received, 'removed').length).toBe(1);

  const before = ben.sockets[0].received.length;
  await ada.page.getByRole('button', { name: 'Close', exact: true }).click();
  await ada.add('Not for Ben');
  await expect(ada.task('Not for Ben')).toHaveCount(1);
  await ben.add('A sign of life');
  await expect.poll(() => ofType(ben.sockets[0].received, 'receipt').length).toBe(1);
  expect(JSON.stringify(ben.sockets[0].received.slice(before))).not.toContain('Not for Ben');
});

test('logged out: the other tab of the browser reports it and stops, another browser goes on', async ({
  as,
  browser,
  server,
}) => {
  const [one, two] = [await as('Ada'), await as('Ada')];
  const elsewhere = await browser.newContext();
  const credentials = { email: 'ada@example.com', password: 'planrooms' };
  const login = await elsewhere.request.post(`${server.url}/api/login`, { data: credentials });
  expect(login.ok()).toBe(true);
  await one.page.getByRole('button', { name: 'Ada: account' }).click();
  await one.page.getByRole('button', { name: 'Log out', exact: true }).click();
  await expect(one.page.getByRole('button', { name: 'Log in', exact: true })).toBeVisible();
  await expect(two.page.getByRole('alert')).toContainText('Your session has ended');
  await expect.poll(() => [one, two].every((tab) => tab.sockets.every((s) => s.closed))).toBe(true);
  expect((await elsewhere.request.post(`${server.url}/api/token`)).ok()).toBe(true);
  await elsewhere.close();
});

test('logged out everywhere: every page reports it and stops, with 4403', async ({ as }) => {
  const [one, two] = [await as('Ada'), await as('Ada')];
  const code = two.page.evaluate(async () => {
    const { token } = await (await fetch('/api/token', { method: 'POST' })).json();
    const socket = new WebSocket(`/ws?token=${token}`, 'planrooms.v1');
    return new Promise((resolve) => {
      socket.onmessage = () => {
        window.bareIsOpen = true;
      };
      socket.onclose = (event) => resolve(event.code);
    });
  });
  await two.page.waitForFunction(() => window.bareIsOpen);
  await one.page.getByRole('button', { name: 'Ada: account' }).click();
  await one.page.getByRole('button', { name: 'Log out everywhere…' }).click();
  await one.page.getByRole('dialog').getByRole('button', { name: 'Log out everywhere' }).click();
  await expect(two.page.getByRole('alert')).toContainText('You were logged out everywhere');
  expect(await code).toBe(4403);
  const opened = two.sockets.length;
  await two.page.waitForTimeout(3_000);
  expect(two.sockets.length).toBe(opened);
  expect(two.sockets.every((s) => s.closed)).toBe(true);
});

test.describe('short tokens', () => {
  test.use({ args: ['-token-ttl', '15s'] });

  test('are renewed on the open connection, without an interruption', async ({ as }) => {
    const ada = await as('Ada');
    const seen = new Set();
    const until = Date.now() + 35_000;
    while (Date.now() < until) {
      seen.add(await ada.connection.getAttribute('data-status'));
      await ada.page.waitForTimeout(250);
    }
    expect([...seen]).toEqual(['live']);
    expect(ada.sockets.length).toBe(1);
    expect(ofType(ada.sockets[0].received, 'authenticate').length).toBeGreaterThanOrEqual(2);
  });

  test('session ended: the page reports it and stops', async ({ as }) => {
    const ada = await as('Ada');
    await ada.context.clearCookies();
    await expect(ada.page.getByRole('alert')).toContainText('Your session has ended', { timeout: 30_000 });
    const requests = [];
    ada.page.on('request', (r) => requests.push(r.url()));
    const opened = ada.sockets.length;
    await ada.page.waitForTimeout(5_000);
    expect([requests, ada.sockets.length]).toEqual([[], opened]);
    expect(ada.sockets.at(-1).closed).toBe(true);
  });
});

test('fifty switches between list and plan leave one socket, and no participant in the plan', async ({
  as,
  server,
}) => {
  const ada = await as('Ada');
  for (let i = 0; i < 50; i++) {
    await ada.page.goBack();
    await ada.page.goForward();
  }
  await ada.live();
  await ada.page.goBack();
  await expect(ada.page.getByRole('link', { name: 'Launch week' })).toBeVisible();
  await expect
    .poll(async () => {
      const { rooms } = await (await ada.context.request.get(`${server.url}/api/rooms`)).json();
      return rooms.filter((room) => room.participants > 0).length;
    })
    .toBe(0);
  expect(ada.sockets.filter((s) => !s.closed).length).toBe(1);
  expect(ada.sockets.length).toBe(1);
});

test('works with the keyboard alone', async ({ as }) => {
  const ada = await as('Ada');
  const { page } = ada;
  const [first, second] = await ada.titles();
  const was = await ada.task(first).getAttribute('data-status');
  await page.getByRole('checkbox', { name: `Completed: ${first}` }).focus();
  await page.keyboard.press('Space');
  await expect(ada.task(first)).toHaveAttribute('data-status', was === 'completed' ? 'not_started' : 'completed');
  await page.getByRole('textbox', { name: 'New task' }).focus();
  await page.keyboard.type('Typed');
  await page.keyboard.press('Enter');
  await expect(ada.task('Typed')).toHaveCount(1);
  await ada.moveUp(second);
  await expect.poll(async () => (await ada.titles()).slice(0, 2)).toEqual([second, first]);
});

for (const [name, use] of Object.entries({
  desktop: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
})) {
  test(`looks right and is accessible: ${name}`, async ({ as }, info) => {
    const ben = await as('Ben');
    const ada = await as('Ada', null, use);
    const check = async (what) => {
      const { violations } = await new AxeBuilder({ page: ada.page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
        .analyze();
      expect(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`)).toEqual([]);
    };
    await expect(ada.page.getByRole('link', { name: 'Launch week' })).toBeVisible();
    await check('plans');
    await ada.shot(info, `${name}-plans`);
    await ada.open('Launch week');
    const [title] = await ada.titles();
    await ben.edit(title, title);
    await expect(ada.task(title).getByTestId('editing')).toBeVisible();
    await ben.page.keyboard.press('Escape');
    await ben.add('Order the cake');
    await expect(ada.task('Order the cake')).toHaveCount(1);
    await check('plan');
    await ada.shot(info, name);
    expect(
      await ada.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    ).toBeLessThanOrEqual(0);
  });
}
