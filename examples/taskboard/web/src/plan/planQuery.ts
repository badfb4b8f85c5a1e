import { queryOptions } from '@tanstack/react-query';
import type { PlanDetail } from '../taskboard';
import type { Workspace } from '../workspace';
import { later } from './cachedPlan';
import { planApiPath } from './planApiPath';

/** The key of a plan, which the hook of the library invalidates. */
export const planKey = (planId: string) => ['plan', planId] as const;

/**
 * A plan. It does not expire: events keep it up to date, and the hook refetches it where they
 * cannot.
 */
export const planQuery = ({ session, queryClient }: Workspace, planId: string) =>
  queryOptions({
    queryKey: planKey(planId),
    queryFn: async ({ signal }) => {
      const fetched = await session.get<PlanDetail>(planApiPath(planId), signal);
      return later(fetched, queryClient.getQueryData<PlanDetail>(planKey(planId)));
    },
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
