// The login of a connection: a token, or a session cookie that the browser sends with the
// handshake. It calls getToken or getExpiry and knows when the login ends; connection.js decides
// when to fetch another one.

/** @import { ClientOptions, TokenReason } from './types.js' */

import { now, within } from './timing.js';

const RENEW_BEFORE = 30_000; // ms before the end

export class Token {
  text = ''; // empty: a cookie

  #options;
  /** @type {AbortController | null} */ #fetching = null;
  #endsAt = 0; // on the server's clock
  #skew = Date.now() - now(); // of the server's clock to ours

  /** @param {ClientOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Fetches a token. False: no user is logged in. Null: cancelled, or superseded by another call.
   * @param {TokenReason} reason
   * @param {number} timeout
   */
  async fetch(reason, timeout) {
    const { getToken, getExpiry } = this.#options;
    this.cancel();
    const fetching = (this.#fetching = new AbortController());
    let got;
    try {
      got = await within(timeout, fetching, (signal) => (getToken ?? getExpiry)?.({ reason, signal }));
    } catch (error) {
      if (fetching === this.#fetching) throw error;
    }
    if (fetching !== this.#fetching) return null;
    const { token = got, expiresAt } = Object(got);
    if (getToken ? !token : got === null) return false;
    if (getToken && typeof token !== 'string') throw new TypeError('getToken returned no token');
    this.text = getToken ? token : '';
    this.#endsAt = milliseconds(getToken ? (expiresAt ?? endOf(token)) : got);
    return true;
  }

  /** Aborts a call of getToken that is under way. */
  cancel() {
    this.#fetching?.abort();
    this.#fetching = null;
  }

  drop() {
    this.text = '';
    this.#endsAt = 0;
  }

  /** Whether it lasts long enough for another connection. */
  get usable() {
    return this.#left > RENEW_BEFORE;
  }

  get #left() {
    return this.#endsAt - now() - this.#skew;
  }

  /** The server has accepted the login at this time of its clock. */
  synchronize(/** @type {string} */ timestamp) {
    this.#skew = Date.parse(timestamp) - now();
    if (this.#left <= 0) this.#endsAt = Infinity; // it cannot have ended: the end is wrong
  }

  /** The server has confirmed the token. @param {string | null} expiresAt */
  extend(expiresAt) {
    this.#endsAt = milliseconds(expiresAt);
  }

  /**
   * The wait before the next renewal: until 30 s before the end, or half of the time that is left.
   */
  get renewIn() {
    const left = this.#left;
    return left > 2 * RENEW_BEFORE ? left - RENEW_BEFORE : left / 2;
  }
}

/** A time in milliseconds since 1970, or Infinity if time is not one. */
const milliseconds = (/** @type {any} */ time) => +new Date(time) || Infinity;

/** The exp of a JSON Web Token, NaN or undefined if there is none. @param {string} token */
function endOf(token) {
  try {
    return (
      JSON.parse(atob(/** @type {string} */ (token.split('.')[1]).replaceAll('-', '+').replaceAll('_', '/'))).exp * 1000
    );
  } catch {
    return undefined;
  }
}
