import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { test } from '../taskboard.js';

test.slow();

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

const axe = async (page, without) => {
  const builder = new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']);
  if (without) builder.exclude(without);
  const { violations } = await builder.analyze();
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`);
};

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// overlap reports whether two elements cover each other on the screen.
async function overlap(one, other) {
  const [a, b] = [await one.boundingBox(), await other.boundingBox()];
  if (!a || !b) return false;
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

test('a person is invited, accepts, leaves, and is the owner in between', async ({ as }, info) => {
  const ada = await as('Ada', null);
  const cleo = await as('Cleo', 'Launch week');
  const ben = await as('Ben', null);
  await ben.page.getByRole('textbox', { name: 'New plan' }).fill('Garden party');
  await ben.page.getByRole('button', { name: 'Create plan' }).click();
  await ben.page.getByRole('button', { name: 'Share…' }).click();
  await ben.page.getByLabel('E-mail of a person to invite').fill('ada@example.com');
  await ben.page.getByRole('button', { name: 'Invite', exact: true }).click();
  await expect(ben.page.getByRole('dialog')).toContainText('invited as editor');
  expect(await axe(ben.page)).toEqual([]);

  await expect(ada.toasts).toContainText('invites you to the plan');
  await expect(ada.page.getByTestId('invitation')).toContainText('Ben invites you to Garden party as an editor.');
  await expect(ada.page.getByRole('link', { name: 'Garden party' })).toHaveCount(0);
  expect(await axe(ada.page)).toEqual([]);
  await ada.shot(info, 'invitation');
  await ada.page.getByRole('button', { name: 'Accept the invitation to Garden party' }).click();
  await ada.live();
  await expect(ben.page.getByRole('dialog')).not.toContainText('invited as editor');
  await ben.page.getByRole('button', { name: 'Close', exact: true }).click();

  // Renamed for all members, at once.
  await ben.page.getByRole('button', { name: 'Options…' }).click();
  await ben.shot(info, 'options');
  expect(await axe(ben.page)).toEqual([]);
  await ben.page.getByLabel('Title of the plan').fill('Summer party');
  await ben.page.getByRole('button', { name: 'Rename plan' }).click();
  await expect(ada.page.getByRole('heading', { name: 'Summer party' })).toBeVisible();

  // Ada becomes the owner, and Ben leaves.
  await ben.page.getByLabel('New owner (you become an editor)').selectOption('Ada');
  await ben.page.getByRole('button', { name: 'Pass on plan' }).click();
  await expect(ada.page.getByRole('button', { name: 'Share…' })).toBeVisible();
  await expect(ben.page.getByRole('button', { name: 'Share…' })).toHaveCount(0);
  await ben.page.getByRole('button', { name: 'Leave plan' }).click();
  await expect(ben.page.getByRole('heading', { name: 'Plans', exact: true })).toBeVisible();
  await expect(ben.page.getByRole('link', { name: 'Summer party' })).toHaveCount(0);
  await expect(ada.page.getByTestId('member-names')).not.toContainText('Ben');

  // Deleted while another user looks at it.
  await ada.page.getByRole('link', { name: /all plans/ }).click();
  await ada.open('Launch week');
  await ada.page.getByRole('button', { name: 'Options…' }).click();
  await ada.page.getByRole('button', { name: 'Delete plan…' }).click();
  await ada.page.getByRole('button', { name: 'Delete for everyone' }).click();
  await expect(cleo.page.getByRole('alert')).toContainText('You no longer have access to “Launch week”');
  await expect(ben.page.getByRole('link', { name: 'Launch week' })).toHaveCount(0);
});

test('undo restores a deleted task in its place', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const before = await ada.titles();
  await ada.remove(before[3]);
  await expect.poll(() => ben.titles()).toEqual(before.filter((_, i) => i !== 3));
  await ada.toasts.getByRole('button', { name: 'Undo' }).click();
  for (const b of [ada, ben]) await expect.poll(() => b.titles()).toEqual(before);
});

test('a request that fails blocks no later change, and the page reports it', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const [first, second] = await ada.titles();
  const id = await ada.task(first).getAttribute('data-task-id');
  await ada.page.route(`**/api/tasks/${id}`, () => {}); // is never answered
  await ada.rename(first, 'Lost on the way');
  await ada.rename(second, 'Arrives');
  await expect(ada.page.getByTestId('unanswered')).toContainText('The server does not answer.');
  await expect(ada.connection).not.toContainText('Live');
  await expect(ben.task('Arrives')).toHaveCount(1, { timeout: 45_000 });
  await expect(ada.toasts.filter({ hasText: 'Lost on the way' })).toContainText('was not saved');
  await expect(ada.connection).toContainText('Live');
  await expect(ada.page.getByTestId('unanswered')).toHaveCount(0);
  await ada.page.unrouteAll({ behavior: 'ignoreErrors' });
  await ada.toasts.getByRole('button', { name: 'Try again' }).click();
  await expect(ben.task('Lost on the way')).toHaveCount(1);
});

test('an event that cannot be applied is fetched, and events during the fetch do not hide it', async ({ as }) => {
  const [ada, ben] = [await as('Ada', null), await as('Ben')];
  await expect(ada.page.getByRole('link', { name: 'Launch week' })).toBeVisible(); // logged in
  let held = null; // what the server sends while Ada's connection is slow
  await ada.page.routeWebSocket(/\/ws/, (socket) => {
    socket
      .connectToServer()
      .onMessage((message) => (held ? held.push(() => socket.send(message)) : socket.send(message)));
  });
  await ada.page.reload();
  await ada.open('Launch week');

  // Ada's task is confirmed before the event of Ben's, which comes before it in the list.
  held = [];
  await ben.add('First');
  await expect(ben.task('First')).toHaveCount(1);
  await ada.add('Second');
  await expect(ada.task('Second')).not.toHaveAttribute('data-pending');
  let answer;
  const fetched = new Promise((resolve) => {
    void ada.page.route(
      /\/api\/plans\/[^/]+$/,
      async (route) => {
        const response = await route.fetch();
        const waits = new Promise((go) => {
          answer = go;
        });
        resolve();
        await waits;
        await route.fulfill({ response });
      },
      { times: 1 },
    );
  });
  held.splice(0).forEach((send) => send());
  held = null;
  await fetched;
  await ben.add('Third');
  await expect(ada.task('Third')).toHaveCount(1);
  answer();
  await expect(ada.task('First')).toHaveCount(1);
  await expect.poll(async () => (await ada.titles()).slice(-3)).toEqual(['First', 'Second', 'Third']);
});

test('the script that moves tasks loads after the tasks, and does not interrupt an edit', async ({ as }) => {
  const ada = await as('Ada', null);
  await expect(ada.page.getByRole('link', { name: 'Launch week' })).toBeVisible(); // logged in
  let load;
  const asked = new Promise((resolve) => {
    void ada.page.route('**/assets/sorting-*.js', async (route) => {
      resolve();
      await new Promise((go) => {
        load = go;
      });
      await route.continue();
    });
  });
  await ada.page.reload();
  await ada.open('Launch week');
  await asked;
  const [first, second] = await ada.titles();
  await ada.page.getByRole('button', { name: `Details of ${first}`, exact: true }).click();
  const field = await ada.edit(second, 'half written');
  const moves = ada.page.getByRole('button', { name: /^Move /, disabled: false });
  const answered = ada.page.waitForResponse('**/assets/sorting-*.js');
  load();
  await (await answered).finished();
  await ada.page.evaluate(
    () =>
      new Promise((resolve) => {
        requestAnimationFrame(() => setTimeout(resolve));
      }),
  );
  await expect(field).toBeFocused();
  await expect(field).toHaveValue('half written');
  await expect(moves).toHaveCount(0);
  await field.press('Escape'); // the focus moves to the title
  await expect(moves).toHaveCount(9);
  await expect(ada.page.getByRole('button', { name: `Rename ${second}`, exact: true })).toBeFocused();
  await expect(ada.page.getByRole('button', { name: `Delete ${first}`, exact: true })).toBeVisible();
});

test('a member who is removed while writing keeps the text', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  await ben.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const [first] = await ben.titles();
  await ben.page.getByRole('button', { name: `Details of ${first}`, exact: true }).click();
  await ben.page.getByLabel('Notes').fill('A long text');
  await ada.page.getByRole('button', { name: 'Share…' }).click();
  await ada.page.getByRole('button', { name: 'Remove Ben' }).click();
  await expect(ben.page.getByRole('alert')).toContainText('You no longer have access to “Launch week”');
  const toast = ben.toasts.filter({ hasText: 'was not saved' });
  await expect(toast).toContainText('you have no access');
  await toast.getByRole('button', { name: 'Copy your text' }).click();
  await expect.poll(() => ben.page.evaluate(() => navigator.clipboard.readText())).toBe('A long text');
});

test('a pasted title with a tab, or without a visible character', async ({ as }) => {
  const ada = await as('Ada');
  const before = await ada.titles();
  await ada.add('\u200B');
  await ada.add('Print\tbadges');
  await expect.poll(() => ada.titles()).toEqual([...before, 'Print badges']);
  await ada.rename('Print badges', '\u2800');
  await ada.add('Last');
  await expect.poll(() => ada.titles()).toEqual([...before, 'Print badges', 'Last']);
  await expect(ada.toasts).toHaveCount(0);
});

test('banner and badge agree while offline', async ({ as }, info) => {
  const ada = await as('Ada', 'Launch week', phone);
  await ada.context.setOffline(true);
  await expect(ada.page.getByTestId('unsent')).toContainText('You are offline.');
  await expect(ada.connection.getByText('Live', { exact: true })).toHaveCount(0);
  await ada.add('Written offline');
  await ada.shot(info, 'phone-offline');
  await ada.context.setOffline(false);
  await ada.live();
  await expect(ada.page.getByTestId('unsent')).toHaveCount(0);
});

test('200 tasks by keyboard: the input and each task are a few keys away', async ({ as }, info) => {
  const ada = await as('Ada');
  await ada.addMany(Array.from({ length: 190 }, (_, i) => `Number ${i}`));
  await expect(ada.tasks).toHaveCount(199);

  const { page } = ada;
  await page.locator('h1').focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  let keys = 0;
  for (; (await focused()) !== 'New task' && keys < 12; keys++) await page.keyboard.press('Tab');
  expect(keys).toBeLessThanOrEqual(5);
  for (keys = 0; !(await focused()).startsWith('Completed: ') && keys < 12; keys++) await page.keyboard.press('Tab');
  expect(keys).toBeLessThanOrEqual(3);
  await page.keyboard.press('End');
  expect(await focused()).toBe('Completed: Number 189');
  await page.keyboard.press('PageUp');
  expect(await focused()).toBe('Completed: Number 179');
  await page.keyboard.press('u');
  expect(await focused()).toBe('Completed: Update the screenshots in the documentation');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBe('Completed: Run the load test against staging');
  const stops = await page.evaluate(
    () => [...document.querySelectorAll('.tasks :is(button, input, select)')].filter((e) => e.tabIndex === 0).length,
  );
  expect(stops).toBeLessThanOrEqual(5);
  await ada.shot(info, '200-tasks');
  // All rows would take minutes on a busy machine.
  expect(await axe(page, '[data-testid="task"]:nth-child(n+13)')).toEqual([]);
});

test('33 members and 32 viewers on a phone do not displace the tasks, and can all be seen', async ({ as }, info) => {
  const ada = await as('Ada', null, phone);
  const { page } = ada;
  await expect(page.getByRole('link', { name: 'Launch week' })).toBeVisible(); // logged in
  await page.route(/\/api\/plans\/[^/]+$/, async (route) => {
    // a plan with many members
    const response = await route.fetch();
    const plan = await response.json();
    for (let i = plan.members.length; i < 33; i++) {
      plan.members.push({ userId: `u${i}`, name: `Person Number ${i}`, email: `p${i}@example.com`, role: 'viewer' });
    }
    await route.fulfill({ response, json: plan });
  });
  await page.routeWebSocket(/\/ws/, (socket) => {
    // and many people who look at it
    const server = socket.connectToServer();
    server.onMessage((message) => {
      const parsed = JSON.parse(String(message));
      if (parsed.type === 'join-plan' && Array.isArray(parsed.data?.participants)) {
        for (let i = 1; i < 32; i++)
          parsed.data.participants.push({ userId: `u${i}`, userName: `Person Number ${i}`, connections: 1 });
        parsed.data.participantCount = 32;
      }
      socket.send(JSON.stringify(parsed));
    });
  });
  await page.reload();
  await ada.open('Launch week');
  await expect(page.getByTestId('people')).toHaveAttribute('data-count', '32');
  const { y } = await ada.tasks.first().boundingBox();
  expect(y).toBeLessThan(740); // on the first screen
  await ada.shot(info, 'phone-33-members');
  expect(await axe(page)).toEqual([]);
  await page.getByRole('button', { name: 'Show 29 more' }).click();
  await expect(page.getByTestId('member-names').getByRole('listitem')).toHaveCount(33);
  await page.getByRole('button', { name: 'Show 24 more people' }).click();
  await expect(page.getByTestId('person')).toHaveCount(32);
  expect(await fits(page)).toBeLessThanOrEqual(0);
  expect(await axe(page)).toEqual([]);
});

// At 600 ms of latency and 40 KB/s a plan is visible within five seconds if the page sends 100 KB
// at most, and does not wait for its script before it asks for the login.
test('the page is small, and requests the login while its script loads', async ({ as }, info) => {
  const ada = await as('Ada');
  const url = ada.page.url();
  const page = await ada.context.newPage();
  const session = await ada.context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 600,
    downloadThroughput: 40 * 1024,
    uploadThroughput: 40 * 1024,
  });
  const start = Date.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.getByTestId('task').first().waitFor();
  info.annotations.push({ type: 'visible after', description: `${Date.now() - start} ms` });
  const entries = await page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name, encodedBodySize, startTime, responseEnd }) => ({
      name: new URL(name).pathname,
      size: encodedBodySize,
      startTime,
      responseEnd,
    })),
  );
  // The script that moves tasks loads later.
  const assets = entries.filter(({ name }) => name.startsWith('/assets/') && !name.startsWith('/assets/sorting-'));
  expect(assets.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(100 * 1024);
  const largest = assets.toSorted((a, b) => b.size - a.size)[0];
  expect(entries.find(({ name }) => name === '/api/token').startTime).toBeLessThan(largest.responseEnd);
});

test('titles with right-to-left text and emoji', async ({ as }, info) => {
  const ada = await as('Ada', 'Launch week', phone);
  const ben = await as('Ben');
  const titles = ['מסיבת השקה: להזמין 40 אורחים!', 'حفل الإطلاق (١٢)', '👩‍👩‍👧‍👦'.repeat(28), 'x'.repeat(200)];
  for (const title of titles) await ben.add(title);
  for (const title of titles) await expect(ada.task(title)).toHaveCount(1);
  await expect(ada.toasts).not.toHaveCount(0);
  await ada.shot(info, 'phone-toasts');
  // 280 code points.
  await ada.page.getByRole('textbox', { name: 'New task' }).fill('👩‍👩‍👧‍👦'.repeat(40));
  expect(await ada.page.getByRole('textbox', { name: 'New task' }).inputValue()).toBe('👩‍👩‍👧‍👦'.repeat(28));
  for (const toast of await ada.toasts.all()) {
    expect(await overlap(toast, ada.page.getByRole('button', { name: 'Add', exact: true }))).toBe(false);
  }
  expect(await fits(ada.page)).toBeLessThanOrEqual(0);
  expect(await axe(ada.page)).toEqual([]);
  await ada.task(titles[0]).scrollIntoViewIfNeeded();
  await ada.shot(info, 'phone-rtl-emoji');
});
