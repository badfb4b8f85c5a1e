/**
 * Milliseconds on a clock that cannot be set back. In some browsers performance.now() stops during
 * sleep, so a forward jump of the wall clock counts as elapsed time.
 */
export function now(): number;
/**
 * Calls f with the controller's signal. After ms it aborts the controller. Once the controller is
 * aborted, it rejects, even if f ignores the signal.
 * @param {number} ms
 * @param {AbortController} controller
 * @param {(signal: AbortSignal) => unknown} f
 * @returns {Promise<any>}
 */
export function within(ms: number, controller: AbortController, f: (signal: AbortSignal) => unknown): Promise<any>;
/**
 * Calls a function of the program. If it throws, the error is reported as uncaught, and call
 * returns undefined.
 * @param {Function | undefined} f @param {unknown[]} args @returns {any}
 */
export function call(f: Function | undefined, ...args: unknown[]): any;
/**
 * Binds the methods and getters of an object to it. Private members cannot be read through a Proxy,
 * such as that of Vue's reactive() and ref(); bound methods can be called through one.
 */
export function bind(object: any): void;
export function backoff(attempt: number): number;
export function pause(attempt: number): number;
/** Timers by name: a new one replaces the one of the same name. */
export class Timers {
    after(name: string, wait: number, then: () => void): void;
    cancel(name: string): void;
    clear(): void;
    #private;
}
