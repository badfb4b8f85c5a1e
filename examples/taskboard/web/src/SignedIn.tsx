import { QueryClientProvider } from '@tanstack/react-query';
import { PlanRoomsProvider } from 'planrooms/react';
import { useEffect, useMemo, useState } from 'react';
import { SharedPlans } from './plans/SharedPlans';
import { PlanPage } from './plan/PlanPage';
import { PlansPage } from './plans/PlansPage';
import { planIdOf, usePath } from './router';
import type { Session } from './session/session';
import { SessionContext } from './session/SessionContext';
import type { User } from './taskboard';
import { Header } from './ui/Header';
import { Workspace, WorkspaceContext } from './workspace';

/** The page of a user who is logged in. */
export function SignedIn({ session, user }: { session: Session; user: User }) {
  const [workspace] = useState(() => new Workspace(session));
  useEffect(() => workspace.open(), [workspace]);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (workspace.unsaved) event.preventDefault();
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [workspace]);
  const who = useMemo(() => ({ session, user }), [session, user]);

  return (
    <SessionContext value={who}>
      <WorkspaceContext value={workspace}>
        <QueryClientProvider client={workspace.queryClient}>
          <PlanRoomsProvider client={workspace.client} queryClient={workspace.queryClient}>
            <Header />
            <SharedPlans />
            <Route />
          </PlanRoomsProvider>
        </QueryClientProvider>
      </WorkspaceContext>
    </SessionContext>
  );
}

function Route() {
  const planId = planIdOf(usePath());
  return planId === null ? <PlansPage /> : <PlanPage key={planId} planId={planId} />;
}
