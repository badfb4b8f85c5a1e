// A plan as one page has it: loaded from the API, then changed by the events of others and by the
// page's own changes, each once and in the order of the server. The client of Plan rooms delivers
// the events; this module uses no socket.

import { newId } from '/planrooms/planrooms.js';

/**
 * Callbacks:
 *   changed()            the model has changed
 *   loaded(reason)       the plan was loaded
 *   event(message, own)  an event or a receipt was applied; for a receipt of this page, own
 *                        is the event that the others got
 */
export class Stream {
  #path;
  #session;
  #model;
  #on;
  #inbox = []; // events and receipts that are not applied yet
  #loads = 0; // number of loads; only the newest one takes effect
  #held = false; // a load is in flight, and the inbox waits for it
  // Own changes without a receipt so far: mutation ID -> {event}. The event is null until the API
  // has answered.
  #changes = new Map();

  constructor({ planId, session, model, on }) {
    this.#path = `/api/plans/${encodeURIComponent(planId)}`;
    this.#session = session;
    this.#model = model;
    this.#on = on;
  }

  /** Loads the plan, and returns its position: the plan contains the events up to there. */
  async load(reason) {
    const load = ++this.#loads;
    this.#inbox = []; // these events are older than the plan
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

  /** Makes a change by the REST API. asEvent turns the answer into the event of the others. */
  async change(client, method, path, body, asEvent) {
    const mutationId = newId();
    const change = { event: null };
    this.#changes.set(mutationId, change);
    const loads = this.#loads;
    try {
      const headers = client.headers(mutationId);
      change.event = asEvent(await this.#session.call(method, path, body, headers));
      // Show the change at once; the receipt will apply it again in its place in the order. A plan
      // that was loaded since may contain the change and later ones. Then no receipt comes that
      // would correct the order.
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
      // The receipt is the place of an own change in the order. It can arrive before the answer to
      // the request, which has the content. The receipt and all later events then wait for the
      // answer.
      const own = message.type === 'receipt' ? this.#changes.get(message.mutationId) : null;
      if (own && !own.event) return;

      this.#inbox.shift();
      if (message.type !== 'receipt') {
        this.#model.apply(message);
      } else if (own) {
        this.#model.apply(own.event);
        this.#changes.delete(message.mutationId);
      } else {
        // the answer was lost, so the content of the change is unknown
        this.#reload();
      }
      this.#on.event(message, own?.event);
      this.#on.changed();
    }
  }

  async #reload() {
    const waiting = this.#inbox;
    try {
      await this.load('unanswered');
    } catch {
      this.#inbox.unshift(...waiting); // the next load will bring the change
      this.#drain();
    }
  }
}
