// What the parts of a page share from login to logout.

import { QueryClient } from '@tanstack/react-query';
import { Client } from 'planrooms';
import { createContext, useContext } from 'react';
import { Connectivity } from './connection/connectivity';
import type { Carrier } from './plan/carryOut';
import type { Conflict } from './plan/conflict';
import { OwnVersions } from './plan/ownVersions';
import { ApiError, NetworkError } from './session/request';
import type { Session } from './session/session';
import { Store } from './store';

export class Workspace {
  readonly client: Client;
  readonly queryClient: QueryClient;
  readonly connectivity: Connectivity;
  readonly versions = new OwnVersions();
  readonly unanswered: Carrier['unanswered'] = new Map();
  /** By task. They are kept when the view of their plan closes. */
  readonly conflicts = new Store<ReadonlyMap<string, Conflict>>(new Map());
  /** The IDs of the fields with unsaved text. */
  readonly drafts = new Set<string>();

  constructor(readonly session: Session) {
    // The client calls it before each connection, and again before the token expires.
    this.client = new Client({ getToken: ({ reason }) => session.token({ renew: reason !== 'connect' }) });
    this.connectivity = new Connectivity(this.client);
    this.queryClient = new QueryClient({
      defaultOptions: {
        queries: {
          networkMode: 'always', // without a network a query fails visibly and is retried
          retry: (_, error) => error instanceof NetworkError || (error instanceof ApiError && error.status >= 500),
          retryDelay: (failures) => Math.min(1_000 * 2 ** failures, 10_000),
        },
      },
    });
  }

  /**
   * Connects until the returned function is called. A final error of the client ends the session.
   */
  open(): () => void {
    const { client, session } = this;
    const unwatch = this.connectivity.watch();
    const off = client.on('change', () => {
      if (client.state !== 'idle' || !client.error) return;
      if (client.error.code === 4403) session.end('everywhere');
      else if (client.error.code === 4401 || client.error.code === 'unauthenticated') session.end('expired');
    });
    client.connect();
    return () => {
      off();
      client.disconnect();
      unwatch();
    };
  }

  setConflict(taskId: string, next: Conflict | null): void {
    this.conflicts.set((all) => {
      const changed = new Map(all);
      if (next) changed.set(taskId, next);
      else changed.delete(taskId);
      return changed;
    });
  }

  /** Whether closing the page would lose changes. */
  get unsaved(): boolean {
    return this.drafts.size > 0 || this.conflicts.get().size > 0 || this.queryClient.isMutating() > 0;
  }
}

export const WorkspaceContext = createContext<Workspace | null>(null);

export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (!workspace) throw new Error('taskboard: no workspace above this component');
  return workspace;
}
