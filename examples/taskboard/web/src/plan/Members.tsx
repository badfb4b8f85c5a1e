import { useState } from 'react';
import type { PlanDetail } from '../taskboard';
import { ShareDialog } from './ShareDialog';

/** Who belongs to the plan, and for owners the way to change it. */
export function Members({ plan }: { plan: PlanDetail }) {
  const [sharing, setSharing] = useState(false);
  return (
    <section className="cell members" aria-labelledby="members">
      <h2 id="members">Members</h2>
      <ul className="member-names">
        {plan.members.map(({ userId, name, role }) => <li key={userId}><span>{name}</span> <span className="quiet">{role}</span></li>)}
      </ul>
      {plan.role === 'owner' && <button type="button" className="button small" onClick={() => setSharing(true)}>Share…</button>}
      {sharing && <ShareDialog plan={plan} onClose={() => setSharing(false)} />}
    </section>
  );
}
