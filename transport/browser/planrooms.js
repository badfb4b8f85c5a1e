// The browser client of Plan rooms: live plans over one WebSocket. This is the module that programs
// import; the README lists the others.
//
//   const client = new Client({ getToken });
//   const plan = client.join('demo', { load, onEvent });
//
// A Client has one Connection, and one Plan for each plan ID. It passes the messages of the
// connection to the plans, and makes the plans join when the connection is open.

/**
 * The types of this module, and those of its options and callbacks.
 * @typedef {import('./types.js').ClientOptions} ClientOptions
 * @typedef {import('./types.js').ClientError} ClientError
 * @typedef {import('./types.js').ConnectionState} ConnectionState
 * @typedef {import('./types.js').LoadReason} LoadReason
 * @typedef {import('./types.js').LoadRequest} LoadRequest
 * @typedef {import('./types.js').PlanSnapshot} PlanSnapshot
 * @typedef {import('./types.js').PlanStatus} PlanStatus
 * @typedef {import('./types.js').Token} Token
 * @typedef {import('./types.js').TokenReason} TokenReason
 * @typedef {import('./types.js').TokenRequest} TokenRequest
 * @typedef {import('./protocol.js').JoinAnswer} JoinAnswer
 * @typedef {import('./protocol.js').Participant} Participant
 * @typedef {import('./protocol.js').Position} Position
 * @typedef {import('./protocol.js').Receipt} Receipt
 * @typedef {import('./protocol.js').TaskId} TaskId
 */
/**
 * @template {string} [Type=import('./protocol.js').HostType]
 * @template [Data=unknown]
 * @typedef {import('./protocol.js').HostEvent<Type, Data>} HostEvent
 */
/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent]
 * @template {import('./protocol.js').TaskId} [Id=string]
 * @typedef {import('./protocol.js').PlanEvent<Task, Progress, Host, Id>} PlanEvent
 */
/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent]
 * @template {import('./protocol.js').TaskId} [Id=string]
 * @typedef {import('./types.js').PlanHandlers<Task, Progress, Host, Id>} PlanHandlers
 */

import { Connection } from './connection.js';
import { Plan } from './plan.js';
import { Subscription } from './subscription.js';
import { bind, call } from './timing.js';

export { Subscription };

const LEAVE_AFTER = 1_500; // a page that changes its view may join the plan again
// Events of the page after which the network may have changed, or the computer may have slept.
const WAKING = ['online', 'offline', 'focus', 'pageshow', 'visibilitychange'];

/** Makes an id that is valid as a client id and as a mutation id. */
export const newId = () => crypto.getRandomValues(new Uint32Array(4)).join('');

/** One connection to a server, and the plans on it. */
export class Client {
  /** Identifies this page to the server, see {@link Client.headers}. */
  clientId;

  /** @type {Connection} */ #connection;
  /** @type {Map<string, Plan>} */ #plans = new Map();
  /** @type {Set<[name: string, listener: Function]>} */ #listeners = new Set();
  #kept = false; // `connect` was called: stay connected without a plan

