import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { plansKey } from '../plans/plansQuery';
import { Link } from '../router';
import { useSession } from '../session/SessionContext';
import { Notice } from '../ui/Notice';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { planKey } from './planQuery';

/** In place of a plan that this user may not see any more. */
export function PlanClosed({ planId, title, onRetry }: { planId: string; title: string; onRetry(): void }) {
  const queryClient = useQueryClient();
  const { session } = useSession();
  useDocumentTitle(`${title} (closed)`);
  useEffect(() => {
    void queryClient.invalidateQueries({ queryKey: plansKey });
    // It may be the log-in that has ended rather than the membership: then the session says so.
    session.token({ anew: true }).catch(() => {}); // or it will, once there is an answer
    // What they have seen of it is not shown to them again.
    return () => queryClient.removeQueries({ queryKey: planKey(planId), type: 'inactive' });
  }, [queryClient, session, planId]);
  return (
    <Notice title={`You are no longer a member of “${title}”`} role="alert">
      <p>An owner of the plan has ended your membership. Your other plans go on as before; should you be let in again, this page opens by itself.</p>
      <div className="dialog-actions start">
        <Link href="/" className="button primary">See your plans</Link>
        <button type="button" className="button" onClick={onRetry}>Ask again</button>
      </div>
    </Notice>
  );
}
