import { useOnline } from '../connection/useOnline';
import type { Reach } from '../connection/useReach';
import { retryNow } from '../session/request';

/** Describes what happens to changes while the server cannot be reached. */
export function UnsentBanner({ reach, count }: { reach: Reach; count: number }) {
  const online = useOnline();
  const waiting = count === 1 ? 'One change is' : `${count} changes are`;
  return (
    <div role="status">
      {reach === 'waiting' && (
        <p className="banner" data-testid="unsent">
          <strong>You are offline.</strong>{' '}
          {count === 0
            ? 'You can continue: the page keeps your changes and sends them when the connection is back.'
            : online
              ? `${waiting} being sent. Changes of others appear when the connection is back.`
              : `${waiting} kept on this page and will be sent when the connection is back. Leave it open.`}
        </p>
      )}
      {reach === 'unanswered' && (
        <p className="banner" data-testid="unanswered">
          <span>
            <strong>The server does not answer.</strong>{' '}
            {count === 0 ? 'The page keeps trying.' : `${waiting} kept on this page. It keeps trying to send them.`}
          </span>
          <button type="button" className="button small" onClick={retryNow}>
            Try again now
          </button>
        </p>
      )}
    </div>
  );
}
