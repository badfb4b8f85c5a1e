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
    send(message: ClientMessage): void;
    /**
     * Sends what make returns when there is room for it. A function that waits already is not added.
     */
    later(make: () => ClientMessage | null): void;
    /** Sends at once: for pings and renewals, which are at most a few a minute. */
    sendNow(message: ClientMessage): void;
    #private;
}
import type { ClientMessage } from './protocol.js';
import type { Timers } from './timing.js';
