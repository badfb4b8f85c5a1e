// Paces what a connection (connection.js) sends: send queues a request, later a presence state, and
// sendNow sends at once. The server takes 10 messages a second and 128 at once; it refuses more,
// and closes a connection with 4429 after the third refusal in 10 s.

/** @import { ClientMessage } from './protocol.js' */
/** @import { Timers } from './timing.js' */

import { now } from './timing.js';

const EVERY = 110; // ms between two messages, once the burst is used up
const BURST = 100; // messages
const PRESENCE_BURST = 5; // of them, for presence; the others are for more important messages

export class Outbox {
  #timers;
  #write;
  /** @type {ClientMessage[]} */ #queue = [];
  /** @type {Set<() => ClientMessage | null>} */ #presence = new Set();
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
    this.#queue = [];
    this.#presence.clear();
    this.#fullAt = 0;
  }

  /** The server has refused a message: its bucket is empty. */
  drained() { this.#fullAt = now() + BURST * EVERY; }

  send(/** @type {ClientMessage} */ message) {
    this.#queue.push(message);
    this.#flush();
  }

  /**
   * Sends what make returns when there is room for it. A function that waits already is not added.
   */
  later(/** @type {() => ClientMessage | null} */ make) {
    this.#presence.add(make);
    this.#flush();
  }

  #flush() {
    while (this.#queue.length && this.#room(BURST)) this.sendNow(/** @type {ClientMessage} */ (this.#queue.shift()));
    for (const make of this.#presence) {
      if (this.#queue.length || !this.#room(PRESENCE_BURST)) break;
      this.#presence.delete(make);
      const message = make();
      if (message) this.sendNow(message);
    }
    if (this.#queue.length || this.#presence.size) this.#timers.after('outbox', EVERY, () => this.#flush());
  }

  #room(/** @type {number} */ burst) { return this.#fullAt - now() < burst * EVERY; }

  /** Sends at once: for pings and renewals, which are at most a few a minute. */
  sendNow(/** @type {ClientMessage} */ message) {
    this.#fullAt = Math.max(this.#fullAt, now()) + EVERY;
    this.#write(message);
  }
}
