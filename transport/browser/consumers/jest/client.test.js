/** @jest-environment node */
import { Client } from 'planrooms';
import WebSocket from 'ws';

test('an ES module that Jest loads without a transform', () => {
  const client = new Client({ url: 'ws://127.0.0.1:1/ws', getToken: () => null, WebSocket });
  const plan = client.join('demo');
  expect(plan.status).toBe('connecting');
  client.close();
});
