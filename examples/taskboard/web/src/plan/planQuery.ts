import { queryOptions } from '@tanstack/react-query';
import type { PlanDetail } from '../taskboard';
import type { Workspace } from '../workspace';
import { later } from './cachedPlan';

/** The plan's key is the one that the hook makes stale when something has happened. */
export const planKey = (planId: string) => ['plan', planId] as const;

/** A plan. It never ages by itself: events keep it true, and where they can't, the hook has it fetched. */
export const planQuery = ({ session, queryClient }: Workspace, planId: string) => queryOptions({
  queryKey: planKey(planId),
  queryFn: async ({ signal }) => {
    const fetched = await session.request<PlanDetail>(`/api/plans/${encodeURIComponent(planId)}`, { signal });
    return later(fetched, queryClient.getQueryData<PlanDetail>(planKey(planId)));
  },
  staleTime: Infinity,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
});
