// What the page of the quickstart shows and announces: refusals, outages, and texts of users.

import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { login, open, Pane, test } from '../quickstart.js';

// Collects the texts of all live regions of the pages to come, as a screen reader would read them.
function listen(context) {
  return context.addInitScript(() => {
    window.announced = [];
    const live = '[role=status], [role=alert], [role=log], [aria-live]';
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest?.(live);
        if (region?.textContent) window.announced.push(region.textContent);
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
}

const announced = (page) => page.evaluate(() => window.announced);
const forget = (page) =>
  page.evaluate(() => {
    window.announced = [];
  });

const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/u;

test('the refusal disappears when the pane switches to a member', async ({ context, server }) => {
  const { page, alice } = await open(context, server);
  await alice.switchTo('mallory');
  const mallory = new Pane(page, 'Mallory');
  await expect(mallory.notice).toContainText('Mallory cannot open this plan');
  await mallory.switchTo('carol');
  const carol = new Pane(page, 'Carol');
  await carol.live();
  await expect(carol.notice).toBeEmpty();
  await expect(carol.log.filter({ hasText: /denied|forbidden/ })).toHaveCount(0);
});

test('a request that fails after the switch changes nothing', async ({ context, server }) => {
  const { page, alice, errors } = await open(context, server);
  let fail;
  const asked = new Promise((resolve) => {
    page.route('**/api/plans/demo/tasks', (route) => {
      fail = () => route.abort();
      resolve();
    });
  });
  await alice.add('Never arrives');
  await asked;
  await alice.switchTo('carol');
  const carol = new Pane(page, 'Carol');
  await carol.live();
  const failed = page.waitForEvent('requestfailed');
  await fail();
  await failed;
  await carol.add('A later request');
  await expect(carol.notice).toBeEmpty();
  await expect(carol.log.filter({ hasText: 'cannot be reached' })).toHaveCount(0);
  expect(errors).toEqual([]);
});

test('an outage is announced once, and so is its end', async ({ context, server }) => {
  await listen(context);
  const { page, alice, bob } = await open(context, server);
  for (const name of ['Alice', 'Bob']) {
    await expect.poll(async () => (await announced(page)).join(' ')).toContain(`${name}: live.`);
  }
  await forget(page);
  await server.kill();
  for (const pane of [alice, bob]) {
    await expect.poll(() => pane.log.filter({ hasText: /^waiting/ }).count()).toBeGreaterThan(3);
  }
  const outage = await announced(page);
  expect(outage.length).toBe(1);
  expect(outage[0].match(/\w+: \w+\./g).toSorted()).toEqual(['Alice: offline.', 'Bob: offline.']);

  await server.start();
  await alice.live();
  await bob.live();
  for (const name of ['Alice', 'Bob']) {
    // they reconnect at different times
    const said = async () => (await announced(page)).filter((text) => text.includes(`${name}: live.`));
    await expect.poll(said).toHaveLength(1);
  }
});

test('missed events are counted in one announcement', async ({ context, server }) => {
  await listen(context);
  const { page, alice } = await open(context, server);
  const change = await login(server, 'carol');
  await alice.button('Cut my network').click();
  await expect(alice.badge).toHaveText('Offline');
  for (let i = 0; i < 20; i++) await change('POST', '/api/plans/demo/tasks', { title: `missed ${i}` });
  // The announcement of the cut contains "missed", too, and comes a second after it.
  await expect.poll(async () => (await announced(page)).join(' ')).toContain('Disconnected.');
  await forget(page);
  await alice.button('Reconnect').click();
  const resumed = 'Resumed: 40 missed events received.';
  await expect(alice.notice).toHaveText(resumed);
  await expect.poll(async () => (await announced(page)).join(' ')).toContain(resumed);
  expect((await announced(page)).filter((text) => text.includes('missed')).length).toBe(1);
});

// The x of the first character of each text, from the left, within an element.
function places(element, ...texts) {
  return element.evaluate(
    (root, texts) =>
      texts.map((text) => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const at = walker.currentNode.data.indexOf(text);
          if (at < 0) continue;
          const range = document.createRange();
          range.setStart(walker.currentNode, at);
          range.setEnd(walker.currentNode, at + 1);
          return range.getBoundingClientRect().x;
        }
        throw new Error(`no ${text} in ${root.textContent}`);
      }),
    texts,
  );
}

