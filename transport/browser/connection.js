// The connection of a client, with its reconnects. It knows tokens, times and close codes, but no
// plans: it passes their messages to its owner, the Client of planrooms.js. The login is in
// token.js, the detection of a dead connection in heartbeat.js, the rate limit in outbox.js.
//
//           start              token, socket, hello
//   idle ----------> connecting -------------------> connected
//                     |  ^   ^                        |    |
//                     |  |   +------------------------+    |
//              failed |  |     asleep, session ended,      | closed, silent
//                     |  |     cookie renewed              |
//                     |  | delay is over, wake             |
//                     v  |                                 |
//                    waiting <-----------------------------+
//
// From each state, restart leads to connecting, and stop to idle. The owner calls stop, and so does
// the connection, with an error: without a login, after maxAttempts, after two refusals of new
// tokens in a row, after a close code that excludes a reconnect, and if it cannot open a WebSocket
// here. In the last three cases it is final: a join does not start it again.

/** @import { ClientError, ClientOptions, ConnectionState, TokenReason } from './types.js' */
/** @import { Goodbye, Hello, ServerMessage } from './protocol.js' */

import { Heartbeat } from './heartbeat.js';
import { Outbox } from './outbox.js';
import { backoff, now, pause, Timers } from './timing.js';
import { Token } from './token.js';

const SUBPROTOCOL = 'planrooms.v1';
const FINAL = [1003, 1007, 1009, 4400, 4403, 4409]; // a goodbye overrides this

const TIMEOUT = 30_000; // of getToken and load
const CONNECT_WITHIN = 20_000; // token, handshake and hello together
const DOUBTFUL = 2_000; // a handshake has this long when the network may have changed
const CLOSE_WITHIN = 3_000; // after a goodbye
const SETTLED = 5_000; // a connection that lasts this long resets the back-off
const ABANDONED = 60_000; // the server may complete an abandoned handshake within this time
const MAX_TIMER = 2 ** 31 - 1; // the longest wait that setTimeout accepts
const RENEW_EVERY = 10_500; // the server accepts one renewal in 10 s
const RENEW_AFTER = 5_000; // at the earliest, after a hello or a failure

export class Connection {
  /** @type {ConnectionState} */ state = 'idle';
  /** @type {ClientError | null} why it is not connected */ error = null;
  retryAt = 0; // of the next attempt, while waiting
  final = false; // idle, and a join does not start it again
  user = ''; // that the last hello named

