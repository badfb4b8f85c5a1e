import { expect } from '@playwright/test';
import { ofType } from '../sockets.js';
import { RESTARTED, test } from '../taskboard.js';

test.slow();

test.describe('a wrong clock', () => {
  test.use({ args: ['-token-ttl', '40s'] });

  for (const minutes of [-10, 10]) {
    test(`by ${minutes} minutes: one connection, tokens renewed in time, changes in both directions`, async ({
      as,
    }) => {
      const [ada, ben] = [await as('Ada', null), await as('Ben')];
      await ada.context.addInitScript((offset) => {
        const Real = Date;
        globalThis.Date = class extends Real {
          constructor(...args) {
            super(...(args.length ? args : [Real.now() + offset]));
          }

          static now() {
            return Real.now() + offset;
          }
        };
      }, minutes * 60_000);
      await ada.page.reload();
      ada.sockets.length = 0;
      const tokens = [];
      ada.page.on('request', (r) => {
        if (r.url().endsWith('/api/token')) tokens.push(r);
      });
      await ada.open('Launch week');
      await ada.add('With a wrong clock');
      await expect(ben.task('With a wrong clock')).toHaveCount(1);
      await ben.add('With a right one');
      await expect(ada.task('With a right one')).toHaveCount(1);
      await expect
        .poll(() => ofType(ada.sockets[0].received, 'authenticate').length, { timeout: 60_000 })
        .toBeGreaterThanOrEqual(2);
      await ada.live();
      expect(ada.sockets.length).toBe(1);
      expect(tokens.length).toBeLessThanOrEqual(12);
    });
  }
});

test('a plan that is deleted while a member is offline', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const [first] = await ben.titles();
  await ben.context.setOffline(true);
  await ben.offline();
  await ben.rename(first, 'Written offline');
  await ada.page.getByRole('button', { name: 'Options…' }).click();
  await ada.page.getByRole('button', { name: 'Delete plan…' }).click();
  await ada.page.getByRole('button', { name: 'Delete for everyone' }).click();
  await expect(ada.page.getByRole('heading', { name: 'Plans', exact: true })).toBeVisible();
  await ben.context.setOffline(false);
  await expect(ben.page.getByRole('alert')).toContainText('You no longer have access to “Launch week”', {
    timeout: 30_000,
  });
  await ben.page.getByRole('link', { name: 'See your plans' }).click();
  await expect(ben.page.getByRole('heading', { name: 'Plans', exact: true })).toBeVisible();
  await expect(ben.page.getByRole('link', { name: 'Launch week' })).toHaveCount(0);
});

test('a server that is restarted while a user writes', async ({ as, server }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const [first] = await ada.titles();
  const field = await ada.edit(first, 'Begun before the restart');
  expect(await server.stop()).toBe(0);
  for (const b of [ada, ben]) await b.offline();
  await server.start();
  for (const b of [ada, ben]) await b.live(RESTARTED);
  await expect(field).toHaveValue('Begun before the restart');
  await expect(field).toBeFocused();
  await field.press('Enter');
  await expect(ben.task('Begun before the restart')).toHaveCount(1);
  await expect(ada.task('Begun before the restart')).toHaveCount(1);
});

test('undo of a deletion after another user has changed and moved tasks', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const before = await ada.titles();
  await ada.remove(before[2]);
  await expect(ben.task(before[2])).toHaveCount(0);
  await ben.rename(before[0], 'Renamed by Ben');
  await ben.add('Added by Ben');
  await ben.moveUp(before[4]);
  await expect(ada.task('Added by Ben')).toHaveCount(1);
  await expect.poll(() => ada.titles()).toEqual(await ben.titles());
  await ada.toasts.getByRole('button', { name: 'Undo' }).click();
  await expect(ben.task(before[2])).toHaveCount(1);
  const after = ['Renamed by Ben', ...before.slice(1), 'Added by Ben'];
  for (const b of [ada, ben]) {
    await expect.poll(async () => (await b.titles()).toSorted()).toEqual(after.toSorted());
    await expect.poll(() => b.titles()).toEqual(await ada.titles());
  }
});

test('markup in a title, in notes and in the name of a plan is shown as text', async ({ as }) => {
  const [ada, ben] = [await as('Ada'), await as('Ben')];
  const complaints = [];
  for (const b of [ada, ben]) {
    b.page.on('dialog', (dialog) => {
      complaints.push(dialog.message());
      dialog.dismiss();
    });
    b.page.on('console', (m) => {
      if (/Content.Security.Policy/.test(m.text())) complaints.push(m.text());
    });
  }
  const markup = (n) =>
    `<img src=x onerror=alert(${n})></script><script>alert(${n})</script>[a](javascript:alert(${n}))`;
  await ada.add(markup(1));
  await expect(ben.task(markup(1))).toHaveCount(1);
  await ada.page.getByRole('button', { name: `Details of ${markup(1)}`, exact: true }).click();
  const notes = ada.page.getByLabel('Notes');
  await notes.fill(`${markup(2)} javascript:alert(3)`);
  await notes.blur();
  await ben.page.getByRole('button', { name: `Details of ${markup(1)}`, exact: true }).click();
  await expect(ben.page.getByLabel('Notes')).toHaveValue(`${markup(2)} javascript:alert(3)`);
  await ada.page.getByRole('button', { name: 'Options…' }).click();
  await ada.page.getByLabel('Title of the plan').fill(markup(4));
  await ada.page.getByRole('button', { name: 'Rename plan' }).click();
  await expect(ben.page.getByRole('heading', { name: markup(4) })).toBeVisible();
  for (const { page } of [ada, ben]) {
    expect(await page.locator('img[src="x"], body script:not([src]), a[href^="javascript:"]').count()).toBe(0);
  }
  expect(complaints).toEqual([]);
});
