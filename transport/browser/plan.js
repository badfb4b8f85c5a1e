// One plan on a connection, and those in the program who watch it.
//
// A Plan keeps its place in the stream of events: the seq of the last one. A Subscription keeps a place of its own, since one may begin
// later, or with a plan that was loaded earlier, than another. Places come from a join answer, an event, a receipt or a resync alone.
//
//   joining ---answer---> live ---connection lost, gap---> recovering ---answer---> live
//      |                    |                                   |
//      +------forbidden-----+----------removed------------------+----> denied

/** @import { ClientError, LoadReason, PlanHandlers, PlanSnapshot, PlanStatus } from './types.js' */
/** @import { HostEvent, JoinAnswer, Participant, Position } from './protocol.js' */

import { backoff, call } from './connection.js';

const LINGER = 6_000; // the server's 5 s, and the way here
const PRESENCE_EVERY = 250;
const MAX_HELD = 4_096;

export class Plan {
  /** @type {'joining' | 'live' | 'recovering' | 'denied'} */ state = 'joining';
  /** @type {PlanSnapshot} */ snapshot;
  /** @type {Set<Subscription<any, any, any>>} */ subscriptions = new Set();
  epoch = '';
  seq = -1; // before the first answer

  #attempt = 0; // refusals in a row
  #gap = -1; // where a hole was that a join was to fill
  /** @type {Map<string, Participant>} */ #people = new Map();
  #count = 0;
  /** @type {ClientError | null} */ #error = null;
  /** @type {unknown} */ #presence = null;
  #unsent = false; // the server may not know it yet
  #telling = false;
  /** @type {Record<string, ReturnType<typeof setTimeout> | undefined>} */ #timers = {};

  /**
   * @param {string} id
   * @param {import('./connection.js').Connection} connection
   */
  constructor(id, connection) {
    this.id = id;
    this.connection = connection;
    this.snapshot = this.#snapshot();
  }

  // --- joining ---

  /** Joins from the earliest place that one of the subscriptions needs. */
  join() {
    this.#clear();
    if (this.state !== 'joining') this.state = 'recovering';
    const places = [...this.subscriptions].filter((s) => s.seq >= 0 && (s.epoch === this.epoch || !this.epoch));
    const first = places.length ? places.reduce((a, b) => (a.seq < b.seq ? a : b)) : this;
    const since = first.seq >= 0 ? { epoch: first.epoch, seq: first.seq } : undefined;
    this.connection.send({ type: 'join-plan', planId: this.id, since });
    this.changed();
  }

  /** The connection is gone, or this plan is: what was known of people is not known any more. */
  interrupt() {
    this.#clear();
    if (this.state === 'live') this.state = 'recovering';
    this.#people.clear();
    this.#count = 0;
    this.changed();
  }

  /** Asks again after a denial. */
  retry() {
    if (this.state === 'denied') this.state = 'joining';
    this.#error = null;
    if (this.connection.state === 'connected') this.join();
  }

  /** @param {Subscription<any, any, any>} subscription */
  add(subscription) {
    this.subscriptions.add(subscription);
    if (this.state === 'denied') this.retry();
    else if (this.state === 'live' && !this.#placed(subscription, true)) this.join();
  }

  /** @param {JoinAnswer} data @param {string | undefined} timestamp */
  #joined(data, timestamp) {
    const { position, recovered, participants, participantCount } = data;
    this.state = 'live';
    this.epoch = position.epoch;
    this.seq = position.seq;
    this.#attempt = 0;
    this.#error = null;
    this.#people = new Map(participants.map((p) => [p.userId, p]));
    this.#count = participantCount;
    // Who lingers and comes back makes no noise: whose leave has not been told by then is back.
    this.#after('linger', LINGER, () => {
      for (const p of this.#people.values()) if (!p.connections) this.#people.set(p.userId, { ...p, connections: 1 });
      this.changed();
    });
    if (this.#presence !== null || this.#unsent) this.#sendPresence();
    this.connection.settle();
    this.changed();
    let earlier = false;
    for (const s of this.subscriptions) {
      call(s.handlers.onJoin, { ...data, timestamp });
      if (!this.#placed(s, recovered)) earlier = true;
    }
    if (earlier) this.join(); // the others leave out what they have had
  }

  // #placed sees to it that a subscription can go on from here, and reports false if it needs what came before.
  /** @param {Subscription<any, any, any>} s @param {boolean} recovered */
  #placed(s, recovered) {
    if (s.seq < 0) s.load('joined', this);
    else if (!recovered || s.epoch !== this.epoch) s.load('not_recovered', this);
    else return s.seq >= this.seq;
    return true;
  }

