// A cluster of three nodes, broken by the switches of its page.

import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { SLOW, test } from '../cluster.js';

test('no viewer misses a change, whatever breaks', async ({ cluster, page }) => {
  test.setTimeout(300_000); // it takes half a minute where the machine does nothing else
  for (const name of ['Ada', 'Ben', 'Cyd']) {
    const people = cluster.pane(name).getByRole('list', { name: 'Participants' });
    await expect(people.getByRole('listitem')).toHaveCount(4, SLOW); // with those of other nodes
  }
  await cluster.more();
  await expect(page.locator('#command')).toHaveText(/^go run \. nodes -nats nats:\S+ -cluster demo$/);

  // A node is killed: its clients resume on another one.
  await expect(cluster.pane('Ada')).toContainText('on n1');
  await cluster.press('n1', 'Kill');
  await expect(cluster.node('n1')).toContainText('Down');
  await expect(cluster.pane('Ada')).toContainText(/on n[23]/, SLOW);
  await expect(cluster.pane('Ada')).toContainText('resumed without a reload', SLOW);
  await cluster.press('n1', 'Start');

  // The leader of the stream is killed: NATS elects another one.
  const leader = await page
    .getByRole('region', { name: /^s\d$/ })
    .filter({ hasText: 'Leader' })
    .getAttribute('aria-label');
  await page.getByRole('button', { name: 'Kill the leader' }).click();
  await expect(cluster.node(leader)).toContainText('Down');
  // Meanwhile one node is paused, and one cut from NATS.
  await cluster.press('n2', 'Pause');
  await cluster.press('n3', 'Cut NATS');
  await expect(cluster.drawing.locator('.cross')).toHaveCount(1);
  await cluster.more();
  await expect(cluster.node('n2')).toContainText('its tenure has ended', SLOW);
  await expect(cluster.node('n3')).toContainText('Not ready', SLOW);
  for (const name of ['Ada', 'Ben', 'Cyd']) await expect(cluster.pane(name)).toContainText('on n1', SLOW);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`)).toEqual([]);

  await cluster.press('n2', 'Resume');
  await cluster.press('n3', 'Reconnect NATS');
  await cluster.press(leader, 'Start');
  await cluster.serving();

  // A person moves to the node that was paused.
  await cluster.pane('Ben').getByRole('button', { name: 'Move to n2' }).click();
  await expect(cluster.pane('Ben')).toContainText('on n2', SLOW);
  await cluster.serving();
  await cluster.more();

  await page.getByRole('button', { name: 'Pause publishing' }).click();
  await expect(page.locator('[data-tile="published"]')).toContainText('paused');
  await expect(page.locator('[data-tile="delivered"]')).toContainText('the last is 0 behind', SLOW);
  await expect(cluster.tile('lost')).toHaveText('0');
  await expect(cluster.tile('doubled')).toHaveText('0');
  await expect(page.locator('[data-tile="doubled"]')).toContainText('0 out of order');
  expect(await cluster.count('resumed')).toBeGreaterThanOrEqual(3);
});

test('the checker of a pane sees each fault', async ({ page }) => {
  await page.route('**/*', (route) =>
    route.request().url().endsWith('.js')
      ? route.fulfill({
          path: new URL('../../cluster/page/checker.js', import.meta.url).pathname,
          contentType: 'text/javascript',
        })
      : route.fulfill({ body: '<!doctype html>', contentType: 'text/html' }),
  );
  await page.goto('http://127.0.0.1/');
  const results = await page.evaluate(async () => {
    const { Checker } = await import('/checker.js');
    const run = (...steps) => {
      const checker = new Checker();
      for (const [step, change] of steps) checker[step](change);
      return [checker.lost, checker.doubled, checker.disordered];
    };
    return {
      sound: run(['load', 2], ['event', 2], ['event', 3], ['load', 5], ['event', 6]),
      lost: run(['load', 0], ['event', 1], ['event', 4]),
      loaded: run(['load', 0], ['event', 1], ['event', 4], ['load', 4]),
      doubled: run(['load', 0], ['event', 1], ['event', 1]),
      late: run(['load', 0], ['event', 2], ['event', 1]),
      old: run(['load', 0], ['event', 1], ['event', 2], ['load', 1]),
    };
  });
  expect(results).toEqual({
    sound: [0, 0, 0],
    lost: [2, 0, 0],
    loaded: [0, 0, 0],
    doubled: [0, 1, 0],
    late: [0, 0, 1],
    old: [0, 0, 1],
  });
});
