// A development server of Vite in front of a plan server, as README.md of transport configures it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'vite';
import { WebSocket } from 'ws';

const backend = process.argv[2]; // http://host:port

/** The line of the README, with the address of this server. */
function documented() {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, line] = /^server: (\{ proxy: .*\}),$/m.exec(readme);
  return new Function(`return ${line.replaceAll('127.0.0.1:8080', new URL(backend).host)}`)();
}

/** Connects through the development server, as a page of origin. Returns the HTTP status, or 101. */
async function connect(server, token, origin) {
  const { port } = server.httpServer.address();
  const socket = new WebSocket(
    `ws://localhost:${port}/ws`,
    ['planrooms.v1', `base64url.bearer.planrooms.${Buffer.from(token).toString('base64url')}`],
    {
      headers: { Origin: origin ?? `http://localhost:${port}` },
    },
  );
  const refused = once(socket, 'unexpected-response').then(([, response]) => {
    response.destroy();
    return response.statusCode;
  });
  const hello = once(socket, 'message').then(([data]) => JSON.parse(data));
  const status = await Promise.race([
    refused,
    hello.then(({ data }) => {
      assert.equal(data.userId, 'alice');
      return 101;
    }),
  ]);
  socket.on('error', () => {}); // of a refused handshake
  socket.terminate();
  return status;
}

async function withServer(options, f) {
  const server = await createServer({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'error',
    server: { host: 'localhost', port: 0, ...options },
  });
  await server.listen();
  try {
    await f(server);
  } finally {
    await server.close();
  }
}

await withServer(documented(), async (server) => {
  const { port } = server.httpServer.address();
  const login = await fetch(`http://localhost:${port}/api/login`, {
    method: 'POST',
    body: JSON.stringify({ user: 'alice' }),
  });
  const { token } = await login.json();
  assert.equal(await connect(server, token), 101);
  assert.equal(await connect(server, token, 'https://elsewhere.example'), 403);

  // Where the proxy rewrites Host, the origin of the page has to be listed.
  const { proxy } = documented();
  proxy['/ws'].changeOrigin = true;
  await withServer({ proxy }, async (rewriting) => {
    assert.equal(await connect(rewriting, token), 403);
  });
});
