export { Subscription };
export function newId(): string;
/** One connection to a server, and the plans on it. */
export class Client {
    /**
     * Throws a TypeError unless there is one of getToken and credentials.
     * @param {ClientOptions} options
     */
    constructor(options: ClientOptions);
    /** Identifies this page to the server, see {@link Client.headers}. */
    clientId: string;
    get state(): import("./types.js").ConnectionState;
    get error(): import("./types.js").ClientError | null;
    /** When the next attempt is made, in milliseconds since 1970; 0 unless the state is `waiting`. */
    get retryAt(): number;
    /**
     * Headers for a change by the host's API. With them this client gets a receipt instead of the
     * event.
     * @param {string} [mutationId] comes back in event and receipt
     * @returns {Record<string, string>}
     */
    headers(mutationId?: string): Record<string, string>;
    /**
     * Watches a plan, and connects if necessary, but not after an end that was final: then
     * `reconnect`, `connect` or `renew` is needed. A plan may have several subscriptions.
     * @template [Task=unknown]
     * @template [Progress=unknown]
     * @template {HostEvent<string>} [Host=HostEvent]
     * @template {import('./protocol.js').TaskId} [Id=string]
     * @param {string} planId
     * @param {PlanHandlers<Task, Progress, Host, Id>} [handlers]
     * @returns {Subscription<Task, Progress, Host, Id>} to end with `leave`
     */
    join<Task = unknown, Progress = unknown, Host extends HostEvent<string> = import("./protocol.js").HostEvent<import("./protocol.js").HostType, unknown>, Id extends import("./protocol.js").TaskId = string>(planId: string, handlers?: PlanHandlers<Task, Progress, Host, Id>): Subscription<Task, Progress, Host, Id>;
    /** Connects, and stays connected without a plan: for private notices. */
    connect(): void;
    /** Disconnects until `connect` or `reconnect` is called, or a plan is joined. */
    disconnect(): void;
    /**
     * Leaves all plans and disconnects, both at once; for example when the user logs out. The
     * subscriptions are closed: to watch a plan again, join it again.
     */
    close(): void;
    /** Connects again at once, also after a final end. Asks again for denied plans. */
    reconnect(): void;
    /**
     * Fetches a new token and continues with it; call it when the login has changed. It works in
     * every state, also after an end, such as that of a page without a login. Without a plan or
     * `connect` it does nothing, since the next connection fetches a token. Denied plans are asked
     * for again.
     */
    renew(): Promise<void>;
    /**
     * - `change`: state, error or retryAt have changed
     * - `notice`: a message of the host to this user that is not an event of a plan
     * - `error`: a refusal that does not concern a plan
     * @param {'change' | 'notice' | 'error'} name
     * @param {(message: any) => void} listener
     * @returns {() => void} removes the listener
     */
    on(name: "change" | "notice" | "error", listener: (message: any) => void): () => void;
    #private;
}
/**
 * The types of this module, and those of its options and callbacks.
 */
export type ClientOptions = import("./types.js").ClientOptions;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type ClientError = import("./types.js").ClientError;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type ConnectionState = import("./types.js").ConnectionState;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type LoadReason = import("./types.js").LoadReason;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type LoadRequest = import("./types.js").LoadRequest;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type PlanSnapshot = import("./types.js").PlanSnapshot;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type PlanStatus = import("./types.js").PlanStatus;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type Token = import("./types.js").Token;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type TokenReason = import("./types.js").TokenReason;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type TokenRequest = import("./types.js").TokenRequest;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type JoinAnswer = import("./protocol.js").JoinAnswer;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type Participant = import("./protocol.js").Participant;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type Position = import("./protocol.js").Position;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type Receipt = import("./protocol.js").Receipt;
/**
 * The types of this module, and those of its options and callbacks.
 */
export type TaskId = import("./protocol.js").TaskId;
export type HostEvent<Type extends string = import("./protocol.js").HostType, Data = unknown> = import("./protocol.js").HostEvent<Type, Data>;
export type PlanEvent<Task = unknown, Progress = unknown, Host extends HostEvent<string> = import("./protocol.js").HostEvent<import("./protocol.js").HostType, unknown>, Id extends import("./protocol.js").TaskId = string> = import("./protocol.js").PlanEvent<Task, Progress, Host, Id>;
export type PlanHandlers<Task = unknown, Progress = unknown, Host extends HostEvent<string> = import("./protocol.js").HostEvent<import("./protocol.js").HostType, unknown>, Id extends import("./protocol.js").TaskId = string> = import("./types.js").PlanHandlers<Task, Progress, Host, Id>;
import { Subscription } from './subscription.js';
