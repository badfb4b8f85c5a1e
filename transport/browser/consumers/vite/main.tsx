import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { Client, type ClientOptions, type PlanSnapshot, type Subscription } from 'planrooms';
import { PlanRoomsProvider, usePlanWebSocket } from 'planrooms/react';
import type { Participant, Position } from 'planrooms/protocol';
import type { PlanStatus, Token } from 'planrooms/types';
import { createRoot } from 'react-dom/client';

type Task = { id: string; title: string };

const options: ClientOptions = { url: '/ws', getToken: async (): Promise<Token> => (await fetch('/token')).text() };
const client = new Client(options);
const queryClient = new QueryClient();

function Plan({ id }: { id: string }) {
  const { data = [] } = useQuery<Task[]>({
    queryKey: ['plan', id, 'tasks'],
    queryFn: async () => (await fetch(`/api/plans/${id}`)).json(),
  });
  const { status, participants } = usePlanWebSocket<Task>({
    planId: id,
    onTaskUpdated: (task) => console.log(task.title),
  });
  const shown: PlanStatus = status;
  const people: readonly Participant[] = participants;
  return (
    <p>
      {shown} {people.length} {data.map((task) => task.title).join()}
    </p>
  );
}

export function place(subscription: Subscription): Position | null {
  const snapshot: PlanSnapshot = subscription.snapshot;
  return snapshot.status === 'live' ? subscription.position : null;
}

// biome-ignore lint/style/noNonNullAssertion: index.html has the element
createRoot(document.getElementById('root')!).render(
  <QueryClientProvider client={queryClient}>
    <PlanRoomsProvider client={client} queryClient={queryClient}>
      <Plan id="demo" />
    </PlanRoomsProvider>
  </QueryClientProvider>,
);
