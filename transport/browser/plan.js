// One plan on a connection, with the subscriptions to it: it joins the plan, detects gaps, and
// passes events on. What happens to an event then, and loads, are in subscription.js; participants
// are in people.js, the presence states of this client in presence.js.
//
// A plan keeps its place in the stream of events: the seq of the last one. A subscription has its
// own place, since it may begin later than another, or with a plan that was loaded earlier. Places
// come only from a join answer, an event, a receipt, a resync or a load.
//
//                answer             connection lost, gap, earlier place
//   joining -----------------> live ------------------------------------> recovering
//    ^    |                    |  ^                                         |    |
//    |    |                    |  +-------------------answer----------------+    |
//    |    | forbidden          | removed                      forbidden, removed |
//    |    v                    v                                                 |
//    +-- denied <--------------+-------------------------------------------------+
//   retry, another subscription
//
// Earlier place: a subscription needs events from before the place of the plan. A refusal after
// which the server allows another join (unavailable, rate_limited, removed with retry) does not
// lead to denied: the plan joins again after a pause.
//
// The status that a page sees is this state while the client is connected, and when it is denied.
// Otherwise it is the state of the connection; `stopped` is its idle with an error. `loading` is
// the status of a subscription whose load has not finished.

/** @import { ClientError, PlanSnapshot, PlanStatus } from './types.js' */
/** @import { JoinAnswer } from './protocol.js' */
/** @import { Connection } from './connection.js' */
/** @import { Subscription } from './subscription.js' */

import { People } from './people.js';
import { Presence } from './presence.js';
import { moveTo } from './subscription.js';
import { call, pause, Timers } from './timing.js';

const ANSWER_WITHIN = 20_000; // of a join

export class Plan {
  /** @type {'joining' | 'live' | 'recovering' | 'denied'} */ state = 'joining';
  /** @type {PlanSnapshot} */ snapshot;
  /** @type {Set<Subscription<any, any, any, any>>} */ subscriptions = new Set();
  presence = new Presence(this);
  epoch = '';
  seq = -1; // before the first answer
  user = ''; // at the last join
  closed = false; // left: a later join of the same plan makes another
  /** @type {ReturnType<typeof setTimeout> | undefined} until the plan is left */ leaving;

  #attempt = 0; // refusals in a row
  #unanswered = 0; // joins in a row
  #gap = -1; // the place after which events were missing; a join has asked for them
  /** @type {ClientError | null} */ #error = null;
  #people = new People(() => this.changed());
  #timers = new Timers();

  /** @param {string} id @param {Connection} connection */
  constructor(id, connection) {
    this.id = id;
    this.connection = connection;
    this.snapshot = this.#snapshot();
  }

  // --- joining ---

