import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NetworkError, TIMEOUT } from './request';
import { Session } from './session';

const user = { id: 'ada', name: 'Ada', email: 'ada@example.com' };
const access = (token: string) =>
  new Response(JSON.stringify({ token, user, expiresAt: new Date(Date.now() + 60_000).toISOString() }));

let answers: (Response | null)[]; // null: none
const sent: string[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  sent.length = 0;
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
