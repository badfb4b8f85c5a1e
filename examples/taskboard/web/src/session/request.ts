// Requests to the program's HTTP API.

/** The program refused. The message is meant for people. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly body: any) {
    super(message);
  }
}

/** No answer: whether the request arrived is not known. */
export class NetworkError extends Error {}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Sends a request and returns the answer's JSON, or undefined if it has none. */
export async function send<T>(path: string, { body, headers, ...options }: RequestOptions = {}): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...options,
      headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new NetworkError('The server can’t be reached.');
  }
  const answer = parsed(text);
  if (response.ok) return answer as T;
  // Whatever stands between here and the program answers in its own words while the program is down.
  if (response.status >= 502 && !answer?.code) throw new NetworkError('The server can’t be reached.');
  throw new ApiError(response.status, answer?.code ?? '', answer?.error ?? `The server answered ${response.status}.`, answer);
}

function parsed(text: string): any {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