  /**
   * Throws a TypeError unless there is one of getToken and credentials.
   * @param {ClientOptions} options
   */
  constructor(options) {
    if (!options?.getToken === !options?.credentials) {
      throw new TypeError("planrooms: pass either getToken or credentials: 'cookie'");
    }
    this.clientId = options.clientId ?? newId();
    this.#connection = new Connection(options, this.clientId, {
      changed: () => this.#changed(),
      opened: () => this.#opened(),
      renewed: () =>
        this.#plans.forEach((plan) => {
          if (plan.state === 'denied') plan.retry();
        }),
      received: (message, size) => this.#received(message, size),
    });
    bind(this);
  }

  get state() {
    return this.#connection.state;
  }
  get error() {
    return this.#connection.error;
  }
  /** When the next attempt is made, in milliseconds since 1970; 0 unless the state is `waiting`. */
  get retryAt() {
    return this.#connection.retryAt;
  }

  /**
   * Headers for a change by the host's API. With them this client gets a receipt instead of the
   * event.
   * @param {string} [mutationId] comes back in event and receipt
   * @returns {Record<string, string>}
   */
  headers(mutationId) {
    return { 'X-Plan-Client': this.clientId, ...(mutationId && { 'X-Plan-Mutation': mutationId }) };
  }

  /**
   * Watches a plan, and connects if necessary, but not after an end that was final: then
   * `reconnect`, `connect` or `renew` is needed. A plan may have several subscriptions.
   * @template [Task=unknown]
   * @template [Progress=unknown]
   * @template {HostEvent<string>} [Host=HostEvent]
   * @template {import('./protocol.js').TaskId} [Id=string]
   * @param {string} planId
   * @param {PlanHandlers<Task, Progress, Host, Id>} [handlers]
   * @returns {Subscription<Task, Progress, Host, Id>} to end with `leave`
   */
  join(planId, handlers = {}) {
    const known = this.#plans.get(planId);
    const plan = known ?? new Plan(planId, this.#connection);
    this.#plans.set(planId, plan);
    clearTimeout(plan.leaving);
    const subscription = new Subscription(plan, handlers, (s) => this.#release(plan, s));
    plan.add(subscription);
    if (!this.#connection.final) this.#connection.start();
    if (!known) plan.join();
    return subscription;
  }

  #release(/** @type {Plan} */ plan, /** @type {Subscription<any, any, any, any>} */ subscription) {
    if (!plan.subscriptions.delete(subscription) || plan.subscriptions.size || plan.closed) return;
    plan.leaving = setTimeout(() => {
      this.#plans.delete(plan.id);
      plan.close();
      if (!this.#plans.size && !this.#kept && !this.#connection.final) this.#connection.stop();
    }, LEAVE_AFTER);
  }

  /** Connects, and stays connected without a plan: for private notices. */
  connect() {
    this.#kept = true;
    this.#connection.start();
  }

  /** Disconnects until `connect` or `reconnect` is called, or a plan is joined. */
  disconnect() {
    this.#kept = false;
    this.#connection.stop();
  }

  /**
   * Leaves all plans and disconnects, both at once; for example when the user logs out. The
   * subscriptions are closed: to watch a plan again, join it again.
   */
  close() {
    this.#plans.forEach((plan, id) => {
      this.#plans.delete(id);
      plan.close();
    });
    this.disconnect();
  }

  /** Connects again at once, also after a final end. Asks again for denied plans. */
  reconnect() {
    this.#connection.restart();
    this.#plans.forEach((plan) => plan.retry());
  }

  /**
   * Fetches a new token and continues with it; call it when the login has changed. It works in
   * every state, also after an end, such as that of a page without a login. Without a plan or
   * `connect` it does nothing, since the next connection fetches a token. Denied plans are asked
   * for again.
   */
  async renew() {
    if (this.#kept || this.#plans.size) await this.#connection.renew();
  }

  /**
   * - `change`: state, error or retryAt have changed
   * - `notice`: a message of the host to this user that is not an event of a plan
   * - `error`: a refusal that does not concern a plan
   * @param {'change' | 'notice' | 'error'} name
   * @param {(message: any) => void} listener
   * @returns {() => void} removes the listener
   */
  on(name, listener) {
    /** @type {[string, Function]} */ const added = [name, listener];
    this.#listeners.add(added);
    return () => {
      this.#listeners.delete(added);
    };
  }

  #emit(/** @type {string} */ name, /** @type {unknown} */ message) {
    for (const [to, listener] of this.#listeners) if (to === name) call(listener, message);
  }

  #received(/** @type {any} */ message, /** @type {number} */ size) {
    if (message.planId) this.#plans.get(message.planId)?.receive(message, size);
    else if (message.type === 'error') this.#emit('error', message.data);
    else if (message.type !== 'pong') this.#emit('notice', message);
  }

  #opened() {
    const plans = [...this.#plans.values()].filter(
      (plan) => plan.state !== 'denied' || plan.user !== this.#connection.user,
    );
    for (const plan of plans) plan.join();
    if (!plans.length) this.#connection.ping(); // the server closes a connection that sends nothing
  }

  #changed() {
    // To add or remove a listener twice has no effect.
    const method = this.state === 'idle' ? 'removeEventListener' : 'addEventListener';
    for (const name of WAKING) globalThis[method]?.(name, this.#wake);
    if (this.state !== 'connected') this.#plans.forEach((plan) => plan.interrupt());
    this.#emit('change', this);
  }

  #wake = (/** @type {Event} */ { type }) => {
    if (globalThis.document?.visibilityState !== 'hidden') this.#connection.wake(type === 'offline');
  };
}
