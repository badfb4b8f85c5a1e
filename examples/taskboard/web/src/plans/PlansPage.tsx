import { useQuery } from '@tanstack/react-query';
import { Link, planPath } from '../router';
import { useSession } from '../session/SessionContext';
import type { PlanSummary } from '../taskboard';
import { PageTitle } from '../ui/PageTitle';
import { ProgressBar } from '../ui/ProgressBar';
import { plain } from '../ui/text';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { Invitations } from './Invitations';
import { NewPlan } from './NewPlan';
import { plansQuery } from './plansQuery';

const roles = { owner: 'Yours', editor: 'You can edit', viewer: 'You can view' };

/** All plans of the user. */
export function PlansPage() {
  const { session } = useSession();
  const { data: plans, failureReason } = useQuery(plansQuery(session));
  useDocumentTitle('Plans');
  return (
    <main className="plans-page">
      <PageTitle>Plans</PageTitle>
      {failureReason && (
        <p className="banner" role="status">
          {failureReason.message} Trying again.
        </p>
      )}
      <Invitations />
      {plans?.length === 0 && (
        <p className="empty">You have no plans yet. Create one, or accept an invitation to one.</p>
      )}
      <ul className="plan-list" aria-label="Plans">
        {plans?.map((plan) => (
          <PlanCard key={plan.id} plan={plan} />
        ))}
      </ul>
      <NewPlan />
    </main>
  );
}

function PlanCard({ plan: { id, title, role, taskCount, completedCount } }: { plan: PlanSummary }) {
  return (
    <li className="sheet plan-card" data-testid="plan" data-plan-id={id}>
      <h2>
        <Link href={planPath(id)}>
          <bdi>{plain(title)}</bdi>
        </Link>
      </h2>
      <p className="plan-role">{roles[role]}</p>
      <ProgressBar done={completedCount} of={taskCount} label={`Progress of ${plain(title)}`} />
    </li>
  );
}
