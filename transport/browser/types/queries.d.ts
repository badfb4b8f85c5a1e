/** The one of a query client, so that several places that show a plan refetch it once. @param {QueryClientLike} queryClient */
export function queriesOf(queryClient: QueryClientLike): Queries;
import type { QueryClientLike } from './types.js';
declare class Queries {
    /** @param {QueryClientLike} client */
    constructor(client: QueryClientLike);
    /** @param {string} planId @param {Partial<QueryKeys>} [keys] */
    of(planId: string, keys?: Partial<QueryKeys>): {
        /** @param {any} event */
        event: ({ type, data }: any) => void;
        reload: () => Promise<void>;
    };
    #private;
}
import type { QueryKeys } from './types.js';
export {};
