/**
 * Gives an application its one client: either the one passed, or one made of url and getToken, which may be another function at each
 * render. With a queryClient of TanStack Query the plans in its cache are kept true.
 * @param {{ client?: Client, url?: ClientOptions['url'], getToken?: ClientOptions['getToken'], queryClient?: QueryClientLike,
 *   children?: import('react').ReactNode }} props
 */
export function PlanRoomsProvider({ client, url, getToken, queryClient, children }: {
    client?: Client;
    url?: ClientOptions["url"];
    getToken?: ClientOptions["getToken"];
    queryClient?: QueryClientLike;
    children?: import("react").ReactNode;
}): import("react").FunctionComponentElement<import("react").ProviderProps<{
    client: Client;
    queryClient?: QueryClientLike;
} | null>>;
/**
 * Makes a plan live while the component is mounted. Callbacks may be other functions at each render: nothing reconnects for that.
 * @template [Task=any]
 * @template [Progress=any]
 * @template {import('./protocol.js').HostEvent<string>} [Host=import('./protocol.js').HostEvent]
 * @param {PlanWebSocketOptions<Task, Progress, Host>} options
 * @returns {PlanWebSocket}
 */
export function usePlanWebSocket<Task = any, Progress = any, Host extends import("./protocol.js").HostEvent<string> = import("./protocol.js").HostEvent<import("./protocol.js").HostType, any>>(options: PlanWebSocketOptions<Task, Progress, Host>): PlanWebSocket;
export function usePlanRooms(): Client;
import { Client } from './planrooms.js';
import type { ClientOptions } from './types.js';
import type { QueryClientLike } from './types.js';
import type { PlanWebSocketOptions } from './types.js';
import type { PlanWebSocket } from './types.js';
