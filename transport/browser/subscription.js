// A part of the program that watches a plan, as `Client.join` returns it: its place in the stream
// of events, its loads, and its callbacks. The Plan of plan.js calls push for each event, and load
// when events are missing.
//
// Events that arrive during a load are held. If the stream breaks during a load (a resync, a gap,
// too many events), the load is finished first. Then the events up to the break are delivered,
// and the plan is loaded again, once, however often the stream broke.

/** @import { ClientError, LoadReason, PlanHandlers, PlanSnapshot } from './types.js' */
/** @import { HostEvent, Position, TaskId } from './protocol.js' */
/** @import { Plan } from './plan.js' */

import { bind, call, pause, Timers, within } from './timing.js';

const MAX_HELD = 4_096; // events
const MAX_HELD_SIZE = 4 * 1024 * 1024; // characters of JSON
const MAX_VERSIONS = 10_000; // keys
const MAX_STALE = 3; // loads in a row that return an older plan

/**
 * A load to be made. The events from place on in the list of held ones come after its position.
 * @typedef {{ reason: LoadReason, position: Position, spreadMs: number, place: number }} Load
 */

/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent]
 * @template {TaskId} [Id=string]
 */
export class Subscription {
  epoch = '';
  seq = -1; // of the last event received; -1: no place yet
  /** @type {LoadReason} of a load without a place */ first = 'joined';
  /** Left, or ended by `Client.close`: receives nothing more. */
  closed = false;

  #plan;
  #release;
  /** @type {AbortController | null} of the load under way */ #loading = null;
  /** @type {Load | null} after the one under way */ #next = null;
  /** @type {any[]} */ #held = [];
  #heldSize = 0; // since the last break
  #timers = new Timers();
  #stale = 0; // loads in a row that brought an older plan
  /** @type {ClientError | null} of the load under way */ #failure = null;
  /** @type {Map<string, number>} the last version of each key */ #versions = new Map();
  /** @type {PlanSnapshot | null} while loading */ #snapshot = null;
  #notifying = false;

  /**
   * @param {Plan} plan
   * @param {PlanHandlers<Task, Progress, Host, Id>} handlers
   * @param {(s: Subscription<any, any, any, any>) => void} release
   */
  constructor(plan, handlers, release) {
    this.#plan = plan;
    this.#release = release;
    this.handlers = handlers;
    if (isPosition(handlers.since)) moveTo(this, handlers.since);
    bind(this);
  }