  /** @param {ClientError} error @param {boolean} again */
  #refused(error, again) {
    this.interrupt();
    this.#error = error;
    if (again) {
      this.#after('rejoin', Math.max(500, backoff(this.#attempt++)), () => this.join());
    } else {
      this.state = 'denied';
      this.seq = -1;
      this.epoch = '';
      for (const s of this.subscriptions) s.forget();
    }
    this.changed();
    for (const s of this.subscriptions) call(s.handlers.onError, error);
  }

  // --- what the server says ---

  /** @param {any} message */
  receive(message) {
    const { type, data } = message;
    if (message.seq > 0) return this.#event(message);
    switch (type) {
      case 'join-plan':
        if (data.success) return this.#joined(data, message.timestamp);
        this.#count = data.participantCount;
        if (!data.userId) this.#people.clear(); // a crowd is counted, not listed
        else this.#people.set(data.userId, { userId: data.userId, userName: data.userName, connections: 1 });
        return this.#told('onUserJoined', data);
      case 'leave-plan':
        if (data.success) return;
        this.#count = data.participantCount;
        this.#people.delete(data.userId);
        return this.#told('onUserLeft', data);
      case 'presence-updated': {
        const person = this.#people.get(data.userId);
        if (person) this.#people.set(data.userId, { ...person, connections: person.connections || 1, state: data.state ?? undefined });
        return this.changed();
      }
      case 'resync':
        this.epoch = data.position.epoch;
        this.seq = data.position.seq;
        for (const s of this.subscriptions) s.load('resync', this);
        return;
      case 'removed':
        return this.#refused({ code: 'removed', message: data.reason }, data.retry);
      case 'error':
        if (data.re === 'join-plan') return this.#refused(data, data.code === 'unavailable' || data.code === 'rate_limited');
        for (const s of this.subscriptions) call(s.handlers.onError, data);
    }
  }

  #event(/** @type {any} */ message) {
    if (this.state !== 'live' || message.seq <= this.seq) return; // a join under way brings it again
    if (message.prev !== this.seq) {
      if (this.#gap !== this.seq) { // what is missing may still be had
        this.#gap = this.seq;
        return this.join();
      }
      this.seq = message.prev;
      for (const s of this.subscriptions) s.load('gap', this);
    }
    this.seq = message.seq;
    for (const s of this.subscriptions) s.push(message);
  }

  #told(/** @type {'onUserJoined' | 'onUserLeft'} */ handler, /** @type {any} */ data) {
    this.changed();
    if (data.userId) for (const s of this.subscriptions) call(s.handlers[handler], data);
  }

  // --- what others see of us ---

  /** @param {unknown} state */
  setPresence(state) {
    this.#presence = state ?? null;
    this.#unsent = true;
    if (this.state === 'live') this.#timers.presence ??= setTimeout(() => this.#sendPresence(), PRESENCE_EVERY);
  }

  #sendPresence() {
    this.#timers.presence = undefined;
    this.#unsent = false;
    this.connection.send({ type: 'update-presence', planId: this.id, data: { state: this.#presence } });
  }

  // --- what is shown ---

  changed() {
    this.snapshot = this.#snapshot();
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => { // once for several changes, and never before join has returned
      this.#telling = false;
      for (const s of this.subscriptions) call(s.handlers.onChange);
    });
  }

  /** @returns {PlanSnapshot} */
  #snapshot() {
    const { state, error } = this.connection;
    /** @type {PlanStatus} */
    const status = state === 'connected' || this.state === 'denied' ? this.state : state === 'idle' && error ? 'stopped' : state;
    return { status, participants: [...this.#people.values()], participantCount: this.#count, error: this.#error ?? error };
  }

  #after(/** @type {string} */ name, /** @type {number} */ wait, /** @type {() => void} */ then) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(then, wait);
  }

  #clear() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
  }
}

