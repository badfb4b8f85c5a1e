// One viewer's connection to a plan room, from connecting to closing: the token, the join with the position of the
// last event, who is there, and when to come back after an end.

import { randomId } from './api.js';
import { clock } from './describe.js';
import { Stream } from './stream.js';

const SUBPROTOCOL = 'planrooms.v1';
const TOKEN_PREFIX = 'base64url.bearer.planrooms.';

const QUIET = 25_000; // without a message for so long: ask
const ANSWER_WITHIN = 10_000; // and without an answer for so long: the connection is dead
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;
const STABLE = 5_000; // live for so long: the next failure is a first one again
const RENEW_BEFORE = 30_000; // of the token's end
const LINGER = 6_000; // the server's 5 s, and the way here

// Close codes after which it is no use to come back. A goodbye says the same, and wins.
const FINAL_CODES = new Set([1003, 1007, 1009, 4400, 4403, 4409]);

/** A WebSocket with the token as a subprotocol, which is not logged on the way as a URL is. */
export function openSocket(clientId, token) {
  const url = new URL(`/ws?client=${clientId}`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const encoded = btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return new WebSocket(url, [SUBPROTOCOL, TOKEN_PREFIX + encoded]);
}

/**
 * Callbacks, besides those of Stream:
 *   status(status, text, retryAt)  idle, connecting, live, waiting (until retryAt), denied or ended, and why
 *   presence(message)              people or count have changed; message is null if it was no single one
 *   resumed(count)                 back after an absence; called again as the missed events come in
 */
export class PlanClient {
  status = 'idle';
  people = new Map(); // userId -> {userId, userName, lingering, state}
  count = 0; // of people: in a crowded room more than are known by name
  clientId = randomId(); // new for every page load and never stored: a duplicated tab would have the same

  #on;
  #planId;
  #session;
  #stream;
  #socket = null;
  #goodbye = null;
  #timers = {};
  #run = 0; // counts connections and their ends; who has waited for something sees that it is no longer wanted
  #attempt = 0; // failures in a row
  #refused = false; // the last connection ended with 4401
  #wasLive = false; // with the position that the stream has now
  #missed = 0;
  #missedUntil = ''; // what is older was missed
  #state = null; // what others are shown about this viewer

  constructor({ planId, session, model, on }) {
    this.#planId = planId;
    this.#session = session;
    this.#on = on;
    this.#stream = new Stream({
      planId, session, model,
      on: { ...on, event: (message, own) => this.#applied(message, own), failed: (why) => this.#retry(why) },
    });
  }

  // --- coming and going ---

  start() {
    if (this.status === 'connecting' || this.status === 'live') return;
    this.#session.offline = false;
    this.#attempt = 0;
    this.#refused = false;
    this.#connect();
  }

  /** Breaks off without a word, as if the network were gone. */
  cut() {
    this.#session.offline = true;
    this.#drop();
    this.#setStatus('idle', 'network cut');
  }

  /** Leaves for good. Others are told at once, without the linger after a connection that merely ended. */
  leave() {
    this.#send({ type: 'leave-plan', planId: this.#planId });
    this.#drop();
    this.#setStatus('idle', 'left');
  }

  /** To be called when there is reason to think that the network is back, or was away. */
  wake() {
    if (this.status === 'waiting') this.#connect();
    else if (this.#socket) this.#ask();
  }

  /** Has a live connection go on with the token that the session has now. */
  useToken() {
    this.#send({ type: 'authenticate', data: { token: this.#session.token } });
  }

  /** Shows the others something about this viewer; null takes it away. */
  setState(state) {
    if (state === null && this.#state === null) return;
    this.#state = state;
    if (this.status === 'live') this.#send({ type: 'update-presence', planId: this.#planId, data: { state } });
  }

  change(method, path, body, asEvent) {
    return this.#stream.change(this.clientId, method, path, body, asEvent);
  }

  async #connect() {
    this.#drop();
    const run = this.#run;
    this.#setStatus('connecting');
    try {
      if (await this.#session.ensure()) this.#on.note('logged in');
      if (run === this.#run && !this.#stream.position) {
        this.#wasLive = false;
        await this.#stream.open();
      }
    } catch (err) {
      if (run !== this.#run) return;
      if (err.status !== 404) {
        this.#retry(err.message);
        return;
      }
      this.#on.note(`GET the plan: 404, ${err.message}`); // the join will say the same, and decides
    }
    if (run !== this.#run) return;
    this.#socket = openSocket(this.clientId, this.#session.token);
    this.#socket.onmessage = ({ data }) => run === this.#run && this.#receive(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => run === this.#run && this.#closed(code, reason);
    this.#expectAnswer();
  }

  #drop() {
    this.#run++;
    Object.values(this.#timers).forEach(clearTimeout);
    this.#timers = {};
    this.#goodbye = null;
    this.#socket?.close();
    this.#socket = null;
    this.#stream.interrupt();
    this.people.clear();
    this.count = 0;
    this.#on.presence(null);
  }

  #closed(code, reason) {
    const { reconnect = !FINAL_CODES.has(code), reauth = code === 4401, retryAfterMs = 0 } = this.#goodbye ?? {};
    const why = `closed ${code}${reason && `: ${reason}`}`;
    if (!reconnect || (reauth && this.#refused)) { // a new token that is refused as well won't become better
      this.#drop();
      this.#setStatus('ended', why);
      return;
    }
    if (reauth) {
      this.#refused = true;
      this.#session.forget();
    }
    this.#retry(why, retryAfterMs);
  }

  #retry(why, after = 0) {
    this.#drop();
    const ceiling = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.#attempt++);
    const delay = after || Math.random() * ceiling;
    this.#setStatus('waiting', why, Date.now() + delay);
    this.#timers.retry = setTimeout(() => this.#connect(), delay);
  }

  #setStatus(status, text = '', retryAt = 0) {
    this.status = status;
    this.#on.status(status, text, retryAt);
  }

  // --- what is said ---

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    this.#heard();
    const { type, data } = message;
    switch (type) {
      case 'pong':
        if (data?.connected) { // hello; without data it answers a ping
          this.#send({ type: 'join-plan', planId: this.#planId, since: this.#stream.position });
        }
        return;
      case 'join-plan':
        if (data.success) this.#joined(message);
        else this.#came(message);
        return;
      case 'leave-plan':
        this.people.delete(data.userId);
        this.count = data.participantCount;
        this.#on.presence(message);
        return;
      case 'presence-updated':
        this.#showed(message);
        return;
      case 'authenticate':
        this.#on.note(`token accepted, good until ${clock(data.expiresAt)}`);
        this.#renewInTime();
        return;
      case 'resync':
        this.#stream.reload(data.position, `resync: ${data.reason}`);
        return;
      case 'error':
        this.#failed(data);
        return;
      case 'removed':
        if (data.retry) this.#retry(`removed: ${data.reason}`);
        else this.#deny(`removed: ${data.reason}`);
        return;
      case 'goodbye':
        this.#goodbye = data;
        this.#on.note(`goodbye ${data.code}: ${data.reason}`);
        return;
      default:
        if (message.seq > 0 && message.planId === this.#planId) this.#stream.push(message);
    }
  }

  #joined({ data, timestamp }) {
    this.#refused = false;
    this.#timers.stable = setTimeout(() => { this.#attempt = 0; }, STABLE);
    this.#renewInTime();
    this.count = data.participantCount;
    this.people = new Map(data.participants.map((p) => [p.userId, { ...p, lingering: p.connections === 0 }]));
    // Who lingers and comes back makes no noise: whose leave has not been told by then is back.
    this.#timers.linger = setTimeout(() => {
      for (const p of this.people.values()) p.lingering = false;
      this.#on.presence(null);
    }, LINGER);
    this.#setStatus('live');
    this.#on.presence(null);
    if (this.#state !== null) this.setState(this.#state);

    const resuming = this.#wasLive;
    this.#wasLive = true;
    if (!data.recovered) {
      this.#stream.reload(data.position, resuming ? 'what was missed is no longer to be had' : '');
    } else if (resuming) { // what was missed follows now
      this.#missed = 0;
      this.#missedUntil = timestamp;
      this.#on.resumed(0);
    }
  }

  #applied(message, own) {
    if (message.timestamp <= this.#missedUntil) this.#on.resumed(++this.#missed);
    this.#on.event(message, own);
  }

  #failed({ code, message, re }) {
    this.#on.note(`error ${code}: ${message}`);
    if (re === 'join-plan') {
      if (code === 'forbidden') this.#deny(message);
      else this.#retry(message);
    } else if (re === 'authenticate') {
      this.#connect(); // a new connection starts with the new token
    }
  }

  #deny(why) {
    this.#drop();
    this.#stream.position = null;
    this.#setStatus('denied', why);
  }

  // --- who is there ---

  #came(message) {
    const { userId, userName, participantCount } = message.data;
    this.count = participantCount;
    if (userId === undefined) this.people.clear(); // a crowd is counted, not listed
    else this.people.set(userId, { userId, userName, lingering: false });
    this.#on.presence(message);
  }

  #showed(message) {
    const person = this.people.get(message.data.userId);
    if (!person) return;
    person.state = message.data.state;
    person.lingering = false;
    this.#on.presence(message);
  }

  // --- signs of life, and the token's end ---

  #heard() {
    clearTimeout(this.#timers.answer);
    clearTimeout(this.#timers.quiet);
    this.#timers.quiet = setTimeout(() => this.#ask(), QUIET);
  }

  #ask() {
    this.#send({ type: 'ping' });
    this.#expectAnswer();
  }

  #expectAnswer() {
    clearTimeout(this.#timers.answer);
    this.#timers.answer = setTimeout(() => this.#retry('no answer'), ANSWER_WITHIN);
  }

  #renewInTime() {
    clearTimeout(this.#timers.renewal);
    if (!this.#session.renew) return;
    const run = this.#run;
    const wait = this.#session.expiresAt - Date.now() - RENEW_BEFORE;
    this.#timers.renewal = setTimeout(async () => {
      try {
        await this.#session.ensure(RENEW_BEFORE + 5_000);
        if (run === this.#run) this.useToken();
      } catch (err) { // the connection ends when the token does, and the next attempt logs in again
        this.#on.note(`renew the token: ${err.message}`);
      }
    }, Math.max(wait, 1_000));
  }
}
