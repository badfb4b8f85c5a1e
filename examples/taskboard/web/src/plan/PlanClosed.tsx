import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { plansKey } from '../plans/plansQuery';
import { Link } from '../router';
import { useSession } from '../session/SessionContext';
import { Notice } from '../ui/Notice';
import { isolated, plain } from '../ui/text';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { planKey } from './planQuery';

/** Replaces a plan to which the user has no access any more. */
export function PlanClosed({ planId, title, onRetry }: { planId: string; title: string; onRetry(): void }) {
  const queryClient = useQueryClient();
  const { session } = useSession();
  useDocumentTitle(`${isolated(title)} (closed)`);
  useEffect(() => {
    void queryClient.invalidateQueries({ queryKey: plansKey });
    // The login may have ended, not the membership: then the session shows that.
    session.token({ renew: true }).catch(() => {}); // without an answer the client asks again later
    // A copy of the plan is not shown again.
    return () => queryClient.removeQueries({ queryKey: planKey(planId), type: 'inactive' });
  }, [queryClient, session, planId]);
  return (
    <Notice
      title={
        <>
          You no longer have access to “<bdi>{plain(title)}</bdi>”
        </>
      }
      role="alert"
    >
      <p>
        An owner has deleted the plan or ended your membership. Your other plans are not affected. If you become a
        member again, this page opens the plan.
      </p>
      <div className="dialog-actions start">
        <Link href="/" className="button primary">
          See your plans
        </Link>
        <button type="button" className="button" onClick={onRetry}>
          Ask again
        </button>
      </div>
    </Notice>
  );
}
