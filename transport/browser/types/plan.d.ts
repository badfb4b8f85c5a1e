export class Plan {
    /**
     * @param {string} id
     * @param {import('./connection.js').Connection} connection
     */
    constructor(id: string, connection: import("./connection.js").Connection);
    /** @type {'joining' | 'live' | 'recovering' | 'denied'} */ state: "joining" | "live" | "recovering" | "denied";
    /** @type {PlanSnapshot} */ snapshot: PlanSnapshot;
    /** @type {Set<Subscription<any, any, any>>} */ subscriptions: Set<Subscription<any, any, any>>;
    epoch: string;
    seq: number;
    id: string;
    connection: import("./connection.js").Connection;
    /** Joins from the earliest place that one of the subscriptions needs. */
    join(): void;
    /** The connection is gone, or this plan is: what was known of people is not known any more. */
    interrupt(): void;
    /** Asks again after a denial. */
    retry(): void;
    /** @param {Subscription<any, any, any>} subscription */
    add(subscription: Subscription<any, any, any>): void;
    /** @param {any} message */
    receive(message: any): void;
    /** @param {unknown} state */
    setPresence(state: unknown): void;
    changed(): void;
    #private;
}
/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent]
 */
export class Subscription<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>> {
    /**
     * @param {Plan} plan
     * @param {PlanHandlers<Task, Progress, Host>} handlers
     * @param {(s: Subscription<any, any, any>) => void} release
     */
    constructor(plan: Plan, handlers: PlanHandlers<Task, Progress, Host>, release: (s: Subscription<any, any, any>) => void);
    epoch: string;
    seq: number;
    handlers: PlanHandlers<Task, Progress, Host>;
    get planId(): string;
    get snapshot(): PlanSnapshot;
    get status(): PlanStatus;
    get participants(): readonly Participant[];
    get participantCount(): number;
    get error(): ClientError | null;
    /** @returns {Position | null} how far it has come, with the events that wait for a load */
    get position(): Position | null;
    /** Shows the others something small about this client, such as what is being edited; null takes it away. @param {unknown} state */
    setPresence(state: unknown): void;
    /** Asks again after a denial. */
    retry(): void;
    /** Ends it. The server hears of it a moment later, unless somebody in the program joins again before. */
    leave(): void;
    forget(): void;
    push(message: any): void;
    /** @param {LoadReason} reason @param {Position} position */
    load(reason: LoadReason, { epoch, seq }: Position): Promise<void>;
    #private;
}
import type { PlanSnapshot } from './types.js';
import type { HostEvent } from './protocol.js';
import type { PlanHandlers } from './types.js';
import type { PlanStatus } from './types.js';
import type { Participant } from './protocol.js';
import type { ClientError } from './types.js';
import type { Position } from './protocol.js';
import type { LoadReason } from './types.js';