  #options;
  #clientId;
  #owner;
  #timers = new Timers();
  outbox = new Outbox(this.#timers, (message) => {
    if (this.state === 'connected') this.#socket?.send(JSON.stringify(message));
  });
  #heartbeat = new Heartbeat(this.#timers, this);
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Goodbye | null} */ #goodbye = null;
  #attempt = 0; // failures in a row
  #paced = false; // the server set the delay
  #abandonedAt = -Infinity; // when a handshake without an answer was given up

  #token;
  /** @type {TokenReason} */ #reason = 'connect'; // for the next token
  #fresh = false; // the token was fetched for this attempt
  #refused = false; // the server refused a fresh token, and no hello has come since
  #changed = false; // the program called renew, and the server has not accepted the new login yet

  /**
   * @param {ClientOptions} options
   * @param {string} clientId
   * @param {{ changed(): void, opened(): void, renewed(): void,
   *   received(message: any, size: number): void }} owner
   */
  constructor(options, clientId, owner) {
    this.#options = options;
    this.#clientId = clientId;
    this.#owner = owner;
    this.#token = new Token(options);
    this.timeout = options.timeoutMs ?? TIMEOUT;
  }

  start() {
    if (this.state === 'idle') this.restart();
  }

  /** Connects at once, also after a final end. */
  restart(reason = this.#reason) {
    this.#attempt = 0;
    this.#refused = false;
    this.#connect(reason);
  }

  /** @param {ClientError | null} [error] @param {boolean} [final] */
  stop(error = null, final = false) {
    this.#token.drop(); // the next start may be for another user
    if (!error) this.#reason = 'connect';
    this.final = final;
    if (this.state !== 'idle' || this.error !== error) this.#enter('idle', error);
  }

  ping() {
    this.outbox.sendNow({ type: 'ping' });
  }

  /** The server does not answer. */
  silent(/** @type {string} */ code = 'silent') {
    this.fail({ code, message: 'no answer' });
  }

  /** The computer was asleep, so the server has closed the connection. */
  asleep() {
    this.error = { code: 'asleep', message: 'asleep' };
    this.#connect();
  }

  /** Gives the connection up, and connects again after a while. @param {ClientError} error */
  fail(error, retryAfterMs = 0) {
    if (++this.#attempt > /** @type {number} */ (this.#options.maxAttempts)) return this.stop(error);
    const delay = retryAfterMs || backoff(this.#attempt - 1);
    if (!this.#enter('waiting', error, Date.now() + delay)) return;
    this.#paced = retryAfterMs > 0;
    this.#timers.after('retry', delay, () => this.#connect());
  }

  /** The network may be back, or gone (lost), or the computer may have slept. */
  wake(lost = false) {
    if (this.state === 'connected') this.#heartbeat.doubt();
    else if (!lost && !this.#paced) {
      this.#attempt = 0;
      if (this.state === 'waiting') this.#connect();
      // A handshake may be lost with the network before.
      else if (this.#socket) this.#timers.after('deadline', DOUBTFUL, () => this.#connect());
    }
  }

  /** Fetches another token, and continues with it, on the same connection if possible. */
  async renew(/** @type {TokenReason} */ reason = 'changed') {
    if (this.state === 'idle' && !this.error) return; // the program wants no connection
    if (reason === 'changed') this.#changed = true;
    if (this.state !== 'connected') return this.restart(reason);
    this.#timers.cancel('renewal');
    try {
      if (!(await this.#login(reason))) return;
      const { text } = this.#token;
      // The server reads a cookie in the handshake alone: connect again, with the same client id.
      if (!text) this.#connect();
      else this.outbox.sendNow({ type: 'authenticate', data: { token: text } });
    } catch {
      // Again and again, until the server ends the connection.
      this.#timers.after('renewal', RENEW_AFTER, () => this.renew(reason));
    }
  }

  /** Fetches a token. Reports false if the caller has to stop: without a login, or superseded. */
  async #login(/** @type {TokenReason} */ reason) {
    const loggedIn = await this.#token.fetch(reason, this.timeout);
    if (loggedIn === false) this.stop({ code: 'unauthenticated', message: 'not logged in' });
    return loggedIn;
  }

  /** Reports false if the owner entered another state in changed(). */
  #enter(/** @type {ConnectionState} */ state, /** @type {ClientError | null} */ error = null, retryAt = 0) {
    this.#timers.clear();
    this.outbox.reset();
    this.#token.cancel();
    const socket = this.#socket;
    this.#socket = this.#goodbye = null;
    if (socket) {
      if (this.state === 'connecting') this.#abandonedAt = now();
      socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    this.state = state;
    this.error = error;
    this.retryAt = retryAt;
    this.#paced = false;
    this.#owner.changed();
    return this.state === state;
  }

  async #connect(/** @type {TokenReason} */ reason = this.#reason) {
    this.#reason = reason;
    this.final = false;
    if (!this.#enter('connecting', this.error)) return;
    this.#timers.after('deadline', CONNECT_WITHIN, () => this.silent('timeout'));
    const { WebSocket = globalThis.WebSocket } = this.#options;
    const url = this.#url();
    if (!url || !WebSocket)
      return this.stop({ code: 'unsupported', message: `no ${url ? 'WebSocket' : 'absolute http or ws url'}` }, true);
    try {
      this.#fresh = reason !== 'connect' || !this.#token.usable;
      if (this.#fresh && !(await this.#login(reason))) return;
      this.#reason = 'connect';
      const { text } = this.#token;
      /** @type {WebSocket} */ const socket = (this.#socket = new WebSocket(
        url,
        text ? [SUBPROTOCOL, `base64url.bearer.planrooms.${base64url(text)}`] : [SUBPROTOCOL],
      ));
      socket.onmessage = ({ data }) => this.#receive(JSON.parse(data), data.length);
      socket.onclose = ({ code, reason }) => this.#closed(code, reason);
      socket.onerror = () => {}; // a close follows; the package ws throws without a listener
    } catch (error) {
      this.fail({ code: 'failed', message: String(error) });
    }
  }

  /** Null if no WebSocket can be opened from here, such as by a path in a blob worker. */
  #url() {
    try {
      const url = new URL(this.#options.url ?? '/ws', globalThis.location?.href);
      url.protocol = url.protocol.replace('http', 'ws');
      url.searchParams.set('client', this.#clientId);
      return /^wss?:$/.test(url.protocol) ? url : null;
    } catch {
      return null;
    }
  }

  #receive(/** @type {ServerMessage} */ message, /** @type {number} */ size) {
    const { type, data } = message;
    this.#heartbeat.received();
    if (type === 'goodbye') {
      this.#goodbye = data;
      this.#timers.after('goodbye', CLOSE_WITHIN, () => this.#closed(data.code, data.reason));
    } else if (type === 'authenticate') {
      this.#token.extend(data.expiresAt);
      this.#renewInTime(RENEW_EVERY);
      this.#accepted();
    } else if (type === 'error' && data.re === 'authenticate') {
      if (data.code === 'rate_limited' || data.code === 'unavailable') {
        this.#timers.after('renewal', RENEW_EVERY, () => this.renew('renew'));
      } else this.#connect('changed'); // the token may be another user's: a new connection shows
    } else if (type === 'pong' && data && this.state === 'connecting') this.#opened(data);
    else if (this.state === 'connected') this.#owner.received(message, size);
  }

  #opened(/** @type {Hello} */ { timestamp, userId }) {
    this.user = userId;
    this.#timers.after('deadline', SETTLED, () => {
      this.#attempt = 0;
    }); // replaces that of the attempt
    this.#token.synchronize(timestamp);
    this.state = 'connected';
    this.error = null;
    this.#refused = false;
    this.#heartbeat.start();
    this.#renewInTime(RENEW_AFTER);
    this.#owner.changed();
    this.#owner.opened();
    this.#accepted();
  }

  /** The server has accepted the login. */
  #accepted() {
    if (this.#changed) this.#owner.renewed();
    this.#changed = false;
  }

  #closed(/** @type {number} */ code, /** @type {string} */ text) {
    const {
      reconnect = !FINAL.includes(code),
      reauth = code === 4401,
      retryAfterMs = 0,
      reason = text,
    } = this.#goodbye ?? {};
    const error = { code, message: reason };
    // An abandoned handshake may be served late, and replace the connection that came after it.
    const own = code === 4409 && now() - this.#abandonedAt < ABANDONED;
    if (!reconnect && !own) return this.stop(error, true);
    if (!reauth) return this.fail(error, retryAfterMs);
    this.#token.drop();
    this.#reason = 'rejected';
    if (this.state === 'connecting' && this.#fresh) {
      if (this.#refused) return this.stop(error, true);
      this.#refused = true;
    } else if (!this.#attempt++) {
      // an old token has ended
      this.error = error;
      return this.#connect();
    }
    this.fail(error, retryAfterMs || pause(this.#attempt));
  }

  #renewInTime(/** @type {number} */ least) {
    const wait = Math.min(Math.max(least, this.#token.renewIn), MAX_TIMER);
    // An end beyond the longest timer is checked again when that has run out.
    this.#timers.after('renewal', wait, () => (wait === MAX_TIMER ? this.#renewInTime(0) : this.renew('renew')));
  }
}

const base64url = (/** @type {string} */ text) =>
  btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
