// The browser client of Plan rooms: live plans over one WebSocket.
//
//   const client = new Client({ getToken });
//   const plan = client.join('demo', { load, onEvent });

/** @import { ClientOptions, PlanHandlers } from './types.js' */
/** @import { HostEvent } from './protocol.js' */

import { call, Connection } from './connection.js';
import { Plan, Subscription } from './plan.js';

const LEAVE_AFTER = 1_500;
const WAKING = ['online', 'offline', 'focus', 'pageshow', 'visibilitychange'];

/** A new id of the kind that client ids and mutation ids are. */
export const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

/** One connection to a server, and the plans on it. */
export class Client {
  /** Who this page is to the server: goes with the page's own changes, see {@link Client.headers}. */
  clientId;

  /** @type {Connection} */ #connection;
  /** @type {Map<string, Plan>} */ #plans = new Map();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */ #leaving = new Map();
  /** @type {Map<string, Set<Function>>} */ #listeners = new Map();
  #kept = false; // connected without a plan
  #listening = false; // to what wakes us

  /** @param {ClientOptions} options */
  constructor(options) {
    this.clientId = options.clientId ?? newId();
    this.#connection = new Connection(options, this.clientId, {
      changed: () => this.#changed(),
      opened: () => this.#plans.forEach((plan) => plan.state === 'denied' || plan.join()),
      received: (message) => this.#received(message),
    });
  }

  get state() { return this.#connection.state; }
  get error() { return this.#connection.error; }
  get retryAt() { return this.#connection.retryAt; }

  /**
   * Headers for a change by the host's API, so that this client gets a receipt in place of the event.
   * @param {string} [mutationId] comes back in event and receipt
   * @returns {Record<string, string>}
   */
  headers(mutationId) {
    return { 'X-Plan-Client': this.clientId, ...(mutationId && { 'X-Plan-Mutation': mutationId }) };
  }

  /**
   * Watches a plan, and connects if need be. Several may watch one.
   * @template [Task=unknown]
   * @template [Progress=unknown]
   * @template {HostEvent<string>} [Host=HostEvent]
   * @param {string} planId
   * @param {PlanHandlers<Task, Progress, Host>} [handlers]
   * @returns {Subscription<Task, Progress, Host>} to be left when it is done
   */
  join(planId, handlers = {}) {
    clearTimeout(this.#leaving.get(planId));
    this.#leaving.delete(planId);
    let plan = this.#plans.get(planId);
    const known = plan !== undefined;
    if (!plan) this.#plans.set(planId, plan = new Plan(planId, this.#connection));
    const subscription = new Subscription(plan, handlers, (s) => this.#release(plan, s));
    plan.add(subscription);
    this.#connection.start();
    if (!known && this.state === 'connected') plan.join();
    return subscription;
  }

  #release(/** @type {Plan} */ plan, /** @type {Subscription<any, any, any>} */ subscription) {
    if (!plan.subscriptions.delete(subscription) || plan.subscriptions.size > 0) return;
    this.#leaving.set(plan.id, setTimeout(() => {
      this.#leaving.delete(plan.id);
      this.#plans.delete(plan.id);
      plan.interrupt();
      this.#sayLeave(plan);
      if (this.#plans.size === 0 && !this.#kept) this.#connection.stop();
    }, LEAVE_AFTER));
  }

  #sayLeave(/** @type {Plan} */ plan) {
    if (plan.state !== 'denied') this.#connection.send({ type: 'leave-plan', planId: plan.id });
  }

  /** Connects, and stays so without a plan: for private notices. */
  connect() {
    this.#kept = true;
    this.#connection.start();
  }

  /** Disconnects until `connect` or `reconnect` is called, or a plan is joined. */
  disconnect() {
    this.#kept = false;
    this.#connection.stop();
  }

  /** Leaves all plans, at once, and disconnects: when somebody else logs in, say. */
  close() {
    for (const plan of this.#plans.values()) {
      plan.subscriptions.forEach((s) => s.forget());
      this.#sayLeave(plan);
    }
    this.disconnect();
    this.#leaving.forEach((timer) => clearTimeout(timer));
    this.#leaving.clear();
    this.#plans.clear();
  }

  /** Connects anew at once, also after an end that was final; plans that were denied are asked for again. */
  reconnect() {
    this.#connection.restart();
    this.#plans.forEach((plan) => plan.retry()); // to be joined by the connection that comes
  }

  /** Asks for a new token and goes on with it; to be called when the login has changed. */
  renew() { return this.#connection.renew(); }

  /**
   * - `change`: state, error or retryAt have
   * - `notice`: the host tells this user something that is no event of a plan
   * - `error`: a refusal that concerns no plan
   * @param {'change' | 'notice' | 'error'} name
   * @param {(message: any) => void} listener
   * @returns {() => void} takes it away
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => { listeners.delete(listener); };
  }

  #emit(/** @type {string} */ name, /** @type {unknown} */ message) {
    this.#listeners.get(name)?.forEach((listener) => call(listener, message));
  }

  #received(/** @type {any} */ message) {
    if (message.planId) this.#plans.get(message.planId)?.receive(message);
    else if (message.type === 'error') this.#emit('error', message.data);
    else if (message.type !== 'pong') this.#emit('notice', message);
  }

  #changed() {
    this.#listen(this.state !== 'idle');
    if (this.state === 'connected') {
      if (this.#plans.size === 0) this.#connection.send({ type: 'ping' }); // who says nothing is not kept
    } else this.#plans.forEach((plan) => plan.interrupt());
    this.#emit('change', this);
  }

  #listen(/** @type {boolean} */ on) {
    if (this.#listening === on) return;
    this.#listening = on;
    for (const name of WAKING) globalThis[on ? 'addEventListener' : 'removeEventListener']?.(name, this.#wake);
  }

  #wake = () => {
    if (globalThis.document?.visibilityState !== 'hidden') this.#connection.wake();
  };
}