/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent]
 */
export class Subscription {
  epoch = '';
  seq = -1; // up to where it was given the stream; -1: nowhere yet

  #plan;
  #release;
  /** @type {AbortController | null} */ #loading = null;
  /** @type {any[]} */ #held = []; // what has come since a load began

  /**
   * @param {Plan} plan
   * @param {PlanHandlers<Task, Progress, Host>} handlers
   * @param {(s: Subscription<any, any, any>) => void} release
   */
  constructor(plan, handlers, release) {
    this.#plan = plan;
    this.#release = release;
    this.handlers = handlers;
    if (handlers.since) ({ epoch: this.epoch, seq: this.seq } = handlers.since);
  }

  get planId() { return this.#plan.id; }
  get snapshot() { return this.#plan.snapshot; }
  get status() { return this.snapshot.status; }
  get participants() { return this.snapshot.participants; }
  get participantCount() { return this.snapshot.participantCount; }
  get error() { return this.snapshot.error; }
  /** @returns {Position | null} how far it has come, with the events that wait for a load */
  get position() { return this.seq < 0 ? null : { epoch: this.epoch, seq: this.seq }; }

  /** Shows the others something small about this client, such as what is being edited; null takes it away. @param {unknown} state */
  setPresence(state) { this.#plan.setPresence(state); }
  /** Asks again after a denial. */
  retry() { this.#plan.retry(); }
  /** Ends it. The server hears of it a moment later, unless somebody in the program joins again before. */
  leave() {
    this.forget();
    this.#release(this);
  }

  forget() {
    this.#loading?.abort();
    this.#loading = null;
    this.#held = [];
    this.seq = -1;
  }

  push(/** @type {any} */ message) {
    if (message.seq <= this.seq) return;
    this.seq = message.seq;
    if (!this.#loading) return this.#hand(message);
    if (this.#held.push(message) > MAX_HELD) this.load('overflow', this);
  }

  /** @param {LoadReason} reason @param {Position} position */
  async load(reason, { epoch, seq }) {
    this.forget();
    this.epoch = epoch;
    this.seq = seq;
    const { load } = this.handlers;
    if (!load) return;
    const loading = this.#loading = new AbortController();
    await null; // never before join has returned
    if (loading.signal.aborted) return;
    for (let attempt = 0, done = false; !done; attempt++) {
      try {
        const at = /** @type {any} */ (await load({ reason, position: { epoch, seq }, signal: loading.signal }));
        done = true;
        if (at?.epoch === epoch && at.seq > seq) seq = at.seq;
      } catch (error) {
        if (loading.signal.aborted) return;
        call(this.handlers.onError, { code: 'load', message: String(error) });
        await new Promise((resolve) => { setTimeout(resolve, 500 + backoff(attempt)); });
      }
      if (loading.signal.aborted) return;
    }
    this.seq = Math.max(this.seq, seq);
    this.#loading = null;
    const held = this.#held;
    this.#held = [];
    for (const message of held) if (message.seq > seq) this.#hand(message);
  }

  #hand(/** @type {any} */ message) {
    call(message.type === 'receipt' ? this.handlers.onReceipt : this.handlers.onEvent, message);
  }
}
