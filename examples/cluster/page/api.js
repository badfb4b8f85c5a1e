// Requests to the demonstration.

const PATIENCE_MS = 4000;

async function call(method, path) {
  const response = await fetch(path, { method, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (response.ok) return response.status === 204 ? null : response.json();
  const text = await response.text();
  let message = text || response.statusText;
  try {
    message = JSON.parse(text).error ?? message;
  } catch {} // not JSON: the text is the message
  throw new Error(message.trim());
}

export const getState = () => call('GET', '/api/state');

/** Loads the plan, through the node that the pane prefers. */
export const getPlan = (node) => call('GET', `/plan?node=${node}`);

/** Turns a switch, such as nodes/n1/kill. */
export const turn = (path) => call('POST', `/api/${path}`);
