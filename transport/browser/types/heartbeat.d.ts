export class Heartbeat {
    /**
     * @param {Timers} timers
     * @param {{ ping(): void, silent(): void, asleep(): void }} connection
     */
    constructor(timers: Timers, connection: {
        ping(): void;
        silent(): void;
        asleep(): void;
    });
    start(): void;
    /** A message has arrived. */
    received(): void;
    /** The network may have changed, or the computer may have slept. */
    doubt(): void;
    #private;
}
import type { Timers } from './timing.js';
