// Watchers for the tests of plans.

import { Client } from '../planrooms.js';
import { advance } from './connecting.js';
import { jwt, last, settled } from './fake.js';

// A watcher of a plan that records its callbacks.
export function watch(client, planId = 'demo', handlers = {}) {
  const received = [];
  const plan = client.join(planId, {
    load: ({ reason, position }) => {
      received.push(`load ${reason} ${position.seq}`);
    },
    onEvent: (e) => received.push(e.seq),
    onReceipt: (r) => received.push(`receipt ${r.seq}`),
    onError: (e) => received.push(`error ${e.code}`),
    ...handlers,
  });
  return { plan, received };
}

export async function setup() {
  const client = new Client({ getToken: async () => jwt(3600) });
  const watcher = watch(client);
  await settled();
  last().hello();
  return { client, ...watcher };
}

export async function live(seq = 10, answer = {}) {
  const s = await setup();
  last().answer('demo', seq, answer);
  await settled();
  s.received.length = 0;
  return s;
}

export async function reconnect() {
  last().end(1006);
  await advance(500);
  last().hello();
}
