// What the other modules take and give, for readers and for the type checker. No program loads this file.

/** @import { HostEvent, JoinAnswer, Participant, PlanEvent, Position, Receipt } from './protocol.js' */

/**
 * Why a token is asked for: `connect` before an attempt to connect, `renew` 30 s before the end of the one in use, `rejected` after the
 * server refused one, `changed` because the program called `renew()`.
 * @typedef {'connect' | 'renew' | 'rejected' | 'changed'} TokenReason
 */

/**
 * A token, with the time of its end if the token does not tell that itself as a JSON Web Token does: milliseconds since 1970, or
 * RFC 3339.
 * @typedef {string | { token: string, expiresAt?: number | string }} Token
 */

/**
 * Why something is not as wanted. The code is a close code, an error code of the protocol, or one of the client: `unauthenticated` (there
 * is no token, or it was refused twice), `failed` (no token could be fetched, or no socket made), `timeout`, `silent` and `asleep` (the connection was given
 * up), `load` (a plan could not be loaded).
 * @typedef {{ code: number | string, message: string }} ClientError
 */

/**
 * @typedef {object} ClientOptions
 * @property {string | URL} [url] of the WebSocket endpoint, relative to the page; http and https will do. Default `/ws`.
 * @property {(request: { reason: TokenReason }) => Token | null | undefined | Promise<Token | null | undefined>} getToken
 *   Fetches a token. Nothing means that nobody is logged in: the client stops. If it throws, it is asked again after a while.
 * @property {string} [clientId] 1 to 64 of [A-Za-z0-9_-]. Default: a new one, which is right for a page: never store it, since a duplicated
 *   tab would have the same.
 * @property {number} [maxAttempts] failures in a row after which the client stops. Default: no limit.
 */

/**
 * - `idle`: neither connected nor meant to be, or stopped for good: then there is an error
 * - `connecting`: fetching a token, opening the socket, waiting for the server's first word
 * - `connected`
 * - `waiting`: for the time of the next attempt
 * @typedef {'idle' | 'connecting' | 'connected' | 'waiting'} ConnectionState
 */

/**
 * - `joining`: waiting for the server's answer
 * - `live`: every event arrives
 * - `recovering`: was live, and will get or hear of what it misses
 * - `denied`: not to be seen by this user, or no longer
 * - `connecting`, `waiting`: there is no connection
 * - `stopped`: there is none, and there will be none; the error says why
 * - `idle`: disconnected by the program, or left
 * @typedef {'idle' | 'connecting' | 'joining' | 'live' | 'recovering' | 'waiting' | 'denied' | 'stopped'} PlanStatus
 */

/**
 * Why a plan has to be loaded: `joined` (there was no position to go on from), `not_recovered` (what was missed is no longer to be had),
 * `resync` (the server says so), `gap` (an event was lost), `overflow` (too many events waited for the load before).
 * @typedef {'joined' | 'not_recovered' | 'resync' | 'gap' | 'overflow'} LoadReason
 */

/** @typedef {{ reason: LoadReason, position: Position, signal: AbortSignal }} LoadRequest */

/**
 * @template [Task=unknown]
 * @template [Progress=unknown]
 * @template {HostEvent<string>} [Host=HostEvent] events of the host's own
 * @typedef {object} PlanHandlers
 * @property {Position} [since] the position that came with the plan which the program has loaded already
 * @property {(request: LoadRequest) => unknown} [load]
 *   Brings the plan from the host. Events wait until its promise is settled. It may resolve to the position that the plan came with:
 *   events up to there are left out. If it rejects, it is called again after a while; the signal aborts when it is superseded.
 * @property {(event: PlanEvent<Task, Progress, Host>) => void} [onEvent]
 * @property {(receipt: Receipt) => void} [onReceipt] of a change that this very client made
 * @property {(answer: JoinAnswer & { timestamp?: string }) => void} [onJoin] at each join; with `recovered` the missed events follow
 * @property {(user: { userId: string, userName: string, participantCount: number }) => void} [onUserJoined]
 * @property {(user: { userId: string, participantCount: number }) => void} [onUserLeft]
 * @property {() => void} [onChange] status, participants, their number or the error have changed
 * @property {(error: ClientError) => void} [onError]
 */

/**
 * What there is to be shown of a plan. Never modified: a change makes a new one.
 * @typedef {object} PlanSnapshot
 * @property {PlanStatus} status
 * @property {readonly Participant[]} participants who is there; empty in a crowd, which is only counted
 * @property {number} participantCount
 * @property {ClientError | null} error
 */

/**
 * What is needed of a QueryClient of TanStack Query.
 * @typedef {object} QueryClientLike
 * @property {(key: readonly unknown[], data: any) => unknown} setQueryData
 * @property {(filters: { queryKey: readonly unknown[] }) => number} isFetching
 * @property {(filters: { predicate: (query: any) => boolean }) => Promise<void>} cancelQueries
 * @property {(filters: { predicate: (query: any) => boolean }) => Promise<void>} invalidateQueries
 */

/**
 * Under which keys an application caches a plan. Default: `['plan', planId]`, `['plan', planId, 'tasks']`, `['plan', planId, 'progress']`.
 * A change of a task makes plan and tasks stale, at most once in 250 ms; progress is put in as it comes; a reload makes stale whatever begins
 * with one of the keys.
 * @typedef {{ plan: readonly unknown[], tasks: readonly unknown[], progress: readonly unknown[] }} QueryKeys
 */

/**
 * @template [Task=any]
 * @template [Progress=any]
 * @template {HostEvent<string>} [Host=HostEvent] events of the host's own
 * @typedef {object} PlanWebSocketOptions
 * @property {string | null | undefined} planId none: not connected
 * @property {boolean} [enabled] Default true.
 * @property {Position} [since] the position that came with the plan, if it has been loaded
 * @property {Partial<QueryKeys> | null} [queryKeys] null: leave the cache alone
 * @property {(task: Task, event: PlanEvent<Task, Progress, Host>) => void} [onTaskUpdated]
 * @property {(task: Task, event: PlanEvent<Task, Progress, Host>) => void} [onTaskCreated]
 * @property {(taskId: string, event: PlanEvent<Task, Progress, Host>) => void} [onTaskDeleted]
 * @property {(taskIds: string[], event: PlanEvent<Task, Progress, Host>) => void} [onTaskReordered]
 * @property {(progress: Progress, event: PlanEvent<Task, Progress, Host>) => void} [onProgressUpdated]
 * @property {(event: PlanEvent<Task, Progress, Host>) => void} [onEvent] each of them, and the host's own
 * @property {(receipt: Receipt) => void} [onReceipt] of a change that this page made
 * @property {(user: { userId: string, userName: string, participantCount: number }) => void} [onUserJoined]
 * @property {(user: { userId: string, participantCount: number }) => void} [onUserLeft]
 * @property {(request: LoadRequest) => unknown} [onReload] has the plan loaded anew, where no cache does it; events wait for its promise
 * @property {(error: ClientError) => void} [onError]
 */

/**
 * @typedef {object} PlanWebSocket
 * @property {boolean} isConnected status is `live`
 * @property {PlanStatus} status
 * @property {readonly Participant[]} participants who is there; empty in a crowd, which is only counted
 * @property {number} participantCount
 * @property {ClientError | null} lastError why status is not `live`, if there is a reason to tell
 * @property {() => void} reconnect at once; also after a disconnect, a denial, or an end that was final
 * @property {() => void} disconnect this component stops watching
 * @property {(state: unknown) => void} setPresence shows the others something small, such as what is being edited; null takes it away
 */

export {};
