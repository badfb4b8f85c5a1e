import { ConnectionBadge } from '../connection/ConnectionBadge';
import type { LivePlan } from '../connection/live';
import type { PlanDetail } from '../taskboard';
import { ProgressBar } from '../ui/ProgressBar';
import { Members } from './Members';
import { People } from './People';

interface TitleBlockProps {
  plan: PlanDetail;
  live: LivePlan;
  done: number;
  total: number;
}

/** What a drawing has in its corner: how far it is, who is at it, whose it is. */
export function TitleBlock({ plan, live, done, total }: TitleBlockProps) {
  return (
    <aside className="sheet title-block" aria-label="About this plan">
      <ConnectionBadge status={live.status} error={live.lastError} reconnect={live.reconnect} />
      <section className="cell" aria-labelledby="progress">
        <h2 id="progress">Progress</h2>
        <ProgressBar done={done} of={total} label="Progress" />
      </section>
      <People participants={live.participants} count={live.participantCount} />
      <Members plan={plan} />
    </aside>
  );
}
