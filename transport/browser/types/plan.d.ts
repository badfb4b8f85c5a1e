export class Plan {
    /** @param {string} id @param {Connection} connection */
    constructor(id: string, connection: Connection);
    /** @type {'joining' | 'live' | 'recovering' | 'denied'} */ state: "joining" | "live" | "recovering" | "denied";
    /** @type {PlanSnapshot} */ snapshot: PlanSnapshot;
    /** @type {Set<Subscription<any, any, any, any>>} */ subscriptions: Set<Subscription<any, any, any, any>>;
    presence: Presence;
    epoch: string;
    seq: number;
    user: string;
    closed: boolean;
    /** @type {ReturnType<typeof setTimeout> | undefined} until the plan is left */ leaving: ReturnType<typeof setTimeout> | undefined;
    id: string;
    connection: Connection;
    /**
     * Joins from the earliest place that one of the subscriptions needs. For another user than before
     * it begins again: without a place, and without what the user before has seen and set.
     */
    join(): void;
    /** The membership is lost, with the connection or by a refusal. */
    interrupt(): void;
    /** Asks again after a denial. */
    retry(): void;
    /** @param {Subscription<any, any, any, any>} subscription */
    add(subscription: Subscription<any, any, any, any>): void;
    /** Leaves the plan for good. */
    close(): void;
    /** @param {any} message @param {number} size */
    receive(message: any, size: number): false | void;
    changed(): void;
    #private;
}
import type { PlanSnapshot } from './types.js';
import type { Subscription } from './subscription.js';
import { Presence } from './presence.js';
import type { Connection } from './connection.js';
