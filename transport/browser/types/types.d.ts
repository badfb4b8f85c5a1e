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
 * The part of a QueryClient of TanStack Query 4 or 5 that the hook uses.
 */
export type QueryClientLike = {
    getQueryCache: () => any;
    setQueryData: (key: readonly unknown[], data: any) => unknown;
    isMutating: (filters: {
        mutationKey?: readonly unknown[];
        predicate: (mutation: any) => boolean;
    }) => number;
    refetchQueries: (filters: {
        predicate: (query: any) => boolean;
        type: "active";
    }, options: {
        cancelRefetch: boolean;
    }) => Promise<void>;
};
/**
 * The keys under which an application caches a plan; null leaves one out. TanStack Query decides what matches a key.
 *
 * - `plan`: default `['plan', planId]`. A change of a task refetches the query under this key, but
 *   not those below it.
 * - `tasks`: default `['plan', planId, 'tasks']`. A change of a task refetches this query and those
 *   below it.
 * - `progress`: default `['plan', planId, 'progress']`. The hook stores the progress of an event
 *   here.
 * - `mutations`: a refetch waits at most 5 s for running mutations, so that its answer does not undo
 *   an optimistic update. Default: for all mutations of the query client. With a key, for those
 *   whose mutationKey begins with it; with null, for none. It never waits for paused mutations.
 *
 * A reload refetches all queries under the three keys and below them.
 */
export type QueryKeys = {
    plan?: readonly unknown[] | null;
    tasks?: readonly unknown[] | null;
    progress?: readonly unknown[] | null;
    mutations?: readonly unknown[] | null;
};
/**
 * Applies an event to the data of a query. It returns the new data, or the same data if the event
 * changes nothing, or undefined if the data is not enough: then an event of a task refetches the
 * query. It must not modify the data. The hook calls it again for an event that arrived during a
 * fetch, with the data fetched.
 */
export type Patch = (data: any, event: any) => unknown;
export type PlanWebSocketOptions<Task = any, Progress = any, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>> = {
    /**
     * Without one, the hook does not connect.
     */
    planId: string | null | undefined;
    /**
     * Default true.
     */
    enabled?: boolean | undefined;
    /**
     * the position of the plan, if the application has loaded it
     */
    since?: Position | undefined;
    /**
     * null: the hook does not touch the cache
     */
    queryKeys?: QueryKeys | null | undefined;
    /**
     * applies events to the cached data under the keys `plan` and `tasks`;
     * patchTasks of `planrooms/patch` makes one for lists of tasks. Default: a change of a task
     * refetches them.
     */
    patch?: Patch | undefined;
    onTaskUpdated?: ((task: Task, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onTaskCreated?: ((task: Task, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onTaskDeleted?: ((taskId: string, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onTaskReordered?: ((taskIds: string[], event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    onProgressUpdated?: ((progress: Progress, event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    /**
     * every event, including those
     * that the host defines
     */
    onEvent?: ((event: PlanEvent<Task, Progress, Host>) => void) | undefined;
    /**
     * a change that this page made
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
     * loads the plan again, where no query does;
     * events wait for its promise
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
     * empty in a crowded plan, which is only counted
     */
    participants: readonly Participant[];
    participantCount: number;
    /**
     * why status is not `live`, where there is a reason
     */
    lastError: ClientError | null;
    /**
     * connects immediately; also after disconnect, after client.close(),
     * after a denial and after a final error
     */
    reconnect: () => void;
    /**
     * leaves the plan, for this component alone
     */
    disconnect: () => void;
    /**
     * shows the others a small state, such as the field
     * that is being edited; null clears it. If several components of a page set one for the same plan,
     * the others see the last; when its component unmounts, they see the one before.
     */
    setPresence: (state: unknown) => void;
};
import type { Position } from './protocol.js';
import type { HostEvent } from './protocol.js';
import type { PlanEvent } from './protocol.js';
import type { Receipt } from './protocol.js';
import type { JoinAnswer } from './protocol.js';
import type { Participant } from './protocol.js';
