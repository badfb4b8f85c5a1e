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
 * The part of a QueryClient of TanStack Query 4 or 5 that the hook uses.
 * @typedef {object} QueryClientLike
 * @property {() => any} getQueryCache
 * @property {(key: readonly unknown[], data: any) => unknown} setQueryData
 * @property {(filters: { mutationKey?: readonly unknown[],
 *   predicate: (mutation: any) => boolean }) => number} isMutating
 * @property {(filters: { predicate: (query: any) => boolean, type: 'active' },
 *   options: { cancelRefetch: boolean }) => Promise<void>} refetchQueries
 */

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
 * @typedef {{ plan?: readonly unknown[] | null, tasks?: readonly unknown[] | null,
 *   progress?: readonly unknown[] | null, mutations?: readonly unknown[] | null }} QueryKeys
 */

/**
 * Applies an event to the data of a query. It returns the new data, or the same data if the event
 * changes nothing, or undefined if the data is not enough: then an event of a task refetches the
 * query. It must not modify the data. The hook calls it again for an event that arrived during a
 * fetch, with the data fetched.
 * @typedef {(data: any, event: any) => unknown} Patch
 */

/**
 * @template [Task=any]
 * @template [Progress=any]
 * @template {HostEvent<string>} [Host=HostEvent] events of the host's own
 * @typedef {object} PlanWebSocketOptions
 * @property {string | null | undefined} planId Without one, the hook does not connect.
 * @property {boolean} [enabled] Default true.
 * @property {Position} [since] the position of the plan, if the application has loaded it
 * @property {QueryKeys | null} [queryKeys] null: the hook does not touch the cache
 * @property {Patch} [patch] applies events to the cached data under the keys `plan` and `tasks`;
 *   patchTasks of `planrooms/patch` makes one for lists of tasks. Default: a change of a task
 *   refetches them.
 * @property {(task: Task, event: PlanEvent<Task, Progress, Host>) => void} [onTaskUpdated]
 * @property {(task: Task, event: PlanEvent<Task, Progress, Host>) => void} [onTaskCreated]
 * @property {(taskId: string, event: PlanEvent<Task, Progress, Host>) => void} [onTaskDeleted]
 * @property {(taskIds: string[], event: PlanEvent<Task, Progress, Host>) => void} [onTaskReordered]
 * @property {(progress: Progress, event: PlanEvent<Task, Progress, Host>) => void} [onProgressUpdated]
 * @property {(event: PlanEvent<Task, Progress, Host>) => void} [onEvent] every event, including those
 *   that the host defines
 * @property {(receipt: Receipt) => void} [onReceipt] a change that this page made
 * @property {(user: { userId: string, userName: string, participantCount: number }) => void} [onUserJoined]
 * @property {(user: { userId: string, participantCount: number }) => void} [onUserLeft]
 * @property {(request: LoadRequest) => unknown} [onReload] loads the plan again, where no query does;
 *   events wait for its promise
 * @property {(error: ClientError) => void} [onError]
 */

/**
 * @typedef {object} PlanWebSocket
 * @property {boolean} isConnected status is `live`
 * @property {PlanStatus} status
 * @property {readonly Participant[]} participants empty in a crowded plan, which is only counted
 * @property {number} participantCount
 * @property {ClientError | null} lastError why status is not `live`, where there is a reason
 * @property {() => void} reconnect connects immediately; also after disconnect, after client.close(),
 *   after a denial and after a final error
 * @property {() => void} disconnect leaves the plan, for this component alone
 * @property {(state: unknown) => void} setPresence shows the others a small state, such as the field
 *   that is being edited; null clears it. If several components of a page set one for the same plan,
 *   the others see the last; when its component unmounts, they see the one before.
 */

export {};
