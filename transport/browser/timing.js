// Time and calls for the other modules: a clock, named timers, back-off, deadlines.

const JUMP = 1_000; // ms; if the wall clock gains more on performance.now(), the computer has slept
const FIRST_DELAY = 500; // of the back-off
const MAX_DELAY = 30_000;

let steady = performance.now();
let wall = Date.now();
let slept = 0;

/**
 * Milliseconds on a clock that cannot be set back. In some browsers performance.now() stops during
 * sleep, so a forward jump of the wall clock counts as elapsed time.
 */
export function now() {
  const jump = -wall + (wall = Date.now()) + steady - (steady = performance.now());
  if (jump > JUMP) slept += Math.round(jump);
  return Math.floor(steady + slept);
}

/** Back-off with full jitter, in milliseconds. @param {number} attempt from 0 */
export const backoff = (attempt) => Math.random() * Math.min(MAX_DELAY, FIRST_DELAY * 2 ** attempt);

/** A longer wait, for requests on a connection. @param {number} attempt from 0 */
export const pause = (attempt) => FIRST_DELAY + backoff(attempt);

/** Timers by name: a new one replaces the one of the same name. */
export class Timers {
  /** @type {Record<string, ReturnType<typeof setTimeout>>} */ #timers = {};

  after(/** @type {string} */ name, /** @type {number} */ wait, /** @type {() => void} */ then) {
    this.cancel(name);
    this.#timers[name] = setTimeout(then, wait);
  }

  cancel(/** @type {string} */ name) {
    clearTimeout(this.#timers[name]);
  }

  clear() {
    Object.values(this.#timers).forEach((timer) => clearTimeout(timer));
  }
}

/**
 * Calls f with the controller's signal. After ms it aborts the controller. Once the controller is
 * aborted, it rejects, even if f ignores the signal.
 * @param {number} ms
 * @param {AbortController} controller
 * @param {(signal: AbortSignal) => unknown} f
 * @returns {Promise<any>}
 */
export async function within(ms, controller, f) {
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(new Error('no answer')), ms);
  try {
    return await Promise.race([
      f(signal),
      new Promise((_, reject) => {
        signal.onabort = () => reject(signal.reason);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Calls a function of the program. If it throws, the error is reported as uncaught, and call
 * returns undefined.
 * @param {Function | undefined} f @param {unknown[]} args @returns {any}
 */
export function call(f, ...args) {
  try {
    return f?.(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/**
 * Binds the methods and getters of an object to it. Private members cannot be read through a Proxy,
 * such as that of Vue's reactive() and ref(); bound methods can be called through one.
 */
export function bind(/** @type {any} */ object) {
  for (const [name, { get, value }] of Object.entries(
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object)),
  )) {
    if (get) Object.defineProperty(object, name, { get: get.bind(object) });
    else if (name !== 'constructor') object[name] = value.bind(object);
  }
}
