// Fifty more people who look at the plan: clients that join, count what they hear, and show nothing. A user can have 20 connections,
// so they are spread over the three members.

import { Client } from '/planrooms/planrooms.js';
import { Session } from './api.js';

export class Viewers {
  heard = 0; // events, by all of them together

  #viewers = []; // {client, plan}
  #planId;
  #changed;

  constructor(planId, changed) {
    this.#planId = planId;
    this.#changed = changed;
  }

  get open() {
    return this.#viewers.length > 0;
  }

  get live() {
    return this.#viewers.filter(({ plan }) => plan.status === 'live').length;
  }

  /** Those that the server does not take, and the close code of the last one. */
  get refused() {
    const errors = this.#viewers.map(({ plan }) => plan.error).filter(Boolean);
    return { count: errors.length, code: errors.at(-1)?.code };
  }

  async add(count, users) {
    const sessions = users.map((user) => new Session(user));
    await Promise.all(sessions.map((s) => s.login()));
    for (let i = 0; i < count; i++) {
      const session = sessions[i % sessions.length];
      const client = new Client({ getToken: (request) => session.getToken(request) });
      const plan = client.join(this.#planId, {
        onEvent: () => { this.heard++; this.#changed(); },
        onChange: () => this.#changed(),
      });
      this.#viewers.push({ client, plan });
    }
    this.#changed();
  }

  close() {
    const viewers = this.#viewers;
    this.#viewers = [];
    this.heard = 0;
    for (const { client } of viewers) client.close();
    this.#changed();
  }
}
