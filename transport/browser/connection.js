// One connection, from wanting it to giving it up. It knows tokens, times and close codes, but no plans.
//
//            start            token, socket, hello
//   idle ------------> connecting -----------------> connected
//    ^ ^                 |   ^                           |
//    | |  final, stop    |   |  time is up, wake         |  closed, silent, asleep
//    | +-----------------+   |                           |
//    |                   v   |                           |
//    +---------------- waiting <-------------------------+
//         stop
//
// Final are: no token, a token refused twice in a row, a code after which it is no use to come back.

/** @import { ClientError, ClientOptions, ConnectionState, TokenReason } from './types.js' */
/** @import { ClientMessage, Goodbye, Hello, ServerMessage } from './protocol.js' */

const SUBPROTOCOL = 'planrooms.v1';
const FINAL = [1003, 1007, 1009, 4400, 4403, 4409]; // a goodbye says the same, and wins

const CONNECT_WITHIN = 20_000; // token, handshake and hello together
const BEAT = 5_000; // looks at the clock
const QUIET = 25_000; // without a message: ask
const ANSWER_WITHIN = 10_000;
const ANSWER_WITHIN_AWAKE = 3_000; // when there is reason to doubt
const LATE = 2_000; // a timer so late was held back: by a throttled tab, or by sleep
const ASLEEP = 90_000; // and so late by sleep, since tabs are throttled to once a minute; the server has given us up by then
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;
const SETTLED = 5_000;
const ABANDONED = 60_000;
const RENEW_BEFORE = 30_000;
const RENEW_EVERY = 10_500; // the server takes one in 10 s
const MAX_TIMER = 2 ** 31 - 1;

/** Back-off with full jitter. @param {number} attempt from 0 */
export const backoff = (attempt) => Math.random() * Math.min(MAX_DELAY, FIRST_DELAY * 2 ** attempt);

/** Calls what a program gave us; an error of its own is reported as uncaught, and harms nobody else. */
export function call(/** @type {Function | undefined} */ f, /** @type {unknown[]} */ ...args) {
  try {
    f?.(...args);
  } catch (error) {
    queueMicrotask(() => { throw error; });
  }
}

export class Connection {
  /** @type {ConnectionState} */ state = 'idle';
  /** @type {ClientError | null} why it is not connected */ error = null;
  retryAt = 0; // of the next attempt, while waiting

  #options;
  #clientId;
  #owner;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Goodbye | null} */ #goodbye = null;
  /** @type {Record<string, ReturnType<typeof setTimeout>>} */ #timers = {};
  #run = 0; // counts what has been entered: who has waited for something sees that it is no longer wanted
  #attempt = 0; // failures in a row
  #paced = false; // the server has said when to come back
  #abandonedAt = 0; // when a handshake was given up that had no answer

  #token = '';
  #expiresAt = 0; // by the server's clock
  #skew = 0; // of it, to ours
  #rejected = false; // the token in use, or the last one
  #renewedAt = 0;

  #heardAt = 0;
  #dueAt = 0; // the next beat
  #answerBy = 0; // 0: nothing was asked
  #grace = false; // an answer may stand behind a late timer in the queue: look once more

  /**
   * @param {ClientOptions} options
   * @param {string} clientId
   * @param {{ changed(): void, opened(hello: Hello): void, received(message: any): void }} owner
   */
  constructor(options, clientId, owner) {
    this.#options = options;
    this.#clientId = clientId;
    this.#owner = owner;
  }

  start() {
    if (this.state !== 'idle') return;
    this.#attempt = 0;
    this.#rejected = false;
    this.#connect('connect');
  }

  /** @param {ClientError | null} [error] */
  stop(error = null) {
    this.#token = ''; // whoever starts it again may be somebody else
    if (this.state !== 'idle' || this.error || error) this.#enter('idle', error);
  }

  /** Connects anew, at once. */
  restart() {
    this.#attempt = 0;
    this.#rejected = false;
    this.#connect('connect');
  }

  /** @param {ClientMessage} message */
  send(message) {
    if (this.state === 'connected') this.#socket?.send(JSON.stringify(message));
  }

