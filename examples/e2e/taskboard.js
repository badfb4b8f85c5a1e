// The taskboard under test: a server, and a page for each person.

import { expect, test as base } from '@playwright/test';
import { Server } from './server.js';
import { watchSockets } from './sockets.js';

// The time to become live after a restart: on a busy machine a server takes seconds to start, and
// the pauses of the clients grow meanwhile.
export const RESTARTED = { timeout: 45_000 };

export const test = base.extend({
  args: [[], { option: true }],
  server: async ({ args }, use, info) => {
    const server = new Server('taskboard', {
      args: ['-db', info.outputPath('taskboard.db'), '-debug', '-operator', 'ada@example.com', ...args],
    });
    await use(await server.start());
    await server.stop();
  },
  // as opens a page for a logged-in user, each in a separate browser context.
  as: async ({ browser, server }, use) => {
    const contexts = new Map();
    const errors = [];
    await use(async (name, plan = 'Launch week', options = {}) => {
      const known = contexts.get(name);
      const context = known ?? (await browser.newContext(options));
      contexts.set(name, context);
      const page = await context.newPage();
      page.on('pageerror', (error) => errors.push(`${name}: ${error.stack}`));
      const board = new Board(page, watchSockets(page));
      await page.goto(server.url);
      if (!known) {
        await page.getByRole('button', { name, exact: true }).click();
        await page.getByRole('button', { name: 'Log in', exact: true }).click();
      }
      if (plan) await board.open(plan);
      return board;
    });
    expect(errors).toEqual([]);
    for (const context of contexts.values()) await context.close();
  },
});

// A plan as a user sees it.
class Board {
  constructor(page, sockets) {
    this.page = page;
    this.sockets = sockets;
    this.connection = page.getByTestId('connection');
    this.tasks = page.getByTestId('task');
    this.toasts = page.getByTestId('toast');
    this.conflict = page.getByTestId('conflict');
  }

  get context() {
    return this.page.context();
  }

  async open(plan) {
    await this.page.getByRole('link', { name: plan }).click();
    await this.live();
  }

  live(options) {
    return expect(this.connection).toHaveAttribute('data-status', 'live', options);
  }

  offline() {
    return expect(this.connection.getByText('Offline', { exact: true })).toBeVisible();
  }

  task(title) {
    return this.tasks.filter({ has: this.page.getByRole('checkbox', { name: `Completed: ${title}`, exact: true }) });
  }

  titles() {
    return this.tasks.locator('.task-title').allTextContents();
  }

  async add(title) {
    await this.page.getByRole('textbox', { name: 'New task' }).fill(title);
    await this.page.getByRole('button', { name: 'Add', exact: true }).click();
  }

  // edit opens the title's field and writes into it; Enter is left to the test.
  async edit(title, text) {
    await this.page.getByRole('button', { name: `Rename ${title}`, exact: true }).click();
    const field = this.page.getByRole('textbox', { name: `Title of ${title}` });
    await field.fill(text);
    return field;
  }

  async rename(title, text) {
    await (await this.edit(title, text)).press('Enter');
  }

  tick(title) {
    return this.page.getByRole('checkbox', { name: `Completed: ${title}`, exact: true }).click();
  }

  async remove(title) {
    await this.page.getByRole('button', { name: `Details of ${title}`, exact: true }).click();
    await this.page.getByRole('button', { name: `Delete ${title}`, exact: true }).click();
  }

  async moveUp(title) {
    const handle = this.page.getByRole('button', { name: `Move ${title}`, exact: true });
    await expect(handle).toBeEnabled(); // what moves tasks loads after the tasks
    await handle.focus();
    await this.page.keyboard.press('Space');
    await expect(this.page.locator('[data-dragging]')).toHaveCount(1);
    await this.page.waitForTimeout(100); // the library measures the rows first
    await this.page.keyboard.press('ArrowUp');
    await this.page.waitForTimeout(300); // and moves one by an animation
    await this.page.keyboard.press('Space');
  }

  // addMany adds tasks as the person of this page, without its form.
  async addMany(titles) {
    const planId = await this.page.getByTestId('plan-page').getAttribute('data-plan-id');
    await this.page.evaluate(
      async ([planId, titles]) => {
        const { token } = await (await fetch('/api/token', { method: 'POST' })).json();
        for (const title of titles) {
          const { status } = await fetch(`/api/plans/${planId}/tasks`, {
            method: 'POST',
            headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
            body: JSON.stringify({ title }),
          });
          if (status !== 201) throw new Error(`the task ${title}: ${status}`);
        }
      },
      [planId, titles],
    );
  }

  shot(info, name) {
    return this.page
      .screenshot({ path: info.outputPath(`${name}.png`), animations: 'disabled' })
      .then((body) => info.attach(name, { body, contentType: 'image/png' }));
  }
}