  /**
   * Joins from the earliest place that one of the subscriptions needs. For another user than before
   * it begins again: without a place, and without what the user before has seen and set.
   */
  join() {
    const { state, user } = this.connection;
    if (this.closed || state !== 'connected') return;
    this.#timers.clear();
    if (this.user && this.user !== user) {
      this.#forget('joining', 'user');
      this.#people.clear();
      this.presence = new Presence(this);
    }
    this.user = user;
    if (this.state !== 'joining') this.state = 'recovering';
    this.connection.outbox.send(this.#make);
    this.changed();
  }

  /** Makes the request, when it is sent. */
  #make = () => {
    if (this.closed) return null;
    const places = [...this.subscriptions].filter((s) => s.seq >= 0 && (s.epoch === this.epoch || !this.epoch));
    const { epoch, seq } = places.sort((a, b) => a.seq - b.seq)[0] ?? this;
    this.#timers.after('retry', ANSWER_WITHIN, () => {
      if (this.#unanswered++) this.connection.silent('timeout');
      else this.join();
    });
    return /** @type {const} */ ({ type: 'join-plan', planId: this.id, since: seq >= 0 ? { epoch, seq } : undefined });
  };

  /** The membership is lost, with the connection or by a refusal. */
  interrupt() {
    this.#timers.clear();
    this.#unanswered = 0;
    if (this.state === 'live') this.state = 'recovering';
    this.presence.lost();
    if (this.closed || this.state === 'denied' || this.connection.state === 'idle') this.#people.clear();
    else this.#people.lost();
    for (const s of this.subscriptions) s.interrupt();
    this.changed();
  }

  /** Asks again after a denial. */
  retry() {
    if (this.state === 'denied') this.state = 'joining';
    this.#error = null;
    this.join();
  }

  /** @param {Subscription<any, any, any, any>} subscription */
  add(subscription) {
    this.subscriptions.add(subscription);
    if (this.state === 'denied') this.retry();
    else if (this.state === 'live' && !this.#placed(subscription, true)) this.join();
  }

  /** Leaves the plan for good. */
  close() {
    clearTimeout(this.leaving);
    this.closed = true;
    for (const s of this.subscriptions) s.end();
    this.interrupt();
    if (this.state !== 'denied') this.connection.outbox.send(() => ({ type: 'leave-plan', planId: this.id }));
  }

  /** @param {JoinAnswer} data @param {string | undefined} timestamp */
  #joined(data, timestamp) {
    this.#timers.clear();
    this.state = 'live';
    moveTo(this, data.position);
    this.#attempt = this.#unanswered = 0;
    this.#error = null;
    this.#people.answer(data);
    this.presence.joined();
    this.changed();
    let earlier = false;
    for (const s of this.subscriptions) {
      call(s.handlers.onJoin, { ...data, timestamp });
      if (!s.closed && !this.#placed(s, data.recovered)) earlier = true;
    }
    if (earlier) this.join(); // the other subscriptions drop the events they have had
  }

  // #placed lets a subscription continue from here, and reports false if it needs earlier events.
  /** @param {Subscription<any, any, any, any>} s @param {boolean} recovered */
  #placed(s, recovered) {
    if (s.seq < 0) s.load(s.first, this);
    else if (!recovered || s.epoch !== this.epoch) s.load('not_recovered', this);
    else return s.seq >= this.seq;
    return true;
  }

  /** @param {ClientError} error @param {boolean} again */
  #refused(error, again) {
    if (!again) this.#forget('denied');
    this.interrupt();
    this.#error = error;
    if (again) this.#timers.after('retry', pause(this.#attempt++), () => this.join());
    this.changed();
    this.#failed(error);
  }

  /** @param {'joining' | 'denied'} state @param {import('./types.js').LoadReason} [reason] */
  #forget(state, reason) {
    this.state = state;
    this.seq = -1;
    this.epoch = '';
    this.#error = null;
    for (const s of this.subscriptions) s.forget(reason);
  }

  #failed(/** @type {ClientError} */ error) {
    for (const s of this.subscriptions) call(s.handlers.onError, error);
  }

  // --- what the server sends ---

  /** @param {any} message @param {number} size */
  receive(message, size) {
    const { type, data } = message;
    if (message.seq > 0) return this.#event(message, size);
    const joined = type === 'join-plan';
    if (joined || type === 'leave-plan') {
      if (data.success) return joined && this.#joined(data, message.timestamp);
      this.#people.moved(data, joined);
      this.changed();
      if (data.userId)
        for (const s of this.subscriptions) call(joined ? s.handlers.onUserJoined : s.handlers.onUserLeft, data);
    } else if (type === 'presence-updated') {
      this.#people.updated(data);
      this.changed();
    } else if (type === 'resync') this.#load('resync', data.position, data.spreadMs);
    else if (type === 'removed') this.#refused({ code: 'removed', message: data.reason }, data.retry);
    else if (type === 'error') {
      const limited = data.code === 'rate_limited';
      if (limited) this.connection.outbox.drained();
      if (data.re === 'join-plan') return this.#refused(data, limited || data.code === 'unavailable');
      if (limited) this.presence.refused();
      this.#failed(data);
    }
  }

  #event(/** @type {any} */ message, /** @type {number} */ size) {
    // A join under way brings it again.
    if (this.state !== 'live' || message.seq <= this.seq) return;
    if (message.prev > this.seq) {
      if (this.#gap !== this.seq) {
        // the server may have what is missing
        this.#gap = this.seq;
        return this.join();
      }
      this.#load('gap', { epoch: this.epoch, seq: message.prev });
    }
    this.seq = message.seq;
    for (const s of this.subscriptions) s.push(message, size);
  }

  /**
   * @param {'resync' | 'gap'} reason
   * @param {import('./protocol.js').Position} position
   * @param {number} [spreadMs]
   */
  #load(reason, position, spreadMs) {
    moveTo(this, position);
    for (const s of this.subscriptions) s.load(reason, position, spreadMs);
  }

  // --- what the program sees ---

  changed() {
    this.snapshot = this.#snapshot();
    for (const s of this.subscriptions) s.changed();
  }

  /** @returns {PlanSnapshot} */
  #snapshot() {
    const { state, error } = this.connection;
    let status = /** @type {PlanStatus} */ (state);
    if (this.closed) status = 'idle';
    else if (state === 'connected' || this.state === 'denied') status = this.state;
    else if (state === 'idle' && error) status = 'stopped';
    return { ...this.#people.snapshot, status, error: this.#error ?? error };
  }
}
