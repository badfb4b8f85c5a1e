/**
 * Returns the function that handles events and reloads of a plan. All hooks of a query client share
 * it.
 * @param {QueryClientLike} client
 */
export function queriesOf(client: QueryClientLike): (planId: string, { keys, patch, participants }?: {
    keys?: QueryKeys;
    patch?: Patch;
    participants?: number;
}) => {
    /** @param {any} event */
    event: (event: any) => void;
    /**
     * Fetches all queries of the plan. The promise resolves when the queries of the keys have
     * been fetched, and after 10 s at the latest: the events wait for it.
     * @param {LoadRequest} request
     */
    reload: ({ reason, position, signal }: LoadRequest) => Promise<undefined>;
};
export type Query = any;
/**
 * The state of one query.
 */
export type Entry = {
    query: Query;
    /**
     * no fetch has begun since the last change
     */
    due?: boolean | undefined;
    /**
     * the next fetch begins without a delay
     */
    urgent?: boolean | undefined;
    fetching: boolean;
    /**
     * the fetch under way has to bring a change
     */
    brings?: boolean | undefined;
    /**
     * time of the last start
     */
    began: number;
    /**
     * in a row
     */
    failures: number;
    /**
     * fetches that were replaced since the last success
     */
    replaced: number;
    spread?: number | undefined;
    mutations?: readonly unknown[] | null | undefined;
    /**
     * start of the wait for mutations
     */
    held?: number | undefined;
    /**
     * time at which timer fires, undefined if it does not run
     */
    at?: number | undefined;
    /**
     * of the next fetch
     */
    timer?: number | undefined;
    /**
     * of the check after a page load
     */
    check?: number | undefined;
    /**
     * of the last reload
     */
    position?: string | undefined;
    /**
     * reloads that wait for the next fetch
     */
    waiting: (() => void)[];
    /**
     * reloads that wait for the fetch under way
     */
    running: (() => void)[];
    /**
     * since the fetch under way began, which its
     * answer may lack
     */
    patches: {
        patch: Patch;
        event: any;
    }[];
    /**
     * events: another hook may bring them again, and later
     */
    patched: WeakSet<any>;
};
import type { QueryClientLike } from './types.js';
import type { QueryKeys } from './types.js';
import type { Patch } from './types.js';
import type { LoadRequest } from './types.js';
