// Fifty more viewers of the plan: clients that join, count the events that they receive, and show
// nothing. A user can have 20 connections, so the clients are spread over the three members.

import { Client } from '/planrooms/planrooms.js';
import { Session } from './api.js';

export class Viewers {
  received = 0; // events, of all viewers together

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

  /** How many viewers the server refuses, and the close code of the last one. */
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
        onEvent: () => {
          this.received++;
          this.#changed();
        },
        onChange: () => this.#changed(),
      });
      this.#viewers.push({ client, plan });
    }
    this.#changed();
  }

  close() {
    const viewers = this.#viewers;
    this.#viewers = [];
    this.received = 0;
    for (const { client } of viewers) client.close();
    this.#changed();
  }
}
