// The login, and requests with its token.

/** A failed request. Without a status there was no answer, but the server may have executed it. */
export class RequestError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** One user, logged in. */
export class Session {
  token = '';
  expiresAt = 0; // milliseconds, as Date.now()
  renew = true; // false: let the token expire
  offline = false; // true: simulate an interrupted network

  constructor(user) {
    this.user = user;
  }

  async login(ttl) {
    const body = ttl ? { user: this.user, ttl } : { user: this.user };
    const answer = await this.#fetch('POST', '/api/login', body, {});
    this.token = answer.token;
    this.expiresAt = Date.parse(answer.expiresAt);
    this.renew = !ttl;
  }

  /** Returns the current token, or a new one if the server refused it or it expires soon. */
  async getToken({ reason }) {
    const left = this.expiresAt - Date.now();
    if (reason === 'rejected' || left <= 0 || (left < 60_000 && this.renew)) await this.login();
    return { token: this.token, expiresAt: this.expiresAt };
  }

  async call(method, path, body, headers = {}) {
    await this.getToken({ reason: 'connect' });
    const send = () => this.#fetch(method, path, body, { ...headers, Authorization: `Bearer ${this.token}` });
    try {
      return await send();
    } catch (err) {
      if (err.status !== 401) throw err;
      await this.login();
      return send();
    }
  }

  async #fetch(method, path, body, headers) {
    if (this.offline) throw new RequestError('you are offline');
    const signal = AbortSignal.timeout(10_000);
    const init = { method, headers, cache: 'no-store', credentials: 'omit', signal };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      headers['Content-Type'] = 'application/json';
    }
    let response;
    try {
      response = await fetch(path, init);
    } catch {
      throw new RequestError('the server cannot be reached');
    }
    const answer = await response.json().catch(() => null); // 204 has none
    if (!response.ok) {
      throw new RequestError(answer?.error ?? `HTTP ${response.status}`, response.status);
    }
    return answer;
  }
}
