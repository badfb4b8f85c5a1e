// The stream of one plan: what everybody hears in one order, applied to a Model in that order, each thing once. It knows no
// socket; a PlanClient feeds it.

import { randomId } from './api.js';

/**
 * Callbacks:
 *   changed()            the model is not what it was
 *   loaded(why)          because it was loaded; why is empty the first time
 *   event(message, own)  because of an event; for the receipt of an own change, own is what others were told
 *   note(text)           something worth a line in a log
 *   failed(why)          the plan could not be loaded: what the model holds is not what position says
 */
export class Stream {
  /** Up to where the model holds the stream, {epoch, seq}: what a join says as since. Null: nothing is loaded. */
  position = null;

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

  /** Loads the plan with its position before a join, so that nothing is missed in between. */
  async open() {
    const load = ++this.#loads;
    const plan = await this.#session.call('GET', this.#path);
    if (load !== this.#loads) return;
    this.#loads++; // see change
    this.position = plan.position;
    this.#show(plan, '');
  }

  /**
   * Loads the plan anew while events go on coming. Its own position is not taken over, since the stream goes on where
   * the server has said; events that come meanwhile wait, and those that the plan holds already do no harm.
   */
  async reload(position, why) {
    const load = ++this.#loads;
    this.position = position;
    this.#held = true;
    try {
      const plan = await this.#session.call('GET', this.#path);
      if (load !== this.#loads) return;
      this.#held = false;
      this.#show(plan, why);
      this.#drain();
    } catch (err) {
      if (load === this.#loads) this.#on.failed(err.message);
    }
  }

  /** To be called when the connection is gone: what is still in the inbox comes again after the position. */
  interrupt() {
    this.#loads++;
    this.#inbox = [];
    if (this.#held) this.position = null;
    this.#held = false;
  }

  /** Takes an event or a receipt. */
  push(message) {
    this.#inbox.push(message);
    this.#drain();
  }

  /** Makes a change by the host's REST API. asEvent says what others are told of its answer. */
  async change(clientId, method, path, body, asEvent) {
    const mutationId = randomId();
    const change = { event: null };
    this.#changes.set(mutationId, change);
    const loads = this.#loads;
    try {
      const headers = { 'X-Plan-Client': clientId, 'X-Plan-Mutation': mutationId };
      change.event = asEvent(await this.#session.call(method, path, body, headers));
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

  #show(plan, why) {
    this.#model.load(plan);
    this.#on.loaded(why);
    this.#on.changed();
  }

  #drain() {
    while (!this.#held && this.#inbox.length > 0) {
      const message = this.#inbox[0];
      const { type, seq, prev, mutationId } = message;
      const { epoch, seq: last } = this.position;
      if (seq > last && prev !== last) {
        this.#on.note(`a hole between ${last} and ${prev}`);
        this.reload({ epoch, seq: prev }, 'a hole in the stream');
        return;
      }
      // An own change takes its place in the order with its receipt. That can be faster than the answer to the
      // request, which says what the server made of it; whatever came after the change then waits too.
      const own = type === 'receipt' ? this.#changes.get(mutationId) : null;
      if (own && !own.event) return;

      this.#inbox.shift();
      if (seq <= last) continue;
      this.position = { epoch, seq };
      if (type !== 'receipt') {
        this.#model.apply(message);
      } else if (own) {
        this.#model.apply(own.event);
        this.#changes.delete(mutationId);
      } else { // the answer was lost on the way, and nothing else says what was changed
        this.reload(this.position, 'a change of our own had no answer');
      }
      this.#on.event(message, own?.event);
      this.#on.changed();
    }
  }
}
