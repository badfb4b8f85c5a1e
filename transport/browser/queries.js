// Keeps the plans in a cache of TanStack Query true. It imports nothing: any object with its four methods will do.

/** @import { QueryClientLike, QueryKeys } from './types.js' */

const WAIT = 250; // several events in a row cost one refetch
const AT_MOST = 1_000; // which does not wait for the row to end

/** @type {WeakMap<QueryClientLike, Queries>} */
const all = new WeakMap();

/** The one of a query client, so that several places that show a plan refetch it once. @param {QueryClientLike} queryClient */
export function queriesOf(queryClient) {
  let queries = all.get(queryClient);
  if (!queries) all.set(queryClient, queries = new Queries(queryClient));
  return queries;
}

class Queries {
  #client;
  /** @type {Map<string, { key: readonly unknown[], exact: boolean }>} */ #stale = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #since = 0; // when the first of the stale became so
  /** @type {Promise<void> | null} */ #reload = null;

  /** @param {QueryClientLike} client */
  constructor(client) {
    this.#client = client;
  }

  /** @param {string} planId @param {Partial<QueryKeys>} [keys] */
  of(planId, keys) {
    const { plan, tasks, progress } = { plan: ['plan', planId], tasks: ['plan', planId, 'tasks'], progress: ['plan', planId, 'progress'], ...keys };
    return {
      /** @param {any} event */
      event: ({ type, data }) => {
        if (type === 'progress-updated') {
          this.#client.setQueryData(progress, data.progress);
          if (this.#client.isFetching({ queryKey: progress }) > 0) this.#invalidate(progress, true); // it may bring what was before
        } else if (type.startsWith('task-')) {
          this.#invalidate(plan, true);
          this.#invalidate(tasks, false);
        }
      },
      reload: () => {
        for (const key of [plan, tasks, progress]) this.#mark(key, false);
        // Everybody who watches the plan asks in the same moment.
        return this.#reload ??= Promise.resolve().then(() => {
          this.#reload = null;
          return this.#flush();
        });
      },
    };
  }

  /** @param {readonly unknown[]} key @param {boolean} exact */
  #mark(key, exact) {
    const hash = JSON.stringify(key);
    if (this.#stale.size === 0) this.#since = Date.now();
    if (exact && this.#stale.has(hash)) return;
    this.#stale.set(hash, { key, exact });
  }

  /** @param {readonly unknown[]} key @param {boolean} exact */
  #invalidate(key, exact) {
    this.#mark(key, exact);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), Math.min(WAIT, Math.max(0, this.#since + AT_MOST - Date.now())));
  }

  async #flush() {
    clearTimeout(this.#timer);
    const stale = [...this.#stale.values()];
    this.#stale.clear();
    const predicate = (/** @type {{ queryKey: readonly unknown[] }} */ { queryKey }) => stale.some(({ key, exact }) => (
      exact ? queryKey.length === key.length : queryKey.length >= key.length
    ) && key.every((part, i) => JSON.stringify(part) === JSON.stringify(queryKey[i])));
    // A first fetch that is under way would not be begun again, and may bring what was before.
    await this.#client.cancelQueries({ predicate: (query) => query.state.status === 'pending' && predicate(query) });
    await this.#client.invalidateQueries({ predicate });
  }
}
