import { usePlanRooms } from 'planrooms/react';
import { useEffect, useState, useSyncExternalStore } from 'react';

/** The whole seconds until the client tries to connect again, or null if it is not waiting to. */
export function useRetryCountdown(): number | null {
  const client = usePlanRooms();
  const retryAt = useSyncExternalStore(
    (onChange) => client.on('change', onChange),
    () => client.retryAt,
  );
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!retryAt) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [retryAt]);
  return retryAt ? Math.max(0, Math.ceil((retryAt - now) / 1000)) : null;
}
