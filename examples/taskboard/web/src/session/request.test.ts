import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, NetworkError, retryNow, send, SLOW, TIMEOUT, unanswered } from './request';

// A fetch that is never answered, unless the test does it.
let answer: (response: Response) => void;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    'fetch',
    vi.fn(
      (_path: string, { signal }: RequestInit) =>
        new Promise((resolve, reject) => {
          answer = resolve;
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    ),
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a request without a response times out, and the page reports it before', async () => {
  const failure = send('/x').catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(SLOW - 1);
  expect(unanswered.get()).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(unanswered.get()).toBe(true);
  await vi.advanceTimersByTimeAsync(TIMEOUT - SLOW);
  expect(await failure).toBeInstanceOf(NetworkError);
  expect(unanswered.get()).toBe(true);

  const next = send('/x');
  answer(new Response('{"a":1}'));
  expect(await next).toEqual({ a: 1 });
  expect(unanswered.get()).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test('a late request can be aborted immediately, others continue', async () => {
  const first = send('/late').catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(SLOW);
  const second = send('/new');
  retryNow();
  expect(await first).toBeInstanceOf(NetworkError);
  answer(new Response(null, { status: 204 }));
  expect(await second).toBeUndefined();
});

test('an abort by the caller is not a network error; a refusal is a response', async () => {
  const caller = new AbortController();
  const failure = send('/x', { signal: caller.signal }).catch((error: unknown) => error);
  caller.abort();
  expect(await failure).not.toBeInstanceOf(NetworkError);
  expect(unanswered.get()).toBe(false);
  const refused = send('/x').catch((error: unknown) => error);
  answer(new Response('{"code":"full","error":"Full."}', { status: 409 }));
  expect(await refused).toBeInstanceOf(ApiError);
});
