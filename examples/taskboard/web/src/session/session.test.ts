import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NetworkError, TIMEOUT } from './request';
import { Session } from './session';

const user = { id: 'ada', name: 'Ada', email: 'ada@example.com' };
const access = (token: string) =>
  new Response(JSON.stringify({ token, user, expiresAt: new Date(Date.now() + 60_000).toISOString() }));

const refused = () => new Response('{"error":"The session has ended.","code":"session_ended"}', { status: 401 });

let answers: (Response | Promise<Response> | null)[]; // null: none
const sent: string[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  sent.length = 0;
  // The real one would connect the sessions of all tests.
  vi.stubGlobal(
    'BroadcastChannel',
    class {
      postMessage() {}
    },
  );
  vi.stubGlobal('fetch', (path: string, { signal }: RequestInit) => {
    sent.push(path);
    const answer = answers.shift();
    return answer
      ? Promise.resolve(answer)
      : new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a renewal without a response times out, and the next one is a new request', async () => {
  answers = [access('one'), null, access('two')];
  const session = new Session();
  await session.start();
  const both = [session.token({ renew: true }), session.token({ renew: true })].map((token) =>
    token.catch((error: unknown) => error),
  );
  await vi.advanceTimersByTimeAsync(TIMEOUT);
  for (const result of await Promise.all(both)) expect(result).toBeInstanceOf(NetworkError);
  expect((await session.token({ renew: true }))?.token).toBe('two');
  expect(sent).toEqual(['/api/token', '/api/token', '/api/token']);
});

test('a prefetched response is used once, and only for its path', async () => {
  answers = [
    access('one'),
    new Response('{"n":1}'),
    new Response('{"n":2}'),
    new Response('{"n":3}'),
    new Response('{"n":4}'),
  ];
  const session = new Session();
  session.prefetch('/api/plans/p'); // before the login: nothing
  await session.start();
  const signal = new AbortController().signal;
  session.prefetch('/api/plans/p');
  expect(await session.get('/api/plans/p', signal)).toEqual({ n: 1 });
  expect(await session.get('/api/plans/p', signal)).toEqual({ n: 2 });
  session.prefetch('/api/plans/p');
  expect(await session.get('/api/plans/q', signal)).toEqual({ n: 4 });
});

test('a logout shows the login form, although the server closes the connection before it responds', async () => {
  let respond!: (response: Response) => void;
  const response = new Promise<Response>((resolve) => {
    respond = resolve;
  });
  answers = [access('one'), response, refused()];
  const session = new Session();
  await session.start();
  const phases: string[] = [];
  session.state.subscribe(() => phases.push(session.state.get().phase));
  const out = session.logout();
  expect(await session.token({ renew: true })).toBe(null); // as the client asks after 4401
  session.end('expired'); // as the page does when the client has stopped
  respond(new Response(null, { status: 204 }));
  await out;
  expect(phases).toEqual(['out']);
});

test('after a failed logout the page stays, unless the session has ended nevertheless', async () => {
  const down = () => new Response('{"error":"Something went wrong.","code":"internal"}', { status: 500 });
  answers = [access('one'), down(), access('two'), down(), refused()];
  const session = new Session();
  await session.start();
  await expect(session.logout()).rejects.toThrow('Something went wrong.');
  await vi.advanceTimersByTimeAsync(0);
  expect(session.state.get().phase).toBe('in');
  await expect(session.logout()).rejects.toThrow('Something went wrong.');
  await vi.advanceTimersByTimeAsync(0);
  expect(session.state.get()).toEqual({ phase: 'ended', why: 'expired' });
});
