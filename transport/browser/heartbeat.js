// Detects a dead connection for connection.js: pings after silence, and notices sleep by timers
// that run late.

/** @import { Timers } from './timing.js' */

import { now } from './timing.js';

const BEAT = 5_000; // between two looks at the clock
const QUIET = 25_000; // after this long without a message: ping
const ANSWER_WITHIN = 10_000; // of a ping
const ANSWER_WITHIN_AWAKE = 3_000; // when there is reason to doubt
const LATE = 2_000; // such a delay of a timer comes from a throttled tab, or from sleep
// More than a throttled tab, with its one timer a minute; the server has given up.
const ASLEEP = 90_000;

export class Heartbeat {
  #timers;
  #connection;
  #receivedAt = 0;
  #dueAt = 0; // the next beat
  #answerBy = 0; // 0: no ping is unanswered
  #grace = false; // the answer may be queued behind a late timer: check again

  /**
   * @param {Timers} timers
   * @param {{ ping(): void, silent(): void, asleep(): void }} connection
   */
  constructor(timers, connection) {
    this.#timers = timers;
    this.#connection = connection;
  }

  start() {
    this.received();
    this.#next(BEAT);
  }

  /** A message has arrived. */
  received() {
    this.#receivedAt = now();
    this.#answerBy = 0;
    this.#grace = false;
  }

  /** The network may have changed, or the computer may have slept. */
  doubt() {
    if (now() - this.#dueAt > ASLEEP) this.#connection.asleep();
    else this.#ask(ANSWER_WITHIN_AWAKE);
  }

  #ask(/** @type {number} */ wait) {
    const by = now() + wait;
    if (this.#answerBy && this.#answerBy <= by) return;
    this.#answerBy = by;
    this.#connection.ping();
    this.#next(Math.min(wait, BEAT));
  }

  #next(/** @type {number} */ wait) {
    this.#dueAt = now() + wait;
    this.#timers.after('beat', wait, () => this.#beat());
  }

  #beat() {
    const at = now();
    const late = at - this.#dueAt;
    let next = BEAT;
    if (late > ASLEEP) return this.#connection.asleep();
    if (this.#answerBy && at >= this.#answerBy) {
      if (late < LATE || this.#grace) return this.#connection.silent();
      this.#grace = true;
      next = 1_000;
    } else if (this.#answerBy) next = Math.min(BEAT, this.#answerBy - at);
    else if (late > LATE) return this.#ask(ANSWER_WITHIN_AWAKE);
    else if (at - this.#receivedAt >= QUIET) return this.#ask(ANSWER_WITHIN);
    this.#next(next);
  }
}
