import { useQueryClient } from '@tanstack/react-query';
import { usePlanRooms } from 'planrooms/react';
import { useEffect } from 'react';
import type { Invitation } from '../taskboard';
import { isolated, quoted } from '../ui/text';
import { toast } from '../ui/toasts';
import { invitationsKey, inviteesKey, plansKey } from './plansQuery';

interface Notice {
  type: string;
  data: { invitation?: Invitation; plan?: { id: string; title: string }; planId?: string };
}

/** Follows the notices to this user: invitations, and changes of their lists. */
export function SharedPlans() {
  const client = usePlanRooms();
  const queryClient = useQueryClient();
  useEffect(
    () =>
      client.on('notice', ({ type, data }: Notice) => {
        if (!['invited', 'plan-shared', 'plan-deleted', 'lists-changed'].includes(type)) return;
        void queryClient.invalidateQueries({ queryKey: plansKey });
        void queryClient.invalidateQueries({ queryKey: invitationsKey });
        if (data.planId) void queryClient.invalidateQueries({ queryKey: inviteesKey(data.planId) });
        if (data.invitation) {
          const { title, invitedBy } = data.invitation;
          toast(`${isolated(invitedBy)} invites you to the plan ${quoted(title)}.`, {
            lasts: 15_000,
            action: { label: 'See invitations', href: '/' },
          });
        }
      }),
    [client, queryClient],
  );
  return null;
}
