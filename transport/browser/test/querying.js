// A host whose data the tests change, in the cache of TanStack Query 4 and 5.

import * as five from '@tanstack/query-core';
import * as four from '@tanstack/query-core-v4';
import { vi } from 'vitest';
import { queriesOf } from '../queries.js';

export const versions = [
  ['4', four],
  ['5', five],
];

const TASKS = ['plan', 'demo', 'tasks'];

/**
 * A plan in a cache. Its data is the number of the last change. A fetch reads it when it begins,
 * and answers `ms` later.
 */
export class Plan {
  value = 0;
  begun = []; // times
  running = 0;
  atOnce = 0; // the most fetches under way
  fail = false;
  seq = 1;

  constructor(core, ms, options) {
    this.core = core;
    this.ms = ms;
    this.client = new core.QueryClient({
      defaultOptions: { queries: { retry: false, staleTime: Infinity } },
      logger: { log() {}, warn() {}, error() {} },
    });
    this.client.mount();
    this.queries = queriesOf(this.client)('demo', options);
  }

  fetch = async ({ signal }) => {
    this.begun.push(Date.now());
    this.atOnce = Math.max(this.atOnce, ++this.running);
    const read = this.value;
    const { fail } = this;
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, this.ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new Error('aborted'));
      });
    }).finally(() => this.running--);
    if (fail) throw new Error('the host has failed');
    return read;
  };

  /** A component that shows a query. */
  show(queryKey = TASKS, options = {}) {
    const observer = new this.core.QueryObserver(this.client, { queryKey, queryFn: this.fetch, ...options });
    const stop = observer.subscribe(() => {});
    return {
      observer,
      stop,
      get data() {
        return observer.getCurrentResult().data;
      },
    };
  }

  /** The same, with data that was fetched an hour ago. */
  async showOld(queryKey = TASKS, options = {}) {
    const shown = this.show(queryKey, options);
    await vi.advanceTimersByTimeAsync(3_600_000);
    this.begun = [];
    return shown;
  }

  /** The host changes something and says so. */
  change(type = 'task-updated', data = {}) {
    this.value++;
    this.queries.event({ type, data, seq: ++this.seq });
  }

  reload(reason = 'resync', signal = new AbortController().signal) {
    return this.queries.reload({ reason, position: { epoch: 'e1', seq: ++this.seq }, signal });
  }

  data(queryKey = TASKS) {
    return this.client.getQueryData(queryKey);
  }

  close() {
    this.client.clear();
    this.client.unmount();
  }
}

export const advance = (ms) => vi.advanceTimersByTimeAsync(ms);
