/**
 * Why a token is asked for: `connect` before an attempt to connect, `renew` 30 s before the end of the one in use, `rejected` after the
 * server refused one, `changed` because the program called `renew()`.
 */
export type TokenReason = "connect" | "renew" | "rejected" | "changed";
/**
 * A token, with the time of its end if the token does not tell that itself as a JSON Web Token does: milliseconds since 1970, or
 * RFC 3339.
 */
export type Token = string | {
    token: string;
    expiresAt?: number | string;
};
/**
 * Why something is not as wanted. The code is a close code, an error code of the protocol, or one of the client: `unauthenticated` (there
 * is no token, or it was refused twice), `failed` (no token could be fetched, or no socket made), `timeout`, `silent` and `asleep` (the connection was given
 * up), `load` (a plan could not be loaded).
 */
export type ClientError = {
    code: number | string;
    message: string;
};
export type ClientOptions = {
    /**
     * of the WebSocket endpoint, relative to the page; http and https will do. Default `/ws`.
     */
    url?: string | URL | undefined;
    /**
     *   Fetches a token. Nothing means that nobody is logged in: the client stops. If it throws, it is asked again after a while.
     */
    getToken: (request: {
        reason: TokenReason;
    }) => Token | null | undefined | Promise<Token | null | undefined>;
    /**
     * 1 to 64 of [A-Za-z0-9_-]. Default: a new one, which is right for a page: never store it, since a duplicated
     * tab would have the same.
     */
    clientId?: string | undefined;
    /**
     * failures in a row after which the client stops. Default: no limit.
     */
    maxAttempts?: number | undefined;
};
/**
 * - `idle`: neither connected nor meant to be, or stopped for good: then there is an error
 * - `connecting`: fetching a token, opening the socket, waiting for the server's first word
 * - `connected`
 * - `waiting`: for the time of the next attempt
 */
export type ConnectionState = "idle" | "connecting" | "connected" | "waiting";
/**
 * - `joining`: waiting for the server's answer
 * - `live`: every event arrives
 * - `recovering`: was live, and will get or hear of what it misses
 * - `denied`: not to be seen by this user, or no longer
 * - `connecting`, `waiting`: there is no connection
 * - `stopped`: there is none, and there will be none; the error says why
 * - `idle`: disconnected by the program, or left
 */
export type PlanStatus = "idle" | "connecting" | "joining" | "live" | "recovering" | "waiting" | "denied" | "stopped";
/**
 * Why a plan has to be loaded: `joined` (there was no position to go on from), `not_recovered` (what was missed is no longer to be had),
 * `resync` (the server says so), `gap` (an event was lost), `overflow` (too many events waited for the load before).
 */
export type LoadReason = "joined" | "not_recovered" | "resync" | "gap" | "overflow";
export type LoadRequest = {
    reason: LoadReason;
    position: Position;
    signal: AbortSignal;
};
export type PlanHandlers<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>> = {
    /**
     * the position that came with the plan which the program has loaded already
     */
    since?: Position | undefined;
    /**
     * Brings the plan from the host. Events wait until its promise is settled. It may resolve to the position that the plan came with:
     * events up to there are left out. If it rejects, it is called again after a while; the signal aborts when it is superseded.
     */
    load?: ((request: LoadRequest) => unknown) | undefined;
    onEvent?: ((event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    /**
     * of a change that this very client made
     */
    onReceipt?: ((receipt: Receipt) => void) | undefined;
    /**
     * at each join; with `recovered` the missed events follow
     */
    onJoin?: ((answer: JoinAnswer & {
        timestamp?: string;
    }) => void) | undefined;
    onUserJoined?: ((user: {
        userId: string;
        userName: string;
        participantCount: number;
    }) => void) | undefined;
    onUserLeft?: ((user: {
        userId: string;
        participantCount: number;
    }) => void) | undefined;
    /**
     * status, participants, their number or the error have changed
     */
    onChange?: (() => void) | undefined;
    onError?: ((error: ClientError) => void) | undefined;
};
/**
 * What there is to be shown of a plan. Never modified: a change makes a new one.
 */
export type PlanSnapshot = {
    status: PlanStatus;
    /**
     * who is there; empty in a crowd, which is only counted
     */
    participants: readonly Participant[];
    participantCount: number;
    error: ClientError | null;
};
/**
 * What is needed of a QueryClient of TanStack Query.
 */
export type QueryClientLike = {
    setQueryData: (key: readonly unknown[], data: any) => unknown;
    isFetching: (filters: {
        queryKey: readonly unknown[];
    }) => number;
    cancelQueries: (filters: {
        predicate: (query: any) => boolean;
    }) => Promise<void>;
    invalidateQueries: (filters: {
        predicate: (query: any) => boolean;
    }) => Promise<void>;
};
/**
 * Under which keys an application caches a plan. Default: `['plan', planId]`, `['plan', planId, 'tasks']`, `['plan', planId, 'progress']`.
 * A change of a task makes plan and tasks stale, at most once in 250 ms; progress is put in as it comes; a reload makes stale whatever begins
 * with one of the keys.
 */
export type QueryKeys = {
    plan: readonly unknown[];
    tasks: readonly unknown[];
    progress: readonly unknown[];
};
export type PlanWebSocketOptions<Task = any, Progress = any, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>> = {
    /**
     * none: not connected
     */
    planId: string | null | undefined;
    /**
     * Default true.
     */
    enabled?: boolean | undefined;
    /**
     * the position that came with the plan, if it has been loaded
     */
    since?: Position | undefined;
    /**
     * null: leave the cache alone
     */
    queryKeys?: Partial<QueryKeys> | null | undefined;
    onTaskUpdated?: ((task: Task, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onTaskCreated?: ((task: Task, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onTaskDeleted?: ((taskId: string, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onTaskReordered?: ((taskIds: string[], event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onProgressUpdated?: ((progress: Progress, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    /**
     * each of them, and the host's own
     */
    onEvent?: ((event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    /**
     * of a change that this page made
     */
    onReceipt?: ((receipt: Receipt) => void) | undefined;
    onUserJoined?: ((user: {
        userId: string;
        userName: string;
        participantCount: number;
    }) => void) | undefined;
    onUserLeft?: ((user: {
        userId: string;
        participantCount: number;
    }) => void) | undefined;
    /**
     * has the plan loaded anew, where no cache does it; events wait for its promise
     */
    onReload?: ((request: LoadRequest) => unknown) | undefined;
    onError?: ((error: ClientError) => void) | undefined;
};
export type PlanWebSocket = {
    /**
     * status is `live`
     */
    isConnected: boolean;
    status: PlanStatus;
    /**
     * who is there; empty in a crowd, which is only counted
     */
    participants: readonly Participant[];
    participantCount: number;
    /**
     * why status is not `live`, if there is a reason to tell
     */
    lastError: ClientError | null;
    /**
     * at once; also after a disconnect, a denial, or an end that was final
     */
    reconnect: () => void;
    /**
     * this component stops watching
     */
    disconnect: () => void;
    /**
     * shows the others something small, such as what is being edited; null takes it away
     */
    setPresence: (state: unknown) => void;
};
import type { Position } from './protocol.js';
import type { HostEvent } from './protocol.js';
import type { PlanEvent } from './protocol.js';
import type { Receipt } from './protocol.js';
import type { JoinAnswer } from './protocol.js';
import type { Participant } from './protocol.js';
