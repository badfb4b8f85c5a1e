// The demonstration of a cluster under test: its server, and its page.

import { expect, test as base } from '@playwright/test';
import { Server } from './server.js';

// On a busy machine, processes take seconds to start, and NATS to elect a leader.
export const SLOW = { timeout: 60_000 };

export const test = base.extend({
  server: async ({}, use, info) => {
    const server = new Server('cluster', { args: ['-rate', '40', '-dir', info.outputPath('cluster')] });
    await use(await server.start());
    expect(await server.stop()).toBe(0);
  },
  // cluster is the page, when all nodes serve and all panes are live.
  cluster: async ({ page, server }, use) => {
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.stack));
    await page.goto(server.url);
    const cluster = new Cluster(page);
    await cluster.serving();
    await use(cluster);
    expect(errors).toEqual([]);
  },
});

class Cluster {
  constructor(page) {
    this.page = page;
    this.drawing = page.getByRole('img', { name: 'The cluster' });
  }

  node(name) {
    return this.page.getByRole('region', { name, exact: true });
  }

  pane(person) {
    return this.page.getByRole('region', { name: `${person}’s view` });
  }

  press(name, button) {
    return this.node(name).getByRole('button', { name: button, exact: true }).click();
  }

  tile(name) {
    return this.page.locator(`[data-tile="${name}"] .value`);
  }

  async count(name) {
    return Number((await this.tile(name).textContent()).replaceAll(',', ''));
  }

  /** Waits until all nodes serve clients, and all panes are live. */
  async serving() {
    for (const name of ['n1', 'n2', 'n3']) await expect(this.node(name)).toContainText('Serving', SLOW);
    for (const name of ['Ada', 'Ben', 'Cyd'])
      await expect(this.pane(name)).toHaveAttribute('data-status', 'live', SLOW);
  }

  /** Waits until changes are published that were not before, and delivered. */
  async more() {
    for (const name of ['published', 'delivered']) {
      const before = await this.count(name);
      await expect.poll(() => this.count(name), SLOW).toBeGreaterThan(before);
    }
  }
}
