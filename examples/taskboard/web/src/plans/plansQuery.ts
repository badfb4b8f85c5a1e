import { queryOptions } from '@tanstack/react-query';
import type { Session } from '../session/session';
import type { PlanSummary } from '../taskboard';

export const plansKey = ['plans'];

/** The plans of the user. They are fetched anew whenever somebody looks: nobody tells of their progress here. */
export const plansQuery = (session: Session) => queryOptions({
  queryKey: plansKey,
  queryFn: async ({ signal }) => (await session.request<{ plans: PlanSummary[] }>('/api/plans', { signal })).plans,
});
