import { useQuery } from '@tanstack/react-query';
import { Link } from '../router';
import { ApiError } from '../session/request';
import { Notice } from '../ui/Notice';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { useWorkspace } from '../workspace';
import { PlanBoard } from './PlanBoard';
import { planQuery } from './planQuery';

/** Loads the plan at an address, or says why it cannot be shown. */
export function PlanPage({ planId }: { planId: string }) {
  const workspace = useWorkspace();
  const { data: plan, error, failureReason } = useQuery(planQuery(workspace, planId));
  if (plan) return <PlanBoard plan={plan} />;
  if (error instanceof ApiError && error.status !== 404)
    return <Unknown title="This plan can’t be shown" text={error.message} />;
  if (error) return <Unknown title="Plan not found" text="It does not exist, or you are not a member of it." />;
  return (
    <main className="plan-page" aria-busy="true">
      <p className="loading" role="status">
        {failureReason ? `${failureReason.message} Trying again.` : 'Loading the plan…'}
      </p>
    </main>
  );
}

function Unknown({ title, text }: { title: string; text: string }) {
  useDocumentTitle(title);
  return (
    <Notice title={title}>
      <p>{text}</p>
      <Link href="/" className="button primary">
        See your plans
      </Link>
    </Notice>
  );
}
