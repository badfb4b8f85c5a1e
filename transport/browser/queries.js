// Keeps the queries of a plan current in the cache of TanStack Query 4 or 5, for the hook of
// react.js. It does not import TanStack Query.
//
// The rule: of each query, at most one fetch is under way and at most one waits.
//
//   idle ---change, then a short random delay---> fetching ---end---> idle
//                                                    |
//                                                    +---change: another fetch follows this one
//
// A fetch that began before a change may have missed it, so another one follows. A fetch that
// begins after the change is enough, also when the application begins it. Route loaders, first
// fetches and refetches of the application run to their end, with one exception: a refetch of shown
// data that has not ended after 30 s, such as one on a dead connection, is replaced when another
// fetch waits for it. The time doubles until a fetch succeeds, so slow fetches end, too.

/** @import { LoadRequest, Patch, QueryClientLike, QueryKeys } from './types.js' */

import { call } from './timing.js';

const DELAY = 100; // a row of events causes one fetch
// The random part of the delay. In a plan with more participants, 1 ms for each, up to MAX_SPREAD.
const SPREAD = 300;
const MAX_SPREAD = 1_000;
const PACE = 1_000; // between the starts of two fetches of a query
const MAX_BACKOFF = 30_000; // after failed fetches
const STUCK = 30_000; // the longest wait for the fetch before
const MUTATIONS = 5_000; // the longest wait for mutations
const POLL = 100; // interval of looking at the mutations
const LOADED = 10_000; // the longest wait of a reload for its fetches
const RECENT = 10_000; // age of data that a page fetched while it joined

/** @typedef {any} Query */

/**
 * The state of one query.
 * @typedef {object} Entry
 * @property {Query} query
 * @property {boolean} [due] no fetch has begun since the last change
 * @property {boolean} [urgent] the next fetch begins without a delay
 * @property {boolean} fetching
 * @property {boolean} [brings] the fetch under way has to bring a change
 * @property {number} began time of the last start
 * @property {number} failures in a row
 * @property {number} replaced fetches that were replaced since the last success
 * @property {number} [spread]
 * @property {readonly unknown[] | null} [mutations]
 * @property {number} [held] start of the wait for mutations
 * @property {number} [at] time at which timer fires, undefined if it does not run
 * @property {ReturnType<typeof setTimeout>} [timer] of the next fetch
 * @property {ReturnType<typeof setTimeout>} [check] of the check after a page load
 * @property {string} [position] of the last reload
 * @property {(() => void)[]} waiting reloads that wait for the next fetch
 * @property {(() => void)[]} running reloads that wait for the fetch under way
 * @property {{ patch: Patch, event: any }[]} patches since the fetch under way began, which its
 *   answer may lack
 * @property {WeakSet<any>} patched events: another hook may bring them again, and later
 */

/** @type {WeakMap<QueryClientLike, ReturnType<typeof create>>} */
const all = new WeakMap();

/**
 * Returns the function that handles events and reloads of a plan. All hooks of a query client share
 * it.
 * @param {QueryClientLike} client
 */
export function queriesOf(client) {
  let queries = all.get(client);
  if (!queries) all.set(client, (queries = create(client)));
  return queries;
}

