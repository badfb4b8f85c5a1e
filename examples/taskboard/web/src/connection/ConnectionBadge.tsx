import type { ConnectionError, PlanStatus } from './live';
import { useRetryCountdown } from './useRetryCountdown';

const words: Record<PlanStatus, string> = {
  idle: 'Not connected',
  connecting: 'Connecting…',
  joining: 'Connecting…',
  recovering: 'Catching up…',
  live: 'Live',
  waiting: 'Offline',
  denied: 'Closed',
  stopped: 'Not connected',
};

interface ConnectionBadgeProps {
  status: PlanStatus;
  error: ConnectionError | null;
  reconnect(): void;
}

/** Whether what is shown is true at this moment; if not, when that will be tried to change. */
export function ConnectionBadge({ status, error, reconnect }: ConnectionBadgeProps) {
  const seconds = useRetryCountdown();
  const stuck = status === 'waiting' || status === 'stopped';
  // A failed attempt is followed by the next one: the word should not flicker in between.
  const word = status === 'connecting' && error ? 'Offline' : words[status];
  return (
    <section className="cell connection" aria-label="Connection" data-testid="connection" data-status={status}>
      <p role="status" className="connection-word">{word}</p>
      {word === 'Offline' && (
        <p className="quiet" data-testid="retry">
          {seconds === null ? 'Trying to connect…' : seconds === 0 ? 'Trying again…' : `Trying again in ${seconds} s`}
        </p>
      )}
      {status === 'stopped' && error && <p className="quiet">{error.message}</p>}
      {stuck && <button type="button" className="button small" onClick={reconnect}>Reconnect now</button>}
    </section>
  );
}
