import { ConnectionBadge } from '../connection/ConnectionBadge';
import type { LivePlan } from '../connection/live';
import type { Reach } from '../connection/useReach';
import type { PlanDetail } from '../taskboard';
import { ProgressBar } from '../ui/ProgressBar';
import { Members } from './Members';
import { People } from './People';

interface TitleBlockProps {
  plan: PlanDetail;
  live: LivePlan;
  reach: Reach;
  done: number;
  total: number;
}

/** What is known about the plan besides its tasks: connection, progress, people. */
export function TitleBlock({ plan, live, reach, done, total }: TitleBlockProps) {
  return (
    <aside className="sheet title-block" aria-label="About this plan">
      <ConnectionBadge reach={reach} error={live.lastError} reconnect={live.reconnect} />
      <section className="cell" aria-labelledby="progress">
        <h2 id="progress">Progress</h2>
        <ProgressBar done={done} of={total} label="Progress" />
      </section>
      <People participants={live.participants} count={live.participantCount} />
      <Members plan={plan} />
    </aside>
  );
}
