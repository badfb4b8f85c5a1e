import type { Participant } from '../connection/live';
import { useSession } from '../session/SessionContext';
import { Avatar } from '../ui/Avatar';

const SHOWN = 8;

/** Who looks at the plan just now. */
export function People({ participants, count }: { participants: readonly Participant[]; count: number }) {
  const { user } = useSession();
  const more = count - Math.min(participants.length, SHOWN);
  return (
    <section className="cell" aria-labelledby="people">
      <h2 id="people">Here now</h2>
      {count === 0 && <p className="quiet">Not known while offline</p>}
      <ul className="people" data-testid="people" data-count={count}>
        {participants.slice(0, SHOWN).map(({ userId, userName, connections }) => {
          const name = userName || userId;
          const away = connections === 0; // may be about to come back
          return (
            <li key={userId} data-testid="person" data-user-id={userId}>
              <Avatar name={name} faded={away} label={`${name}${userId === user.id ? ' (you)' : ''}${away ? ', leaving' : ''}`} />
            </li>
          );
        })}
        {more > 0 && <li className="people-more">+{more}</li>}
      </ul>
    </section>
  );
}
