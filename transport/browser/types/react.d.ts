/**
 * Provides the client of an application: the one passed, or one made of the options of a Client.
 * When an option changes, the provider makes a new client and closes the old one; the hooks join
 * their plans again. getToken and getExpiry may be new functions at each render: the client calls
 * the latest. If the client has stopped because no user was logged in, it calls a new one and goes
 * on. With a queryClient of TanStack Query, the hooks keep the cached plans current.
 * @param {Partial<ClientOptions> & { client?: Client, queryClient?: QueryClientLike,
 *   children?: import('react').ReactNode }} props
 */
export function PlanRoomsProvider({ client, queryClient, children, getToken, getExpiry, ...options }: Partial<ClientOptions> & {
    client?: Client;
    queryClient?: QueryClientLike;
    children?: import("react").ReactNode;
}): import("react").FunctionComponentElement<import("react").ProviderProps<{
    client: Client;
    queryClient?: QueryClientLike;
} | null>>;
/**
 * Keeps a plan live while the component is mounted. Callbacks may be new functions at each render:
 * they cause no new connection.
 * @template [Task=any]
 * @template [Progress=any]
 * @template {import('./protocol.js').HostEvent<string>} [Host=import('./protocol.js').HostEvent]
 * @template {import('./protocol.js').TaskId} [Id=string]
 * @param {PlanWebSocketOptions<Task, Progress, Host, Id>} options
 * @returns {PlanWebSocket}
 */
export function usePlanWebSocket<Task = any, Progress = any, Host extends import("./protocol.js").HostEvent<string> = import("./protocol.js").HostEvent<import("./protocol.js").HostType, any>, Id extends import("./protocol.js").TaskId = string>(options: PlanWebSocketOptions<Task, Progress, Host, Id>): PlanWebSocket;
export function usePlanRooms(): Client;
import type { ClientOptions } from './types.js';
import { Client } from './planrooms.js';
import type { QueryClientLike } from './types.js';
import type { PlanWebSocketOptions } from './types.js';
import type { PlanWebSocket } from './types.js';