  /** Something lives on this connection: after a while the next failure is a first one again. */
  settle() {
    this.#timers.settled ??= setTimeout(() => { this.#attempt = 0; }, SETTLED);
  }

  /** To be called when the network may be back, or may be gone, or we have been away. */
  wake() {
    if (this.state === 'waiting' && !this.#paced) this.#connect('connect');
    else if (this.state === 'connected') {
      if (this.#dueAt + ASLEEP < Date.now()) this.#beat();
      else this.#ask(ANSWER_WITHIN_AWAKE);
    }
  }

  /** Goes on with another token, on the same connection if that can be. */
  async renew(/** @type {TokenReason} */ reason = 'changed') {
    if (this.state === 'idle') return;
    if (this.state !== 'connected') return this.#connect(reason);
    const run = this.#run;
    try {
      const there = await this.#fetchToken(reason);
      if (run !== this.#run) return;
      if (!there) return this.stop(LOGGED_OUT);
      this.#renewedAt = Date.now();
      this.send({ type: 'authenticate', data: { token: this.#token } });
    } catch {
      if (run === this.#run) this.#after('renewal', BEAT, () => this.renew(reason)); // until the server ends it
    }
  }

  #enter(/** @type {ConnectionState} */ state, /** @type {ClientError | null} */ error = null) {
    this.#run++;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const socket = this.#socket;
    this.#socket = this.#goodbye = null;
    if (socket) {
      if (this.state === 'connecting') this.#abandonedAt = Date.now();
      socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    this.state = state;
    this.error = error;
    this.retryAt = this.#answerBy = 0;
    this.#paced = this.#grace = false;
    if (state !== 'waiting') this.#owner.changed();
    return this.#run;
  }

  async #connect(/** @type {TokenReason} */ reason) {
    const run = this.#enter('connecting', this.error);
    this.#after('deadline', CONNECT_WITHIN, () => this.#retry({ code: 'timeout', message: 'no answer' }));
    try {
      const usable = reason === 'connect' && this.#token && this.#expiresAt - this.#now() > RENEW_BEFORE;
      const there = usable || await this.#fetchToken(reason);
      if (run !== this.#run) return;
      if (!there) return this.stop(LOGGED_OUT);
      this.#open();
    } catch (error) {
      if (run === this.#run) this.#retry({ code: 'failed', message: String(error) });
    }
  }

  #open() {
    const url = new URL(this.#options.url ?? '/ws', globalThis.location?.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('client', this.#clientId);
    const encoded = btoa(this.#token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const socket = new WebSocket(url, [SUBPROTOCOL, `base64url.bearer.planrooms.${encoded}`]);
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason: text }) => this.#closed(code, text);
    this.#socket = socket;
  }

  #receive(/** @type {ServerMessage} */ message) {
    this.#heardAt = Date.now();
    this.#answerBy = 0;
    this.#grace = false;
    if (message.type === 'goodbye') this.#goodbye = message.data;
    else if (message.type === 'authenticate') this.#renewed(message.data.expiresAt);
    else if (message.type === 'error' && message.data.re === 'authenticate') this.#notRenewed(message.data.code);
    else if (message.type === 'pong' && message.data && this.state === 'connecting') {
      clearTimeout(this.#timers.deadline);
      this.#skew = Date.parse(message.data.timestamp) - Date.now();
      this.state = 'connected';
      this.error = null;
      this.#rejected = false;
      this.#nextBeat(BEAT);
      this.#renewInTime();
      this.#owner.changed();
      this.#owner.opened(message.data);
    } else if (this.state === 'connected') this.#owner.received(message);
  }

  #closed(/** @type {number} */ code, /** @type {string} */ text) {
    const { reconnect = !FINAL.includes(code), reauth = code === 4401, retryAfterMs = 0, reason = text } = this.#goodbye ?? {};
    const error = { code, message: reason };
    // A handshake that was given up can be served late, and then replaces the connection that came after it.
    const byItself = code === 4409 && Date.now() - this.#abandonedAt < ABANDONED;
    if ((!reconnect && !byItself) || (reauth && this.#rejected)) return this.stop(error);
    if (!reauth) return this.#retry(error, retryAfterMs);
    this.error = error;
    this.#reject();
  }

  #retry(/** @type {ClientError} */ error, retryAfterMs = 0) {
    if (++this.#attempt > (this.#options.maxAttempts ?? Infinity)) return this.stop(error);
    const delay = retryAfterMs || backoff(this.#attempt - 1);
    this.#enter('waiting', error);
    this.#paced = retryAfterMs > 0;
    this.retryAt = Date.now() + delay;
    this.#after('retry', delay, () => this.#connect('connect'));
    this.#owner.changed();
  }

  // --- the token ---

  async #fetchToken(/** @type {TokenReason} */ reason) {
    const run = this.#run;
    const got = await this.#options.getToken({ reason });
    if (run !== this.#run || !got) return false;
    const { token, expiresAt = endOf(token) } = typeof got === 'string' ? { token: got } : got;
    this.#token = token;
    this.#expiresAt = typeof expiresAt === 'string' ? Date.parse(expiresAt) : expiresAt;
    return true;
  }

  #reject() {
    this.#rejected = true;
    this.#token = '';
    this.#connect('rejected');
  }

  #renewInTime() {
    const left = this.#expiresAt - this.#now();
    const wait = Math.max(left > 2 * RENEW_BEFORE ? left - RENEW_BEFORE : left / 2, this.#renewedAt + RENEW_EVERY - Date.now());
    // An end further off than timers reach is looked at again when the timer has run out.
    this.#after('renewal', wait, () => (wait > MAX_TIMER ? this.#renewInTime() : this.renew('renew')));
  }

  #renewed(/** @type {string | null} */ expiresAt) {
    this.#expiresAt = expiresAt ? Date.parse(expiresAt) : Infinity;
    this.#renewInTime();
  }

  #notRenewed(/** @type {string} */ code) {
    if (code === 'rate_limited') this.#after('renewal', RENEW_EVERY, () => this.renew('renew'));
    else this.#connect('changed'); // it may be good for another user: a new connection shows
  }

  #now() {
    return Date.now() + this.#skew;
  }

  // --- signs of life ---

  #ask(/** @type {number} */ within) {
    const by = Date.now() + within;
    if (this.#answerBy && this.#answerBy <= by) return;
    this.#answerBy = by;
    this.send({ type: 'ping' });
    this.#nextBeat(Math.min(within, BEAT));
  }

  #nextBeat(/** @type {number} */ wait) {
    this.#dueAt = Date.now() + wait;
    this.#after('beat', wait, () => this.#beat());
  }

  #beat() {
    const now = Date.now();
    const late = now - this.#dueAt;
    let next = BEAT;
    if (late > ASLEEP) {
      this.error = { code: 'asleep', message: 'the computer was asleep' };
      return this.#connect('connect');
    }
    if (this.#answerBy && now >= this.#answerBy) {
      if (late < LATE || this.#grace) return this.#retry({ code: 'silent', message: 'the server does not answer' });
      this.#grace = true;
      next = 1_000;
    } else if (this.#answerBy) next = Math.min(BEAT, this.#answerBy - now);
    else if (late > LATE) return this.#ask(ANSWER_WITHIN_AWAKE);
    else if (now - this.#heardAt >= QUIET) return this.#ask(ANSWER_WITHIN);
    this.#nextBeat(next);
  }

  #after(/** @type {string} */ name, /** @type {number} */ wait, /** @type {() => void} */ then) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(then, Math.min(wait, MAX_TIMER));
  }
}

const LOGGED_OUT = { code: 'unauthenticated', message: 'not logged in' };

/** The end of a JSON Web Token in milliseconds, or Infinity if this is none that tells. @param {string} token */
function endOf(token) {
  try {
    const { exp } = JSON.parse(atob(/** @type {string} */ (token.split('.')[1]).replaceAll('-', '+').replaceAll('_', '/')));
    return exp > 0 ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}
