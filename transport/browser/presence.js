// What this client shows to the other participants of a plan. Each subscription has a state of its
// own. The one set last counts; when it is cleared, the one set before it counts again.

/** @import { Plan } from './plan.js' */
/** @import { Subscription } from './subscription.js' */

import { PRESENCE_BURST } from './outbox.js';

const EVERY = 250; // ms between two states: of those set meanwhile, the last is sent
const AFTER_REFUSAL = 2_000; // ms
const MAX_BYTES = 1_024;

export class Presence {
  #plan;
  /** @type {Map<Subscription<any, any, any, any>, string>} JSON, in the order of setting */
  #states = new Map();
  /** @type {string | undefined} what the server has; undefined: not known */ #sent = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {Plan} plan */
  constructor(plan) {
    this.#plan = plan;
  }

  /**
   * Throws if state is not JSON, or too long.
   * @param {Subscription<any, any, any, any>} owner
   * @param {unknown} state
   */
  set(owner, state) {
    const text = JSON.stringify(state ?? null);
    if (!text || new TextEncoder().encode(text).length > MAX_BYTES)
      throw new TypeError('planrooms: a state is JSON of up to 1,024 bytes');
    this.#states.delete(owner);
    if (text !== 'null') this.#states.set(owner, text);
    this.#schedule(EVERY);
  }

  /** @param {Subscription<any, any, any, any>} owner */
  remove(owner) {
    if (this.#states.delete(owner)) this.#schedule(EVERY);
  }

  /** The plan is live. */
  joined() {
    this.#plan.connection.outbox.send(this.#make, PRESENCE_BURST);
  }

  /** The server refused a state by its rate limit. */
  refused() {
    this.lost();
    this.#sent = undefined;
    this.#schedule(AFTER_REFUSAL);
  }

  /** The membership is lost, and the state with it. */
  lost() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sent) this.#sent = undefined;
  }

  #schedule(/** @type {number} */ wait) {
    if (this.#plan.state !== 'live') return; // sent after the join
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.joined();
    }, wait);
  }

  #make = () => {
    const text = [...this.#states.values()].at(-1) ?? '';
    if (this.#plan.state !== 'live' || text === this.#sent) return null;
    this.#sent = text;
    return /** @type {const} */ ({
      type: 'update-presence',
      planId: this.#plan.id,
      data: { state: JSON.parse(text || 'null') },
    });
  };
}
