import { queryOptions } from '@tanstack/react-query';
import type { Session } from '../session/session';
import type { Invitation, Member, PlanSummary } from '../taskboard';

export const plansKey = ['plans'];

/** The plans of the user. They are fetched on every visit: no event reports their progress here. */
export const plansQuery = (session: Session) =>
  queryOptions({
    queryKey: plansKey,
    queryFn: async ({ signal }) => (await session.request<{ plans: PlanSummary[] }>('/api/plans', { signal })).plans,
  });

export const invitationsKey = ['invitations'];

/** The invitations that wait for the user's answer. */
export const invitationsQuery = (session: Session) =>
  queryOptions({
    queryKey: invitationsKey,
    queryFn: async ({ signal }) =>
      (await session.request<{ invitations: Invitation[] }>('/api/invitations', { signal })).invitations,
  });

export const inviteesKey = (planId: string) => ['invitees', planId];

/** For owners: the people whose answers a plan waits for. */
export const inviteesQuery = (session: Session, planId: string) =>
  queryOptions({
    queryKey: inviteesKey(planId),
    queryFn: async ({ signal }) =>
      (
        await session.request<{ invitations: Member[] }>(`/api/plans/${encodeURIComponent(planId)}/invitations`, {
          signal,
        })
      ).invitations,
  });
