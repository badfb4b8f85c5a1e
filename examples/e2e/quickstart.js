// The page of the quickstart as its tests see it.

import { expect, test as base } from '@playwright/test';
import { Server, signingKey } from './server.js';
import { watchSockets } from './sockets.js';

/** Each test has a server, whose tokens remain valid after a restart. */
export const test = base.extend({
  server: async ({}, use, info) => {
    const env = { QUICKSTART_SIGNING_KEY: signingKey(info.outputDir) };
    const server = await new Server('quickstart', { env }).start();
    await use(server);
    await server.stop();
  },
});

/** One of the two panes: a user, a token and a connection. */
export class Pane {
  constructor(page, name) {
    this.page = page;
    this.root = page.locator(`section.pane[aria-label="${name}’s view"]`).first();
    this.tasks = this.root.locator('ol.tasks > li.task');
    this.badge = this.root.locator('.badge');
    this.notice = this.root.locator('.notice');
    this.log = this.root.locator('.log li > span:not(.seq)');
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

  switchTo(user) {
    return this.root.locator('select.user').selectOption(user);
  }

  live() {
    return expect(this.badge).toHaveText('Live');
  }
}

/** Opens the page, and waits until both panes are live. */
export async function open(context, server) {
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

/** Logs in over the API, without a page, and returns a function that makes requests. */
export async function login(server, user) {
  const response = await fetch(`${server.url}/api/login`, { method: 'POST', body: JSON.stringify({ user }) });
  const { token } = await response.json();
  const headers = { Authorization: `Bearer ${token}` };
  return async (method, path, body) => {
    const answer = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  };
}
