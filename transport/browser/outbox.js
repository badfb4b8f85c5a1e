// Paces what a connection (connection.js) sends: send queues a request or a presence state, sendNow
// sends at once. A request is made when it is sent, from the state of that moment. The server takes
// 10 messages a second and 128 at once; it refuses more, and closes a connection with 4429 after
// the third refusal in 10 s.

/** @import { ClientMessage } from './protocol.js' */
/** @import { Timers } from './timing.js' */

import { now } from './timing.js';

const EVERY = 110; // ms between two messages, once the burst is used up
const BURST = 100; // messages
export const PRESENCE_BURST = 5; // of them, for presence; the others are for what matters more

/** @typedef {() => ClientMessage | null} Make makes a message; null: it is not needed any more */

export class Outbox {
  #timers;
  #write;
  /** @type {Map<Make, number>} with the part of the burst that each may use */
  #waiting = new Map();
  #fullAt = 0; // when the server's token bucket is full again

  /**
   * @param {Timers} timers
   * @param {(message: ClientMessage) => void} write
   */
  constructor(timers, write) {
    this.#timers = timers;
    this.#write = write;
  }

  /** Starts again for a new connection. */
  reset() {
    this.#waiting.clear();
    this.#fullAt = 0;
  }

  /** The server has refused a message: its bucket is empty. */
  drained() {
    this.#fullAt = now() + BURST * EVERY;
  }

  /**
   * Sends what make returns, as soon as there is room for it. A function that waits already is not
   * added.
   */
  send(/** @type {Make} */ make, burst = BURST) {
    this.#waiting.set(make, burst);
    this.#flush();
  }

  #flush() {
    for (const [make, burst] of this.#waiting) {
      if (this.#fullAt - now() >= burst * EVERY) continue;
      this.#waiting.delete(make);
      const message = make();
      if (message) this.sendNow(message);
    }
    if (this.#waiting.size) this.#timers.after('outbox', EVERY, () => this.#flush());
  }

  /** Sends at once: for pings and renewals, which are at most a few a minute. */
  sendNow(/** @type {ClientMessage} */ message) {
    this.#fullAt = Math.max(this.#fullAt, now()) + EVERY;
    this.#write(message);
  }
}
