import type { ConnectionError } from './live';
import type { Reach } from './useReach';
import { useRetryCountdown } from './useRetryCountdown';

const words: Record<Reach, string> = {
  idle: 'Not connected',
  connecting: 'Connecting…',
  joining: 'Connecting…',
  loading: 'Catching up…',
  recovering: 'Catching up…',
  live: 'Live',
  unanswered: 'Server does not answer',
  waiting: 'Offline',
  denied: 'Closed',
  stopped: 'Not connected',
};

interface ConnectionBadgeProps {
  reach: Reach;
  error: ConnectionError | null;
  reconnect(): void;
}

/** Says whether the page is up to date; if not, when it connects again. */
export function ConnectionBadge({ reach, error, reconnect }: ConnectionBadgeProps) {
  const seconds = useRetryCountdown();
  return (
    <section className="cell connection" aria-label="Connection" data-testid="connection" data-status={reach}>
      <p role="status" className="connection-word">
        {words[reach]}
      </p>
      {reach === 'waiting' && (
        <p className="quiet" data-testid="retry">
          {seconds === null ? 'Trying to connect…' : seconds === 0 ? 'Trying again…' : `Trying again in ${seconds} s`}
        </p>
      )}
      {reach === 'stopped' && error && <p className="quiet">{error.message}</p>}
      {(reach === 'waiting' || reach === 'stopped') && (
        <button type="button" className="button small" onClick={reconnect}>
          Reconnect now
        </button>
      )}
    </section>
  );
}
