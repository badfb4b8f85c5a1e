// Two people on one plan of a quickstart server: what one changes, the other receives. And a client
// whose token is refused, with the lines of the README.
//
//   node main.js http://127.0.0.1:8080

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Client } from 'planrooms';
import WebSocket from 'ws';

const [url] = process.argv.slice(2);

async function post(path, body, headers = {}) {
  const response = await fetch(url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

const login = async (user) => (await post('/api/login', { user })).token;

/** Joins the demo plan as a user, and waits until it is live. */
function open(user, handlers) {
  const client = new Client({ url: `${url}/ws`, getToken: () => login(user), WebSocket });
  return new Promise((resolve, reject) => {
    const plan = client.join('demo', {
      ...handlers,
      onError: reject,
      onChange: () => plan.status === 'live' && resolve(client),
    });
  });
}

/** A promise with the function that resolves it. */
function signal() {
  let resolve;
  const promise = new Promise((r) => {
    resolve = r;
  });
  return { promise, resolve };
}

const title = `from ${process.version}`;
const received = signal();
const receipt = signal();

const bob = await open('bob', { onEvent: (event) => event.data.task?.title === title && received.resolve() });
const alice = await open('alice', { onReceipt: () => receipt.resolve() });
await post('/api/plans/demo/tasks', { title }, { Authorization: `Bearer ${await login('alice')}`, ...alice.headers() });
await Promise.all([received.promise, receipt.promise]);
alice.close();
bob.close();
console.log('received');

// With an Origin that the server accepts, the client learns why it is refused.
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [, lines] = /^```js\nimport \{ WebSocket \} from 'ws';\n(.*?)^```/ms.exec(readme);
const make = new Function(
  'Client',
  'WebSocket',
  'getToken',
  `${lines.replaceAll('https://plans.example', url)}; return client;`,
);
const stranger = make(Client, WebSocket, () => 'not a token');
const stopped = signal();
const plan = stranger.join('demo', { onChange: () => plan.status === 'stopped' && stopped.resolve() });
await stopped.promise;
assert.equal(plan.error.code, 4401);
stranger.close();
