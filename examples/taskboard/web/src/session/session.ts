// The login of this page.
//
// The login is a cookie that scripts cannot read. With it the page requests access tokens, which
// are kept in this object only.

import { Store } from '../store';
import type { User } from '../taskboard';
import { ApiError, send, type RequestOptions } from './request';

export type SessionState =
  | { phase: 'starting'; problem?: string }
  | { phase: 'out' }
  | { phase: 'in'; user: User }
  | { phase: 'ended'; why: Ending };

/**
 * Why a page in use has ended: a logout on all devices, an expired login, or another user in this
 * browser.
 */
export type Ending = 'everywhere' | 'expired' | 'another user';

interface Access {
  token: string;
  expiresAt: string;
  user: User;
}

// A token is replaced before its last seconds, which its way to the server may take.
const FRESH = 20_000;

export class Session {
  readonly state = new Store<SessionState>({ phase: 'starting' });
  #access: Access | null = null;
  #renewal: Promise<Access | null> | null = null;
  #prefetched: { path: string; answer: Promise<unknown> } | null = null;
  #loggingOut = false;
  #tabs = new BroadcastChannel('taskboard-session'); // the cookie is that of all tabs

  constructor() {
    this.#tabs.onmessage = () => {
      // another tab has logged in or out
      // Unknown until there is an answer.
      if (this.state.get().phase === 'in') void this.token({ renew: true }).catch(() => {});
    };
  }

  /** Checks whether the browser is logged in already. */
  async start(): Promise<void> {
    try {
      const access = await this.#renew();
      if (access) this.#enter(access);
      else this.state.set({ phase: 'out' });
    } catch (error) {
      this.state.set({ phase: 'starting', problem: (error as Error).message });
      setTimeout(() => void this.start(), 3_000);
    }
  }

  /** Logs in, or throws the reason why not. */
  async login(email: string, password: string): Promise<void> {
    this.#enter(await send<Access>('/api/login', { method: 'POST', body: { email, password } }));
    this.#tabs.postMessage('in');
  }

  /**
   * Ends the session of this browser. The server also closes the connection of this page, maybe
   * before the response arrives.
   */
  async logout(): Promise<void> {
    this.#loggingOut = true;
    try {
      await send('/api/logout', { method: 'POST' });
    } catch (error) {
      this.#loggingOut = false;
      void this.token({ renew: true }).catch(() => {}); // the session may have ended nevertheless
      throw error;
    }
    this.#loggingOut = false;
    this.#tabs.postMessage('out');
    this.#leave({ phase: 'out' });
  }

  /** Ends every page of this user, this one included. */
  async logoutEverywhere(): Promise<void> {
    await this.request('/api/sessions', { method: 'DELETE' });
    this.end('everywhere');
  }

  end(why: Ending): void {
    if (this.state.get().phase === 'in' && !this.#loggingOut) this.#leave({ phase: 'ended', why });
  }

  /** Shows the login form after an end. */
  again(): void {
    this.state.set({ phase: 'out' });
  }

  /**
   * A valid token. Null if the login has ended, which the page then shows. Throws if the server
   * does not answer.
   */
  async token({ renew = false } = {}): Promise<Access | null> {
    if (!renew && this.#access && Date.parse(this.#access.expiresAt) - Date.now() > FRESH) return this.#access;
    const access = await this.#renew();
    const now = this.state.get();
    if (now.phase !== 'in') return null;
    if (!access) {
      this.end('expired');
      return null;
    }
    if (access.user.id !== now.user.id) {
      // this page must not act for another user
      this.end('another user');
      return null;
    }
    return access;
  }

  /** A request of the user. A refused token is renewed once. */
  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const once = async (renew: boolean): Promise<T> => {
      const access = await this.token({ renew });
      if (!access) throw new ApiError(401, 'session_ended', 'You are logged out.', undefined);
      return send<T>(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${access.token}` } });
    };
    try {
      return await once(false);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || error.code === 'session_ended') throw error;
      return once(true);
    }
  }

  /** Starts a GET before a component asks for it. It does nothing without a login. */
  prefetch(path: string): void {
    if (this.state.get().phase !== 'in') return;
    const answer = this.request(path);
    answer.catch(() => {}); // the component that asks sees the error
    this.#prefetched = { path, answer };
  }

  /** The answer of a prefetch, which is used once, or of a new request. */
  get<T>(path: string, signal: AbortSignal): Promise<T> {
    const prefetched = this.#prefetched;
    this.#prefetched = null;
    return prefetched?.path === path ? (prefetched.answer as Promise<T>) : this.request<T>(path, { signal });
  }

  // Concurrent callers share one request. It ends after a time limit, so the next one can start.
  #renew(): Promise<Access | null> {
    this.#renewal ??= send<Access>('/api/token', { method: 'POST' })
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      })
      .then((access) => (this.#access = access))
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  #enter(access: Access): void {
    this.#access = access;
    this.state.set({ phase: 'in', user: access.user });
  }

  #leave(state: SessionState): void {
    this.#prefetched = null;
    this.#access = null;
    this.state.set(state);
  }
}
