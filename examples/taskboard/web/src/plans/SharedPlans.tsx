import { useQueryClient } from '@tanstack/react-query';
import { usePlanRooms } from 'planrooms/react';
import { useEffect } from 'react';
import { planPath } from '../router';
import { toast } from '../ui/toasts';
import { plansKey } from './plansQuery';

/** Tells of plans that somebody has shared with this user, wherever in the application they are. */
export function SharedPlans() {
  const client = usePlanRooms();
  const queryClient = useQueryClient();
  useEffect(() => client.on('notice', ({ type, data }: { type: string; data: { plan: { id: string; title: string } } }) => {
    if (type !== 'plan-shared') return;
    void queryClient.invalidateQueries({ queryKey: plansKey });
    const { id, title } = data.plan;
    toast(`The plan “${title}” was shared with you.`, {
      lasts: 15_000,
      action: { label: 'Open', href: planPath(id) },
    });
  }), [client, queryClient]);
  return null;
}
