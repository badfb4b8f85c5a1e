/** Moves a plan or a subscription to a position. */
export function moveTo(to: Position, { epoch, seq }: Position): void;
/**
 * A load to be made. The events from place on in the list of held ones come after its position.
 * @typedef {{ reason: LoadReason, position: Position, spreadMs: number, place: number }} Load
 */
/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent]
 * @template {TaskId} [Id=string]
 */
export class Subscription<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>, Id extends TaskId = string> {
    /**
     * @param {Plan} plan
     * @param {PlanHandlers<Task, Progress, Host, Id>} handlers
     * @param {(s: Subscription<any, any, any, any>) => void} release
     */
    constructor(plan: Plan, handlers: PlanHandlers<Task, Progress, Host, Id>, release: (s: Subscription<any, any, any, any>) => void);
    epoch: string;
    seq: number;
    /** @type {LoadReason} of a load without a place */ first: LoadReason;
    /** Left, or ended by `Client.close`: receives nothing more. */
    closed: boolean;
    handlers: PlanHandlers<Task, Progress, Host, Id>;
    get planId(): string;
    /** @returns {PlanSnapshot} */
    get snapshot(): PlanSnapshot;
    get status(): import("./types.js").PlanStatus;
    get participants(): readonly import("./protocol.js").Participant[];
    get participantCount(): number;
    get error(): ClientError | null;
    /** @returns {Position | null} of the last event received, which may wait for a load */
    get position(): Position | null;
    /**
     * Shows a small state of this client to the other participants, such as what is being edited.
     * null clears it. Of several subscriptions to a plan, the state set last is shown; when it is
     * cleared, the one before it. Throws if the state cannot be encoded as JSON or is longer than
     * 1,024 bytes.
     * @param {unknown} state
     */
    setPresence(state: unknown): void;
    /** Asks again after a denial. */
    retry(): void;
    /**
     * Ends the subscription. The client leaves the plan 1.5 s later, unless the program joins it
     * again.
     */
    leave(): void;
    end(): void;
    /** Drops the place in the stream, and what belongs to it. reason is that of the next load. */
    forget(reason?: LoadReason): void;
    /** The connection is lost: a load under way ends, and the next join makes another. */
    interrupt(): void;
    /** @param {any} message @param {number} size */
    push(message: any, size: number): void;
    /** @param {LoadReason} reason @param {Position} position @param {number} [spreadMs] */
    load(reason: LoadReason, { epoch, seq }: Position, spreadMs?: number): void;
    /** Calls onChange, once for several changes, and never before join has returned. */
    changed(): void;
    #private;
}
/**
 * A load to be made. The events from place on in the list of held ones come after its position.
 */
export type Load = {
    reason: LoadReason;
    position: Position;
    spreadMs: number;
    place: number;
};
import type { Position } from './protocol.js';
import type { HostEvent } from './protocol.js';
import type { TaskId } from './protocol.js';
import type { LoadReason } from './types.js';
import type { PlanHandlers } from './types.js';
import type { PlanSnapshot } from './types.js';
import type { ClientError } from './types.js';
import type { Plan } from './plan.js';
