/**
 * Why the client requests a token: `connect` before an attempt to connect, `renew` 30 s before the
 * current one expires, `rejected` after the server refused one, `changed` because the program called
 * `renew()`.
 */
export type TokenReason = "connect" | "renew" | "rejected" | "changed";
/**
 * A token. expiresAt is the time at which it expires, in milliseconds since 1970 or RFC 3339. It is
 * needed if the token is not a JSON Web Token with `exp`. If it has passed when the server accepts
 * the token, such as a time in seconds, the client treats the time as unknown. A value of another
 * shape, such as `{ access_token }`, is an error: the client reports `failed` and calls getToken
 * again after a delay.
 */
export type Token = string | {
    token: string;
    expiresAt?: number | string;
};
export type TokenRequest = {
    reason: TokenReason;
    signal: AbortSignal;
};
export type Perhaps<T> = T | null | undefined | Promise<T | null | undefined>;
/**
 * An error that the client reports. The code is a close code, an error code of the protocol, or one
 * of the client's own:
 * - `unauthenticated`: no user is logged in
 * - `failed`: fetching a token or opening a socket failed
 * - `timeout`, `silent`, `asleep`: the client gave up the connection
 * - `load`: a load failed or passed its deadline; the client retries it
 * - `stale_load`: three loads in a row returned a plan older than the events; the client continues
 *   from the position of the join
 * - `unsupported`: WebSocket is missing here, or the url is not absolute where it has to be, or not
 *   one of http, https, ws or wss
 *
 * 1006 without a message means that no close frame arrived: the server cannot be reached, the
 * connection broke, or the server refused the handshake with an HTTP status. To a client in Node
 * it refuses a token in this way, too.
 */
export type ClientError = {
    code: number | string;
    message: string;
};
/**
 * Pass either getToken or credentials.
 */
export type ClientOptions = {
    /**
     * of the WebSocket endpoint, relative to the page; http and https
     * work too. Default `/ws`. It must be absolute where the program has no such base: in Node, a
     * worker from a blob, a page from srcdoc. A url of another host needs its scheme:
     * without one it is a path.
     */
    url?: string | URL | undefined;
    /**
     * Fetches a token. null or undefined: no user is logged in, and the client stops; call `renew()`
     * after a login. If it throws or passes the deadline, the client calls it again after a while.
     * The signal aborts when the client does not need the result any more.
     */
    getToken?: ((request: TokenRequest) => Perhaps<Token>) | undefined;
    /**
     * The session is a cookie that the browser sends with the
     * handshake. The server reads a cookie only then, so the client renews a session by a new
     * connection with the same client id: when the server ends the session, when `renew()` is called,
     * and before the end that getExpiry returns. It resumes where it was.
     */
    credentials?: "cookie" | undefined;
    /**
     * Only with credentials: refreshes the cookie if the reason is not `connect`, and returns the end
     * of the session in milliseconds since 1970 or RFC 3339. The client calls it at the times of
     * getToken. undefined: not known, as is an end that has passed when the server accepts the
     * session, such as a time in seconds. null: no user is logged in, and the client stops.
     */
    getExpiry?: ((request: TokenRequest) => Perhaps<number | string>) | undefined;
    /**
     * 1 to 64 of [A-Za-z0-9_-]. Default: a random one. Do not store it: a
     * duplicated tab would have the same.
     */
    clientId?: string | undefined;
    /**
     * retries in a row, after which the next failure stops the
     * client. Default: no limit.
     */
    maxAttempts?: number | undefined;
    /**
     * the deadline of a call of getToken, getExpiry or load, in
     * milliseconds. Default 30,000. An attempt to connect has 20 s for the token, the handshake and
     * the server's hello.
     */
    timeoutMs?: number | undefined;
    /**
     * Default: the global WebSocket.
     * Node 20 has none: pass that of the package ws. To get the reason of a refusal in Node, pass a
     * class that sends an Origin, see the README.
     */
    WebSocket?: (new (url: URL, protocols: string[]) => any) | undefined;
};
/**
 * - `idle`: not connected and not connecting; if the client has stopped because of an error, error
 *   says why
 * - `connecting`: fetching a token, opening the socket, waiting for the server's hello
 * - `connected`
 * - `waiting`: for the time of the next attempt
 */
export type ConnectionState = "idle" | "connecting" | "connected" | "waiting";
/**
 * - `joining`: waiting for the server's answer
 * - `loading`: joined; the plan is being loaded, and events wait for it. error says why a load
 *   failed
 * - `live`: the plan is loaded, and every event arrives
 * - `recovering`: was live; the server replays missed events, or the client loads the plan again
 * - `denied`: this user has no access, or no longer
 * - `connecting`, `waiting`: not connected
 * - `stopped`: the client has stopped, and does not try again; the error says why. `reconnect()`
 *   and `renew()` start it.
 * - `idle`: disconnected by the program, or left
 */
