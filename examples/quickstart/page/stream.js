// A plan as one page has it: loaded from the API, changed by the events of others and by the page's own changes, each thing once and all
// in the order of the server. The client of Plan rooms says what happens; nothing here knows of sockets.

import { newId } from '/planrooms/planrooms.js';

/**
 * Callbacks:
 *   changed()            the model is not what it was
 *   loaded(reason)       because it was loaded
 *   event(message, own)  because of an event; for the receipt of an own change, own is what others were told
 */
export class Stream {
  #path;
  #session;
  #model;
  #on;
  #inbox = []; // events and receipts that are not applied yet
  #loads = 0; // the last one counts
  #held = false; // a load is under way, and the inbox waits for it
  #changes = new Map(); // own changes without a receipt so far: mutation id -> {event}, which is null until they are answered

  constructor({ planId, session, model, on }) {
    this.#path = `/api/plans/${encodeURIComponent(planId)}`;
    this.#session = session;
    this.#model = model;
    this.#on = on;
  }

  /** Loads the plan, and returns the position it came with: events up to there are in it. */
  async load(reason) {
    const load = ++this.#loads;
    this.#inbox = []; // of before, and so in the plan
    this.#held = true;
    try {
      const plan = await this.#session.call('GET', this.#path);
      if (load !== this.#loads) return null;
      this.#model.load(plan);
      this.#on.loaded(reason);
      this.#on.changed();
      return plan.position;
    } finally {
      if (load === this.#loads) {
        this.#held = false;
        this.#drain();
      }
    }
  }

  /** Takes an event or a receipt. */
  push(message) {
    this.#inbox.push(message);
    this.#drain();
  }

  /** Makes a change by the host's REST API. asEvent says what others are told of its answer. */
  async change(client, method, path, body, asEvent) {
    const mutationId = newId();
    const change = { event: null };
    this.#changes.set(mutationId, change);
    const loads = this.#loads;
    try {
      change.event = asEvent(await this.#session.call(method, path, body, client.headers(mutationId)));
      // To be seen at once; it takes its place in the order with the receipt. A plan that was loaded since may hold it, and
      // what came after it, and then there is no receipt that would put right what is done here.
      if (loads === this.#loads) {
        this.#model.apply(change.event);
        this.#on.changed();
      }
    } catch (err) {
      this.#changes.delete(mutationId);
      throw err;
    } finally {
      this.#drain();
    }
  }

  #drain() {
    while (!this.#held && this.#inbox.length > 0) {
      const message = this.#inbox[0];
      // An own change takes its place in the order with its receipt. That can be faster than the answer to the
      // request, which says what the server made of it; whatever came after the change then waits too.
      const own = message.type === 'receipt' ? this.#changes.get(message.mutationId) : null;
      if (own && !own.event) return;

      this.#inbox.shift();
      if (message.type !== 'receipt') {
        this.#model.apply(message);
      } else if (own) {
        this.#model.apply(own.event);
        this.#changes.delete(message.mutationId);
      } else { // the answer was lost on the way, and nothing else says what was changed
        this.#reload();
      }
      this.#on.event(message, own?.event);
      this.#on.changed();
    }
  }

  async #reload() {
    const waiting = this.#inbox;
    try {
      await this.load('a change of our own had no answer');
    } catch {
      this.#inbox.unshift(...waiting); // what is shown lacks the change until something else loads the plan
      this.#drain();
    }
  }
}
