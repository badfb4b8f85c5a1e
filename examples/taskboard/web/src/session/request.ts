// Requests to the program's HTTP API. Each one ends: a connection can die without an error.

import { Store } from '../store';

/** The program refused. The message is meant for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    // biome-ignore lint/suspicious/noExplicitAny: each request has its own answers
    readonly body: any,
  ) {
    super(message);
  }
}

/** No answer: whether the request arrived is unknown. */
export class NetworkError extends Error {
  /** Further attempts would hold up other changes: a person decides. */
  final = false;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Milliseconds after which a request without an answer is given up. */
export const TIMEOUT = 10_000;
/** Milliseconds after which the page says that it is waiting. */
export const SLOW = 4_000;

/** Whether the page waits for an answer that is late, or the latest request got none. */
export const unanswered = new Store(false);
const late = new Set<AbortController>();
let failed = false;
const update = () => unanswered.set(failed || late.size > 0);

/** Gives up the requests that are late, so that they are sent again. */
export function retryNow(): void {
  for (const request of late) request.abort();
}

/** Sends a request and returns the answer's JSON, or undefined if it has none. */
export async function send<T>(path: string, { body, headers, signal, ...options }: RequestOptions = {}): Promise<T> {
  const request = new AbortController();
  const slow = setTimeout(() => {
    late.add(request);
    update();
  }, SLOW);
  const timeout = setTimeout(() => request.abort(), TIMEOUT);
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...options,
      signal: signal ? AbortSignal.any([signal, request.signal]) : request.signal,
      headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
    failed = false;
  } catch (error) {
    if (signal?.aborted) throw error;
    failed = true;
    throw new NetworkError(request.signal.aborted ? 'The server does not answer.' : 'The server can’t be reached.');
  } finally {
    clearTimeout(slow);
    clearTimeout(timeout);
    late.delete(request);
    update();
  }
  const answer = parsed(text);
  if (response.ok) return answer as T;
  // A proxy answers in its own words while the program is down.
  if (response.status >= 502 && !answer?.code) throw new NetworkError('The server can’t be reached.');
  throw new ApiError(
    response.status,
    answer?.code ?? '',
    answer?.error ?? `The server answered ${response.status}.`,
    answer,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function parsed(text: string): any {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
