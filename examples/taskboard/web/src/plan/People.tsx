import { useState } from 'react';
import type { Participant } from '../connection/live';
import { useSession } from '../session/SessionContext';
import { Avatar } from '../ui/Avatar';
import { plain } from '../ui/text';

const SHOWN = 8;

/** The people who have the plan open. */
export function People({ participants, count }: { participants: readonly Participant[]; count: number }) {
  const { user } = useSession();
  const [all, setAll] = useState(false);
  const shown = participants.slice(0, all ? undefined : SHOWN);
  const more = count - Math.min(participants.length, SHOWN);
  const unnamed = count - participants.length; // of a large crowd the server sends a part
  return (
    <section className="cell" aria-labelledby="people">
      <h2 id="people">Here now</h2>
      {count === 0 && <p className="quiet">Not known while offline</p>}
      <ul className="people" data-testid="people" data-count={count}>
        {shown.map(({ userId, userName, connections }) => {
          const name = plain(userName || userId);
          const away = connections === 0; // may be about to come back
          const label = `${name}${userId === user.id ? ' (you)' : ''}${away ? ', leaving' : ''}`;
          return (
            <li key={userId} data-testid="person" data-user-id={userId} className={all ? 'named' : undefined}>
              <Avatar name={name} faded={away} label={all ? '' : label} />
              {all && <bdi>{label}</bdi>}
            </li>
          );
        })}
        {more > 0 && (
          <li>
            <button
              type="button"
              className="people-more"
              aria-expanded={all}
              aria-label={all ? 'Show fewer people' : `Show ${more} more people`}
              onClick={() => setAll(!all)}
            >
              {all ? 'Fewer' : `+${more}`}
            </button>
          </li>
        )}
      </ul>
      {all && unnamed > 0 && <p className="quiet">and {unnamed} more</p>}
    </section>
  );
}