const titles = {
  'an override': '\u202etxt.exe',
  'the end of an isolate, then an override': '\u2069\u202etxt.exe',
  'an open isolate': '\u2067txt.exe',
  'an embedding': '\u202btxt.exe',
};
for (const [what, title] of Object.entries(titles)) {
  test(`bidi: ${what} in a title does not reorder the text of the page`, async ({ context, server }) => {
    const { alice, bob } = await open(context, server);
    await alice.add(title);
    const line = bob.log.filter({ hasText: 'added' }).first();
    await expect(line.locator('bdi').filter({ hasText: 'txt.exe' })).toHaveCount(1);
    const [who, added, start, end, quote] = await places(line, 'Alice', ' added', 'txt', '.exe', '”');
    expect([who, added, start, end, quote]).toEqual([who, added, start, end, quote].toSorted((a, b) => a - b));

    const row = bob.task('txt.exe');
    expect(await row.locator('.title').textContent()).not.toMatch(CONTROLS);
    for (const button of ['.status', '.up', '.down', '.delete']) {
      const label = await row.locator(button).getAttribute('aria-label');
      expect(label).toContain('\u2068txt.exe\u2069'); // isolated, with no other control
      expect(label.replace('\u2068txt.exe\u2069', '')).not.toMatch(CONTROLS);
    }
  });
}

test('bidi: a Hebrew title runs from right to left, in the list and in the fields', async ({ context, server }) => {
  const { alice, bob } = await open(context, server);
  const direction = (element) => element.evaluate((e) => getComputedStyle(e).direction);
  const field = alice.root.getByPlaceholder('Add a task');
  await field.fill('לקנות חלב!');
  expect(await direction(field)).toBe('rtl');
  await alice.button('Add').click();
  const title = bob.task('לקנות חלב').locator('.title');
  expect(await direction(title)).toBe('rtl');
  await title.click();
  expect(await direction(bob.root.locator('input.edit'))).toBe('rtl');
});

test('a long title is cut between characters, not inside an emoji', async ({ context, server }) => {
  const { alice, bob } = await open(context, server);
  const family = '👩\u200d👧\u200d👦';
  await alice.add(`${'x'.repeat(38)}${family}${'y'.repeat(10)}`);
  await expect(bob.log.filter({ hasText: 'Alice added' }).first()).toHaveText(
    `Alice added “${'x'.repeat(38)}${family}…”`,
  );
  await alice.add(`${'x'.repeat(37)}${family}${family}${family}${family}`);
  await expect(bob.log.filter({ hasText: 'Alice added' }).first()).toHaveText(
    `Alice added “${'x'.repeat(37)}${family}${family}…”`,
  );
});

test('a title with a control character is refused, and remains in the field', async ({ context, server }) => {
  const { alice } = await open(context, server);
  await alice.add('beep\u0007');
  await expect(alice.notice).toContainText('without control characters');
  await expect(alice.root.getByPlaceholder('Add a task')).toHaveValue('beep\u0007');
});

test('an unknown status is shown as connecting', async ({ context, server }) => {
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.route('**/planrooms/planrooms.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `
      const plan = { status: 'of a later version', participants: [], participantCount: 0, error: null };
      export const newId = () => 'id';
      export class Client {
        state = 'connected';
        retryAt = 0;
        on() {}
        join() { return plan; }
      }`,
    }),
  );
  await page.goto(server.url);
  await expect(new Pane(page, 'Alice').badge).toHaveText('Connecting');
  expect(errors).toEqual([]);
});

// What axe finds in the page.
async function axe(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(' ')}`);
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds no violation, ${colorScheme}`, async ({ context, server }) => {
    test.setTimeout(180_000); // an analysis takes 10 s on a busy machine
    const { page, alice, bob } = await open(context, server);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await bob.task('Order lunch').locator('.title').click();
    await expect(alice.task('Order lunch').locator('.editors')).toHaveText('Bob is editing');
    expect(await axe(page)).toEqual([]);

    await bob.button('Cut my network').click();
    await expect(bob.badge).toHaveText('Offline');
    await alice.switchTo('mallory');
    await expect(new Pane(page, 'Mallory').badge).toHaveText('No access');
    expect(await axe(page)).toEqual([]);
  });
}
