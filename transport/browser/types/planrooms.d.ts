export function newId(): string;
/** One connection to a server, and the plans on it. */
export class Client {
    /** @param {ClientOptions} options */
    constructor(options: ClientOptions);
    /** Who this page is to the server: goes with the page's own changes, see {@link Client.headers}. */
    clientId: string;
    get state(): import("./types.js").ConnectionState;
    get error(): import("./types.js").ClientError | null;
    get retryAt(): number;
    /**
     * Headers for a change by the host's API, so that this client gets a receipt in place of the event.
     * @param {string} [mutationId] comes back in event and receipt
     * @returns {Record<string, string>}
     */
    headers(mutationId?: string): Record<string, string>;
    /**
     * Watches a plan, and connects if need be. Several may watch one.
     * @template [Task=unknown]
     * @template [Progress=unknown]
     * @template {HostEvent<string>} [Host=HostEvent]
     * @param {string} planId
     * @param {PlanHandlers<Task, Progress, Host>} [handlers]
     * @returns {Subscription<Task, Progress, Host>} to be left when it is done
     */
    join<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>>(planId: string, handlers?: PlanHandlers<Task, Progress, Host>): Subscription<Task, Progress, Host>;
    /** Connects, and stays so without a plan: for private notices. */
    connect(): void;
    /** Disconnects until `connect` or `reconnect` is called, or a plan is joined. */
    disconnect(): void;
    /** Leaves all plans, at once, and disconnects: when somebody else logs in, say. */
    close(): void;
    /** Connects anew at once, also after an end that was final; plans that were denied are asked for again. */
    reconnect(): void;
    /** Asks for a new token and goes on with it; to be called when the login has changed. */
    renew(): Promise<void>;
    /**
     * - `change`: state, error or retryAt have
     * - `notice`: the host tells this user something that is no event of a plan
     * - `error`: a refusal that concerns no plan
     * @param {'change' | 'notice' | 'error'} name
     * @param {(message: any) => void} listener
     * @returns {() => void} takes it away
     */
    on(name: "change" | "notice" | "error", listener: (message: any) => void): () => void;
    #private;
}
import type { HostEvent } from './protocol.js';
import type { PlanHandlers } from './types.js';
import { Subscription } from './plan.js';
import type { ClientOptions } from './types.js';