  get planId() {
    return this.#plan.id;
  }
  /** @returns {PlanSnapshot} */
  get snapshot() {
    return (this.#plan.snapshot.status === 'live' && this.#snapshot) || this.#plan.snapshot;
  }
  get status() {
    return this.snapshot.status;
  }
  get participants() {
    return this.snapshot.participants;
  }
  get participantCount() {
    return this.snapshot.participantCount;
  }
  get error() {
    return this.snapshot.error;
  }
  /** @returns {Position | null} of the last event received, which may wait for a load */
  get position() {
    return this.seq < 0 ? null : { epoch: this.epoch, seq: this.seq };
  }

  /**
   * Shows a small state of this client to the other participants, such as what is being edited.
   * null clears it. Of several subscriptions to a plan, the state set last is shown; when it is
   * cleared, the one before it. Throws if the state cannot be encoded as JSON or is longer than
   * 1,024 bytes.
   * @param {unknown} state
   */
  setPresence(state) {
    if (!this.closed) this.#plan.presence.set(this, state);
  }

  /** Asks again after a denial. */
  retry() {
    this.#plan.retry();
  }

  /**
   * Ends the subscription. The client leaves the plan 1.5 s later, unless the program joins it
   * again.
   */
  leave() {
    this.end();
    this.#release(this);
  }

  end() {
    this.closed = true;
    this.forget();
    this.#plan.presence.remove(this);
  }

  /** Drops the place in the stream, and what belongs to it. reason is that of the next load. */
  forget(reason = this.first) {
    this.first = reason;
    this.#loading?.abort();
    this.#timers.clear();
    this.#loading = this.#next = this.#failure = null;
    this.#hold([]);
    this.seq = -1;
  }

  /** The connection is lost: a load under way ends, and the next join makes another. */
  interrupt() {
    if (this.#loading) this.forget();
  }

  /** @param {any} message @param {number} size */
  push(message, size) {
    if (this.closed || message.seq <= this.seq) return;
    this.seq = message.seq;
    if (!this.#loading) return this.#deliver(message);
    this.#heldSize += size;
    if (this.#held.push(message) <= MAX_HELD && this.#heldSize <= MAX_HELD_SIZE) return;
    this.#hold([]);
    this.#next = null;
    this.load('overflow', this);
  }

  /** @param {LoadReason} reason @param {Position} position @param {number} [spreadMs] */
  load(reason, { epoch, seq }, spreadMs = 0) {
    const position = { epoch, seq };
    moveTo(this, position);
    if (!this.handlers.load) return this.#hold([]);
    const place = this.#next?.place ?? this.#held.length;
    this.#held.length = place; // what lies between two breaks is part of the next load
    this.#heldSize = 0;
    const next = { reason, position, spreadMs, place };
    if (this.#loading) this.#next = next;
    else this.#load(next);
  }

  async #load(/** @type {Load} */ load) {
    let wait = this.#stale && pause(this.#stale);
    for (let failures = 0; ; ) {
      const loading = (this.#loading = new AbortController());
      const ended = () => loading !== this.#loading;
      this.changed();
      wait += Math.random() * load.spreadMs;
      // Never before join has returned. A pause that is cancelled never ends.
      await (wait &&
        new Promise((resolve) => {
          this.#timers.after('retry', wait, () => resolve(0));
        }));
      if (ended()) return;
      if (this.#next) load = this.#take(this.#next);
      const { reason, position } = load;
      /** @type {unknown} */ let result;
      /** @type {ClientError | null} */ let failure = null;
      try {
        result = await within(this.#plan.connection.timeout, loading, (signal) =>
          this.handlers.load?.({ reason, position, signal }),
        );
      } catch (error) {
        failure = { code: 'load', message: String(error) };
      }
      if (ended()) return;
      this.#failure = failure;
      wait = pause(failures++);
      if (failure) {
        call(this.handlers.onError, failure);
        if (ended()) return;
        continue;
      }
      failures = 0;
      let at = isPosition(result) ? result : position;
      const next = /** @type {Load | null} */ (this.#next);
      if (next) {
        const before = this.#held.slice(0, next.place);
        load = this.#take(next);
        if (older(at, next.position)) {
          if (!older(at, position)) this.#deliverAll(before, at.seq);
          if (ended()) return;
          wait = 0;
          continue;
        }
      } else if (older(at, position)) {
        if (++this.#stale < MAX_STALE) {
          if (at.epoch !== position.epoch) continue;
          this.#loading = null; // the server may have the events in between
          this.#hold([]);
          this.seq = at.seq;
          return this.#plan.join();
        }
        at = position; // continue from where the server is
        call(this.handlers.onError, { code: 'stale_load', message: 'old plan' });
        if (ended()) return;
      }
      this.#stale = 0;
      this.first = 'joined';
      this.#loading = null;
      this.seq = Math.max(this.seq, at.seq);
      this.changed();
      const held = this.#held;
      this.#hold([]);
      return this.#deliverAll(held, at.seq);
    }
  }

  /** Drops the held events from before the break: the load brings them. */
  #take(/** @type {Load} */ next) {
    this.#held.splice(0, next.place);
    this.#next = null;
    return next;
  }

  // A new beginning: the host may have restored an older plan, so earlier versions do not count.
  #hold(/** @type {any[]} */ held) {
    this.#versions.clear();
    this.#held = held;
    this.#heldSize = 0;
  }

  #deliverAll(/** @type {any[]} */ messages, /** @type {number} */ seq) {
    for (const message of messages) {
      if (this.closed) return;
      if (message.seq <= seq) continue;
      seq = message.seq;
      this.#deliver(message);
    }
  }

  #deliver(/** @type {any} */ message) {
    const { type, version } = message;
    const receipt = type === 'receipt';
    this.#stale = 0;
    if (version) {
      const { key, n } = version;
      if (n < /** @type {number} */ (this.#versions.get(key))) {
        if (!receipt) return;
      } else {
        this.#versions.delete(key);
        this.#versions.set(key, n);
        if (this.#versions.size > MAX_VERSIONS)
          this.#versions.delete(/** @type {string} */ (this.#versions.keys().next().value));
      }
    }
    call(receipt ? this.handlers.onReceipt : this.handlers.onEvent, message);
  }

  /** Calls onChange, once for several changes, and never before join has returned. */
  changed() {
    this.#snapshot = this.#loading && { ...this.#plan.snapshot, status: 'loading', error: this.#failure };
    if (this.#notifying) return;
    this.#notifying = true;
    queueMicrotask(() => {
      this.#notifying = false;
      call(this.handlers.onChange);
    });
  }
}

/** @returns {at is Position} */
function isPosition(/** @type {any} */ at) {
  return at?.epoch && Number.isInteger(at.seq);
}

/** Moves a plan or a subscription to a position. */
export function moveTo(/** @type {Position} */ to, /** @type {Position} */ { epoch, seq }) {
  to.epoch = epoch;
  to.seq = seq;
}

/** Whether a plan loaded at one position may lack what happened up to another. */
const older = (/** @type {Position} */ at, /** @type {Position} */ than) =>
  at.epoch !== than.epoch || at.seq < than.seq;
