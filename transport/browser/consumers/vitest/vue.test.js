import { Client } from 'planrooms';
import { expect, test } from 'vitest';
import { reactive, ref } from 'vue';
import WebSocket from 'ws';

test('a client and a plan behind the proxies of Vue', () => {
  const client = ref(new Client({ url: 'ws://127.0.0.1:1/ws', getToken: () => null, WebSocket }));
  const state = reactive({ plan: client.value.join('demo') });
  expect(client.value.state).toBe('connecting');
  expect(state.plan.status).toBe('connecting');
  expect(state.plan.participants).toEqual([]);
  state.plan.setPresence({ editing: '1' });
  state.plan.leave();
  client.value.close();
  expect(client.value.state).toBe('idle');
});
