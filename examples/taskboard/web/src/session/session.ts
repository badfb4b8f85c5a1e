// Who is logged in on this page.
//
// The login itself is a cookie that scripts can't read. With it the page gets access tokens, which live in this object only.

import { Store } from '../store';
import type { User } from '../taskboard';
import { ApiError, send, type RequestOptions } from './request';

export type SessionState =
  | { phase: 'starting'; problem?: string }
  | { phase: 'out' }
  | { phase: 'in'; user: User }
  | { phase: 'ended'; why: Ending };

/** Why a page that was in use is no longer: logged out here, everywhere, by time or in another tab, or somebody else is logged in now. */
export type Ending = 'everywhere' | 'expired' | 'somebody else';

interface Access {
  token: string;
  expiresAt: string;
  user: User;
}

const FRESH = 20_000; // a token is not used for its last seconds: it has a way to go

export class Session {
  readonly state = new Store<SessionState>({ phase: 'starting' });
  #access: Access | null = null;
  #renewal: Promise<Access | null> | null = null;
  #tabs = new BroadcastChannel('taskboard-session'); // the cookie is that of all tabs

  constructor() {
    this.#tabs.onmessage = () => { // another tab has logged in or out
      if (this.state.get().phase === 'in') void this.token({ anew: true }).catch(() => {}); // said once there is an answer
    };
  }

  /** Finds out whether somebody is logged in already. */
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

  /** Logs in, or throws why not. */
  async login(email: string, password: string): Promise<void> {
    this.#enter(await send<Access>('/api/login', { method: 'POST', body: { email, password } }));
    this.#tabs.postMessage('in');
  }

  async logout(): Promise<void> {
    await send('/api/logout', { method: 'POST' });
    this.#tabs.postMessage('out');
    this.#leave({ phase: 'out' });
  }

  /** Ends every page of this user, this one included. */
  async logoutEverywhere(): Promise<void> {
    await this.request('/api/sessions', { method: 'DELETE' });
    this.end('everywhere');
  }

  end(why: Ending): void {
    if (this.state.get().phase === 'in') this.#leave({ phase: 'ended', why });
  }

  /** From an end back to the form. */
  again(): void {
    this.state.set({ phase: 'out' });
  }

  /** A token to be used now. Null if the login has ended, which the page then shows. Throws if it can't be found out. */
  async token({ anew = false } = {}): Promise<Access | null> {
    if (!anew && this.#access && Date.parse(this.#access.expiresAt) - Date.now() > FRESH) return this.#access;
    const access = await this.#renew();
    const now = this.state.get();
    if (now.phase !== 'in') return null;
    if (!access) {
      this.end('expired');
      return null;
    }
    if (access.user.id !== now.user.id) { // nothing of this page may happen in their name
      this.end('somebody else');
      return null;
    }
    return access;
  }

  /** A request in the name of the user. A token that is refused is renewed, once. */
  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const once = async (anew: boolean): Promise<T> => {
      const access = await this.token({ anew });
      if (!access) throw new ApiError(401, 'session_ended', 'You are not logged in any more.', undefined);
      return send<T>(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${access.token}` } });
    };
    try {
      return await once(false);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || error.code === 'session_ended') throw error;
      return once(true);
    }
  }

  // Several who need a token at once share one request.
  #renew(): Promise<Access | null> {
    this.#renewal ??= send<Access>('/api/token', { method: 'POST' })
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      })
      .then((access) => (this.#access = access))
      .finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  #enter(access: Access): void {
    this.#access = access;
    this.state.set({ phase: 'in', user: access.user });
  }

  #leave(state: SessionState): void {
    this.#access = null;
    this.state.set(state);
  }
}