/** @param {QueryClientLike} client */
function create(client) {
  /** @type {WeakMap<Query, Entry>} */ const entries = new WeakMap();
  client.getQueryCache().subscribe(noticed);

  /**
   * @param {string} planId
   * @param {{ keys?: QueryKeys, patch?: Patch, participants?: number }} [options]
   */
  function of(planId, { keys, patch, participants = 0 } = {}) {
    const {
      plan = ['plan', planId],
      tasks = ['plan', planId, 'tasks'],
      progress = ['plan', planId, 'progress'],
      mutations,
    } = keys ?? {};
    const spread = Math.min(Math.max(SPREAD, participants), MAX_SPREAD);
    /**
     * @param {readonly unknown[] | null} key
     * @param {boolean} [exact] without those below the key
     */
    const find = (key, exact) =>
      key
        ? client
            .getQueryCache()
            .findAll({
              queryKey: key,
              predicate: (/** @type {Query} */ query) => !exact || query.queryKey.length === key.length,
            })
            .map((/** @type {Query} */ query) => {
              const entry = entryOf(query);
              entry.spread = spread;
              entry.mutations = mutations;
              return entry;
            })
        : [];

    return {
      /** @param {any} event */
      event: (event) => {
        const { type, data } = event;
        if (progress && type === 'progress-updated') {
          client.setQueryData(progress, data.progress);
          for (const entry of find(progress)) if (entry.fetching) stale(entry);
        }
        const patched = new Set(
          patch && [plan, tasks].flatMap((key) => find(key, true)).filter((entry) => apply(entry, patch, event)),
        );
        if (!type.startsWith('task-')) return;
        for (const entry of [...find(plan, true), ...find(tasks)]) if (!patched.has(entry)) stale(entry);
      },

      /**
       * Fetches all queries of the plan. The promise resolves when the queries of the keys have
       * been fetched, and after 10 s at the latest: the events wait for it.
       * @param {LoadRequest} request
       */
      reload: ({ reason, position, signal }) => {
        const id = `${position.epoch} ${position.seq}`;
        /** @type {Promise<void>[]} */ const fetches = [];
        const main = new Set([...find(plan, true), ...find(tasks), ...find(progress)]);
        for (const entry of new Set([plan, tasks, progress].flatMap((key) => find(key)))) {
          // The other hooks of this plan ask for the same reload. What another user fetched before is
          // fetched again in any case.
          if (reason === 'user' || entry.position !== id) {
            entry.position = id;
            // A page fetches its data while it joins. A change between the two is rare, so the page
            // shows the data and fetches it again later, unless an event causes a fetch before.
            if (reason === 'joined' && recent(entry)) check(entry, position);
            else stale(entry, true);
          }
          const list = entry.due ? entry.waiting : entry.fetching ? entry.running : null;
          if (!list || !main.has(entry) || entry.query.state.fetchStatus === 'paused') continue;
          fetches.push(
            new Promise((resolve) => {
              list.push(resolve);
            }),
          );
        }
        return new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
          const timer = setTimeout(resolve, LOADED);
          const done = () => {
            clearTimeout(timer);
            resolve();
          };
          void Promise.all(fetches).then(done);
          signal.addEventListener('abort', done);
        });
      },
    };
  }

  /** @param {Query} query @returns {Entry} */
  function entryOf(query) {
    let entry = entries.get(query);
    if (!entry) {
      const fetching = query.state.fetchStatus !== 'idle';
      entry = {
        query,
        fetching,
        began: fetching ? Date.now() : 0,
        failures: 0,
        replaced: 0,
        waiting: [],
        running: [],
        patches: [],
        patched: new WeakSet(),
      };
      entries.set(query, entry);
    }
    return entry;
  }

  /** Records that the data of a query lacks a change. @param {Entry} entry */
  function stale(entry, urgent = false) {
    entry.due = true;
    entry.urgent ||= urgent;
    schedule(entry);
  }

  /** @param {Entry} entry */
  function schedule(entry) {
    const { query, fetching, urgent } = entry;
    if (!fetching) query.invalidate(); // so that a component that mounts meanwhile begins the fetch
    const now = Date.now();
    let pause = urgent ? 0 : Math.min(MAX_BACKOFF, PACE * 2 ** entry.failures);
    if (fetching) pause = STUCK * 2 ** entry.replaced;
    const at = Math.max(
      now + (urgent ? 0 : DELAY + Math.random() * /** @type {number} */ (entry.spread)),
      entry.began + pause,
    );
    if (/** @type {number} */ (entry.at) <= at) return;
    after(entry, at - now);
  }

  /** @param {Entry} entry @param {number} wait @returns {void} */
  function after(entry, wait) {
    clearTimeout(entry.timer);
    entry.at = undefined;
    if (wait <= 0) return start(entry);
    entry.at = Date.now() + wait;
    entry.timer = setTimeout(() => {
      entry.at = undefined;
      start(entry);
    }, wait);
  }

  /** @param {Entry} entry @returns {void} */
  function start(entry) {
    const { query, fetching } = entry;
    if (!entry.due || (fetching && query.state.data === undefined)) return;
    if (query.isActive()) {
      if (mutating(entry)) return after(entry, POLL);
      void client.refetchQueries(
        { predicate: (other) => other === query, type: 'active' },
        { cancelRefetch: fetching },
      );
      if (fetching) {
        // the cache does not report that one fetch has replaced another
        entry.replaced++;
        began(entry);
      }
    } else if (fetching) return;
    // No component shows it: TanStack fetches invalid data for the next one that does.
    if (entry.due) {
      entry.due = entry.urgent = false;
      release(entry.waiting);
    }
  }

  /**
   * Reports whether an answer may lack a change that the page shows already.
   * @param {Entry} entry
   */
  function mutating(entry) {
    if (entry.mutations === null) return false;
    entry.held ??= Date.now();
    return (
      Date.now() < entry.held + MUTATIONS &&
      client.isMutating({
        mutationKey: entry.mutations,
        predicate: (mutation) => !mutation.state.isPaused,
      }) > 0
    );
  }

  /**
   * Fetches a query later: its data may lack a change that was made before the join.
   * @param {Entry} entry @param {LoadRequest['position']} position
   */
  function check(entry, { epoch, seq }) {
    const { query } = entry;
    clearTimeout(entry.check);
    entry.check = setTimeout(
      () => {
        const at = query.state.data?.position; // some hosts send the position with the plan
        if (at?.epoch !== epoch || at.seq < seq) stale(entry);
      },
      RECENT + Math.random() * MAX_SPREAD,
    );
  }

  /** @param {Entry} entry @param {Patch} patch @param {any} event */
  function apply(entry, patch, event) {
    const { query } = entry;
    if (entry.patched.has(event)) return true;
    const { data, isInvalidated } = query.state;
    if (data === undefined || (isInvalidated && !entry.fetching)) return false;
    const next = call(patch, data, event);
    if (next === undefined) return false;
    if (next !== data) query.setData(next, { manual: true });
    if (entry.fetching) entry.patches.push({ patch, event });
    entry.patched.add(event);
    return true;
  }

  /** Handles a cache event. @param {{ type: string, query: Query, action?: any }} event */
  function noticed({ type, query, action }) {
    const entry = entries.get(query);
    if (!entry) return;
    if (type === 'removed') {
      clearTimeout(entry.timer);
      clearTimeout(entry.check);
      entries.delete(query);
      release(entry.waiting);
      release(entry.running);
    } else if (type === 'updated') {
      const { fetchStatus } = query.state;
      if (action.type === 'fetch') began(entry);
      else if (fetchStatus === 'idle' && entry.fetching) ended(entry, action);
      if (fetchStatus === 'paused') release(entry.running); // offline
    }
  }

  /** @param {Entry} entry */
  function began(entry) {
    clearTimeout(entry.timer);
    clearTimeout(entry.check);
    entry.at = entry.held = undefined;
    entry.brings ||= entry.due;
    entry.due = entry.urgent = false;
    entry.fetching = true;
    entry.began = Date.now();
    entry.patches = [];
    entry.running.push(...entry.waiting.splice(0));
  }

  /** @param {Entry} entry @param {any} action */
  function ended(entry, action) {
    const { query } = entry;
    entry.fetching = false;
    // A CancelledError has the field revert. After another error TanStack has made all its retries.
    const failed = action.type === 'error' && !('revert' in Object(action.error));
    if (action.type === 'success') entry.failures = entry.replaced = 0;
    else if (failed) {
      entry.failures++;
      entry.position = undefined; // a reload from there has to fetch again
    } else entry.due ||= entry.brings; // cancelled by the application
    entry.brings = false;
    let { data } = query.state;
    for (const { patch, event } of data === undefined || failed ? [] : entry.patches) {
      const next = call(patch, data, event);
      if (next === undefined) entry.due = true;
      else data = next;
    }
    entry.patches = [];
    if (data !== query.state.data) query.setData(data, { manual: true });
    if (entry.due && action.type !== 'success' && !failed) entry.waiting.push(...entry.running.splice(0));
    release(entry.running);
    if (entry.due) schedule(entry);
  }

  return of;
}

/** Reports whether a page fetched the data while it joined. @param {Entry} entry */
function recent({ fetching, query: { state } }) {
  return fetching || (Date.now() - state.dataUpdatedAt < RECENT && !state.isInvalidated);
}

/** @param {(() => void)[]} list */
function release(list) {
  for (const resolve of list.splice(0)) resolve();
}
