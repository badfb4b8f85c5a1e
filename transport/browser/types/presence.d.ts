export class Presence {
    /** @param {Plan} plan */
    constructor(plan: Plan);
    /**
     * Throws if state is not JSON, or too long.
     * @param {Subscription<any, any, any, any>} owner
     * @param {unknown} state
     */
    set(owner: Subscription<any, any, any, any>, state: unknown): void;
    /** @param {Subscription<any, any, any, any>} owner */
    remove(owner: Subscription<any, any, any, any>): void;
    /** The plan is live. */
    joined(): void;
    /** The server refused a state by its rate limit. */
    refused(): void;
    /** The membership is lost, and the state with it. */
    lost(): void;
    #private;
}
import type { Subscription } from './subscription.js';
import type { Plan } from './plan.js';
