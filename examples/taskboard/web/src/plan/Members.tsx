import { useState } from 'react';
import type { PlanDetail } from '../taskboard';
import { plain } from '../ui/text';
import { PlanOptions } from './PlanOptions';
import { ShareDialog } from './ShareDialog';

const SHOWN = 4; // a long list would push the tasks off a small screen

/** The members of the plan, and what the user may do with it. */
export function Members({ plan }: { plan: PlanDetail }) {
  const [dialog, setDialog] = useState<'share' | 'options' | null>(null);
  const [all, setAll] = useState(false);
  const more = plan.members.length - SHOWN;
  const close = () => setDialog(null);
  return (
    <section className="cell members" aria-labelledby="members">
      <h2 id="members">Members</h2>
      <ul className="member-names" data-testid="member-names">
        {plan.members.slice(0, all ? undefined : SHOWN).map(({ userId, name, role }) => (
          <li key={userId}>
            <bdi>{plain(name)}</bdi> <span className="quiet">{role}</span>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <button type="button" className="button small" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show ${more} more`}
        </button>
      )}
      <div className="cell-actions">
        {plan.role === 'owner' && (
          <button type="button" className="button small" onClick={() => setDialog('share')}>
            Share…
          </button>
        )}
        <button type="button" className="button small" onClick={() => setDialog('options')}>
          Options…
        </button>
      </div>
      {dialog === 'share' && plan.role === 'owner' && <ShareDialog plan={plan} onClose={close} />}
      {dialog === 'options' && <PlanOptions plan={plan} onClose={close} />}
    </section>
  );
}
