'use client';

// React: one client for an application, and a hook for each place that shows a plan.

/** @import { ClientOptions, PlanSnapshot, PlanWebSocket, PlanWebSocketOptions, QueryClientLike } from './types.js' */

import { createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { Client } from './planrooms.js';
import { queriesOf } from './queries.js';

/** @type {import('react').Context<{ client: Client, queryClient?: QueryClientLike } | null>} */
const Context = createContext(/** @type {any} */ (null));

/** @type {PlanSnapshot} */
const IDLE = Object.freeze({ status: 'idle', participants: [], participantCount: 0, error: null });

/**
 * Gives an application its one client: either the one passed, or one made of url and getToken, which may be another function at each
 * render. With a queryClient of TanStack Query the plans in its cache are kept true.
 * @param {{ client?: Client, url?: ClientOptions['url'], getToken?: ClientOptions['getToken'], queryClient?: QueryClientLike,
 *   children?: import('react').ReactNode }} props
 */
export function PlanRoomsProvider({ client, url, getToken, queryClient, children }) {
  const latest = useRef(getToken);
  useEffect(() => { latest.current = getToken; });
  const [own] = useState(() => new Client({ url, getToken: (request) => latest.current?.(request) }));
  const value = useMemo(() => ({ client: client ?? own, queryClient }), [client, own, queryClient]);
  return createElement(Context.Provider, { value }, children);
}

function useProvided() {
  const provided = useContext(Context);
  if (!provided) throw new Error('planrooms: no PlanRoomsProvider above this component');
  return provided;
}

/** The client of the application. */
export const usePlanRooms = () => useProvided().client;

/**
 * Makes a plan live while the component is mounted. Callbacks may be other functions at each render: nothing reconnects for that.
 * @template [Task=any]
 * @template [Progress=any]
 * @template {import('./protocol.js').HostEvent<string>} [Host=import('./protocol.js').HostEvent]
 * @param {PlanWebSocketOptions<Task, Progress, Host>} options
 * @returns {PlanWebSocket}
 */
export function usePlanWebSocket(options) {
  const { planId, enabled = true } = options;
  const { client, queryClient } = useProvided();
  const latest = useRef(options);
  useEffect(() => { latest.current = options; }); // before the effect that joins
  const [wanted, setWanted] = useState(true);
  const subscription = useRef(/** @type {import('./plan.js').Subscription<Task, Progress, Host> | null} */ (null));
  const presence = useRef(/** @type {unknown} */ (null));

  const subscribe = useCallback((/** @type {() => void} */ onChange) => {
    if (!planId || !enabled || !wanted) return () => {};
    const queries = () => (queryClient && latest.current.queryKeys !== null
      ? queriesOf(queryClient).of(planId, latest.current.queryKeys) : null);
    const joined = client.join(planId, /** @type {import('./types.js').PlanHandlers<Task, Progress, Host>} */ ({
      since: latest.current.since,
      load: (request) => Promise.all([latest.current.onReload?.(request), queries()?.reload()]).then(([position]) => position),
      onEvent(event) {
        queries()?.event(event);
        hand(latest.current, event);
      },
      onReceipt: (receipt) => latest.current.onReceipt?.(receipt),
      onUserJoined: (user) => latest.current.onUserJoined?.(user),
      onUserLeft: (user) => latest.current.onUserLeft?.(user),
      onError: (error) => latest.current.onError?.(error),
      onChange,
    }));
    subscription.current = joined;
    if (presence.current !== null) joined.setPresence(presence.current);
    return () => {
      if (presence.current !== null) joined.setPresence(null); // another component may keep the plan open
      joined.leave();
      subscription.current = null;
    };
  }, [client, queryClient, planId, enabled, wanted]);

  const snapshot = useSyncExternalStore(
    subscribe,
    () => (subscription.current && subscription.current.planId === planId ? subscription.current.snapshot : IDLE),
    () => IDLE,
  );
  const reconnect = useCallback(() => {
    setWanted(true);
    if (subscription.current?.status === 'denied') subscription.current.retry();
    else if (subscription.current) client.reconnect();
  }, [client]);
  const disconnect = useCallback(() => setWanted(false), []);
  const setPresence = useCallback((/** @type {unknown} */ state) => {
    presence.current = state ?? null;
    subscription.current?.setPresence(state);
  }, []);

  const { status, participants, participantCount, error: lastError } = snapshot;
  return useMemo(
    () => ({ isConnected: status === 'live', status, participants, participantCount, lastError, reconnect, disconnect, setPresence }),
    [snapshot, reconnect, disconnect, setPresence],
  );
}

/** @param {PlanWebSocketOptions<any, any, any>} options @param {any} event */
function hand(options, event) {
  const { type, data } = event;
  options.onEvent?.(event);
  switch (type) {
    case 'task-updated': return options.onTaskUpdated?.(data.task, event);
    case 'task-created': return options.onTaskCreated?.(data.task, event);
    case 'task-deleted': return options.onTaskDeleted?.(data.taskId, event);
    case 'task-reordered': return options.onTaskReordered?.(data.taskIds, event);
    case 'progress-updated': return options.onProgressUpdated?.(data.progress, event);
  }
}
