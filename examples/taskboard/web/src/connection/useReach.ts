import { unanswered } from '../session/request';
import { useStore } from '../store';
import type { LivePlan, PlanStatus } from './live';
import { useOnline } from './useOnline';

/** How the page reaches the server. The badge and the banner both follow it, so they agree. */
export type Reach = PlanStatus | 'unanswered';

/** The state of the live connection and of the requests, in one word. */
export function useReach({ status, lastError }: Pick<LivePlan, 'status' | 'lastError'>): Reach {
  const online = useOnline();
  const late = useStore(unanswered);
  if (status === 'denied' || status === 'stopped') return status;
  if (!online) return 'waiting';
  // The next attempt follows a failed one: the word should not flicker in between.
  if (status === 'connecting' && lastError) return 'waiting';
  return status === 'live' && late ? 'unanswered' : status;
}
