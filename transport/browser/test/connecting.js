// Clients for the tests of connections.

import { vi } from 'vitest';
import { Client } from '../planrooms.js';
import { jwt, last, settled } from './fake.js';

export const advance = (ms) => vi.advanceTimersByTimeAsync(ms);

/** A client that has its getToken, a spy, as a property. */
export function client(options = {}) {
  const getToken = vi.fn(async () => jwt(3600));
  const c = new Client({ getToken, ...options });
  c.getToken = options.getToken ?? getToken;
  return c;
}

export async function connected(options) {
  const c = client(options);
  c.connect();
  await settled();
  last().hello();
  return c;
}