export type PlanStatus = "idle" | "connecting" | "joining" | "loading" | "live" | "recovering" | "waiting" | "denied" | "stopped";
/**
 * Why a plan has to be loaded: `joined` (the subscription has no position yet), `user` (another
 * user has logged in: the plan was loaded for the previous user), `not_recovered` (the server no
 * longer has the missed events), `resync` (the server requested it), `gap` (an event was lost),
 * `overflow` (too many events arrived during a load).
 */
export type LoadReason = "joined" | "user" | "not_recovered" | "resync" | "gap" | "overflow";
export type LoadRequest = {
    reason: LoadReason;
    position: Position;
    signal: AbortSignal;
};
export type PlanHandlers<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>, Id extends TaskId = string> = {
    /**
     * the position of the plan that the program has already loaded
     */
    since?: Position | undefined;
    /**
     * Loads the plan from the host. Events wait until its promise is settled. It may resolve to the
     * position of the loaded plan, from its body or with positionOf of `planrooms/position` from its
     * header: the client drops events up to there, and asks the server for those after it. If it
     * rejects or passes the deadline, the client calls it again after a while. The
     * signal aborts when the connection is lost or the subscription ends.
     */
    load?: ((request: LoadRequest) => unknown) | undefined;
    /**
     * each event once and in
     * order. An event whose version is below the last one of its key is dropped, also after a
     * reconnect. A load forgets the versions: compare that of the event with what was loaded.
     */
    onEvent?: ((event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    /**
     * for a change that this client made: a request
     * with the headers of `client.headers()`. It replaces the event and has no content.
     */
    onReceipt?: ((receipt: Receipt) => void) | undefined;
    /**
     * at each join; with
     * `recovered` the missed events follow
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
 * What a page shows of a plan. It is immutable: a change makes a new one. While the client
 * reconnects, the participants are those of the lost connection, for up to 6 s.
 */
export type PlanSnapshot = {
    status: PlanStatus;
    /**
     * empty in a crowded room, which is only counted
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
 * The keys under which an application caches a plan; null leaves one out. TanStack Query decides
 * what matches a key.
 *
 * - `plan`: default `['plan', planId]`. A change of a task refetches the query under this key, but
 *   not those below it.
 * - `tasks`: default `['plan', planId, 'tasks']`. A change of a task refetches this query and those
 *   below it.
 * - `progress`: default `['plan', planId, 'progress']`. The hook stores the progress of an event
 *   here.
 * - `mutations`: a refetch waits at most 5 s for running mutations, so that its answer does not
 *   undo an optimistic update. Default: for all mutations of the query client. With a key, for
 *   those whose mutationKey begins with it; with null, for none. It never waits for paused
 *   mutations.
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
export type PlanWebSocketOptions<Task = any, Progress = any, Host extends HostEvent<string> = HostEvent<import("./protocol.js").HostType, any>, Id extends TaskId = string> = {
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
    onTaskUpdated?: ((task: Task, event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    onTaskCreated?: ((task: Task, event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    onTaskDeleted?: ((taskId: Id, event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    onTaskReordered?: ((taskIds: Id[], event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    onProgressUpdated?: ((progress: Progress, event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    /**
     * every event, including
     * those that the host defines
     */
    onEvent?: ((event: PlanEvent<Task, Progress, Host, Id>) => void) | undefined;
    /**
     * for a change that this page made: a request
     * with the headers of `usePlanRooms().headers()`. It replaces the event and has no content: the
     * other callbacks are not called, and the hook does not change the cache. Update the cache with
     * the answer of the request, or invalidate the query.
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
     * loads the plan again, where no query
     * does; events wait for its promise
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
     * connects immediately; also after disconnect, after
     * client.close(), after a denial and after a final error
     */
    reconnect: () => void;
    /**
     * leaves the plan, for this component alone
     */
    disconnect: () => void;
    /**
     * shows the others a small state, such as the
     * field that is being edited; null clears it. If several components of a page set one for the
     * same plan, the others see the last; when its component unmounts, they see the one before.
     */
    setPresence: (state: unknown) => void;
};
import type { Position } from './protocol.js';
import type { HostEvent } from './protocol.js';
import type { TaskId } from './protocol.js';
import type { PlanEvent } from './protocol.js';
import type { Receipt } from './protocol.js';
import type { JoinAnswer } from './protocol.js';
import type { Participant } from './protocol.js';
