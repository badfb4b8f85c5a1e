import { Client } from 'planrooms';

const client = new Client({
  url: new URL('/ws', location.origin),
  getToken: async () => (await fetch('/token')).text(),
});
const plan = client.join('demo', {
  onChange: () => postMessage(plan.status),
  onEvent: ({ type, data }) => postMessage(`${type} ${data.task?.title ?? ''}`),
});
