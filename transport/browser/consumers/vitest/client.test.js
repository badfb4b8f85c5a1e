import { Client } from 'planrooms';
import { expect, test } from 'vitest';
import WebSocket from 'ws';

test('a client can be created and closed', () => {
  const client = new Client({ url: 'ws://127.0.0.1:1/ws', getToken: () => null, WebSocket });
  const plan = client.join('demo');
  expect(plan.status).toBe('connecting');
  client.close();
});
