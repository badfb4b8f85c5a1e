export const PRESENCE_BURST: 5;
/** @typedef {() => ClientMessage | null} Make makes a message; null: it is not needed any more */
export class Outbox {
    /**
     * @param {Timers} timers
     * @param {(message: ClientMessage) => void} write
     */
    constructor(timers: Timers, write: (message: ClientMessage) => void);
    /** Starts again for a new connection. */
    reset(): void;
    /** The server has refused a message: its bucket is empty. */
    drained(): void;
    /**
     * Sends what make returns, as soon as there is room for it. A function that waits already is not
     * added.
     */
    send(make: Make, burst?: number): void;
    /** Sends at once: for pings and renewals, which are at most a few a minute. */
    sendNow(message: ClientMessage): void;
    #private;
}
/**
 * makes a message; null: it is not needed any more
 */
export type Make = () => ClientMessage | null;
import type { ClientMessage } from './protocol.js';
import type { Timers } from './timing.js';
