'use client';

// React: a provider with the client of an application, and a hook for components that show a plan.
// The hook makes a Subscription for each component; queries.js keeps the cache of TanStack Query.

/** @import { ClientOptions, PlanSnapshot, PlanWebSocket } from './types.js' */
/** @import { PlanWebSocketOptions, QueryClientLike } from './types.js' */

import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { Client } from './planrooms.js';
import { Presence } from './presence.js';
import { queriesOf } from './queries.js';
import { call } from './timing.js';

/** @type {import('react').Context<{ client: Client, queryClient?: QueryClientLike } | null>} */
const Context = createContext(/** @type {any} */ (null));

const LOGIN = 250; // ms; new functions at each render cause at most one call in this time

/** @type {PlanSnapshot} */
const IDLE = Object.freeze({ status: 'idle', participants: [], participantCount: 0, error: null });

/**
 * Provides the client of an application: the one passed, or one made of the options of a Client.
 * When an option changes, the provider makes a new client and closes the old one; the hooks join
 * their plans again. getToken and getExpiry may be new functions at each render: the client calls
 * the latest. If the client has stopped because no user was logged in, it calls a new one and goes
 * on. With a queryClient of TanStack Query, the hooks keep the cached plans current.
 * @param {Partial<ClientOptions> & { client?: Client, queryClient?: QueryClientLike,
 *   children?: import('react').ReactNode }} props
 */
export function PlanRoomsProvider({ client, queryClient, children, getToken, getExpiry, ...options }) {
  const login = options.credentials ? getExpiry : getToken;
  const latest = useRef(login);
  const asked = useRef(login); // the last one called
  // Before the effects in which hooks join.
  useInsertionEffect(() => {
    latest.current = login;
  });
  const make = () => ({
    options,
    client: new Client({
      ...options,
      [options.credentials ? 'getExpiry' : 'getToken']: (/** @type {any} */ request) =>
        (asked.current = latest.current)?.(request),
    }),
  });
  const [own, setOwn] = useState(() => (client ? null : make()));
  if (!client && !(own && same(own.options, options))) setOwn(make());
  const current = client ?? own?.client;
  const before = useRef(own);
  useEffect(() => {
    // runs after the effects in which the hooks leave the old client
    if (before.current !== own) before.current?.client.close();
    before.current = own;
  }, [own]);
  useEffect(() => {
    // a login may have been restored after the first render
    if (!login || !current) return;
    /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
    const check = () => {
      clearTimeout(timer);
      if (current.state !== 'idle' || current.error?.code !== 'unauthenticated' || asked.current === login) return;
      timer = setTimeout(() => {
        asked.current = login;
        current.renew();
      }, LOGIN);
    };
    check();
    const off = current.on('change', check);
    return () => {
      clearTimeout(timer);
      off();
    };
  }, [current, login]);
  const value = useMemo(() => current && { client: current, queryClient }, [current, queryClient]);
  return createElement(Context.Provider, { value: value ?? null }, children);
}

/** @param {any} a @param {any} b */
function same(a, b) {
  const text = (/** @type {unknown} */ value) => (value instanceof URL ? value.href : value);
  return Object.keys({ ...a, ...b }).every((name) => Object.is(text(a[name]), text(b[name])));
}

function useProvided() {
  const provided = useContext(Context);
  if (!provided) throw new Error('planrooms: no PlanRoomsProvider above this component');
  return provided;
}

/** The client of the application. */
export const usePlanRooms = () => useProvided().client;

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
export function usePlanWebSocket(options) {
  const { planId, enabled = true } = options;
  const { client, queryClient } = useProvided();
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  }); // before the effect that joins
  const [wanted, setWanted] = useState(1); // 0: disconnected; another number: joined again
  const subscription = useRef(
    /** @type {import('./subscription.js').Subscription<Task, Progress, Host, Id> | null} */ (null),
  );
  const resume = useRef(/** @type {import('./protocol.js').Position | null} */ (null));
  const presence = useRef(/** @type {unknown} */ (null));

  const subscribe = useCallback(
    (/** @type {() => void} */ onChange) => {
      if (!planId || !enabled || !wanted) return () => {};
      const queries = () => {
        const { queryKeys, patch } = latest.current;
        if (!queryClient || queryKeys === null) return null;
        return queriesOf(queryClient)(planId, { keys: queryKeys, patch, participants: joined.participantCount });
      };
      /** @type {import('./subscription.js').Subscription<Task, Progress, Host, Id>} */
      const joined = client.join(
        planId,
        /** @type {import('./types.js').PlanHandlers<Task, Progress, Host, Id>} */ ({
          since: resume.current ?? latest.current.since,
          load(request) {
            if (request.reason === 'user') presence.current = null;
            return Promise.all([latest.current.onReload?.(request), queries()?.reload(request)]).then(
              ([position]) => position,
            );
          },
          onEvent(event) {
            call(() => queries()?.event(event));
            dispatch(latest.current, event);
          },
          onReceipt: (receipt) => latest.current.onReceipt?.(receipt),
          onUserJoined: (user) => latest.current.onUserJoined?.(user),
          onUserLeft: (user) => latest.current.onUserLeft?.(user),
          onError: (error) => latest.current.onError?.(error),
          onChange,
        }),
      );
      resume.current = null;
      subscription.current = joined;
      if (presence.current !== null) call(joined.setPresence, presence.current);
      return () => {
        joined.leave();
        subscription.current = null;
      };
    },
    [client, queryClient, planId, enabled, wanted],
  );

  const snapshot = useSyncExternalStore(
    subscribe,
    () => (subscription.current && subscription.current.planId === planId ? subscription.current.snapshot : IDLE),
    () => IDLE,
  );
  const reconnect = useCallback(() => {
    const { status, position = null } = subscription.current ?? {};
    if (status === 'denied') return subscription.current?.retry();
    if (status || client.error) client.reconnect();
    if (status && status !== 'idle' && status !== 'stopped') return;
    resume.current = position; // null after client.close()
    setWanted((n) => n + 1);
  }, [client]);
  const disconnect = useCallback(() => setWanted(0), []);
  const setPresence = useCallback((/** @type {unknown} */ state) => {
    new Presence(/** @type {any} */ ({})).set(/** @type {any} */ (null), state); // throws, also without a plan
    subscription.current?.setPresence(state);
    presence.current = state ?? null;
  }, []);

  return useMemo(() => {
    const { error: lastError, ...shown } = snapshot;
    return { ...shown, isConnected: shown.status === 'live', lastError, reconnect, disconnect, setPresence };
  }, [snapshot, reconnect, disconnect, setPresence]);
}

/**
 * Calls the callbacks for an event. If one throws, the next is called all the same.
 * @param {PlanWebSocketOptions<any, any, any, any>} options @param {any} event
 */
function dispatch(options, event) {
  const { type, data } = event;
  call(options.onEvent, event);
  switch (type) {
    case 'task-updated':
      return call(options.onTaskUpdated, data.task, event);
    case 'task-created':
      return call(options.onTaskCreated, data.task, event);
    case 'task-deleted':
      return call(options.onTaskDeleted, data.taskId, event);
    case 'task-reordered':
      return call(options.onTaskReordered, data.taskIds, event);
    case 'progress-updated':
      return call(options.onProgressUpdated, data.progress, event);
  }
}
