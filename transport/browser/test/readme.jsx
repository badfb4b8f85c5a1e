// The application of the README. A test compares the two.

import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { PlanRoomsProvider, usePlanWebSocket } from '../react.js';

export const queryClient = new QueryClient();
export const host = { getToken: async () => 'token', fetchTasks: async () => [] };
const getToken = (request) => host.getToken(request);
const fetchTasks = (planId) => host.fetchTasks(planId);

function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <PlanRoomsProvider getToken={getToken} queryClient={queryClient}>
        <Tasks planId="demo" />
      </PlanRoomsProvider>
    </QueryClientProvider>
  );
}

function Tasks({ planId }) {
  const { data = [] } = useQuery({
    queryKey: ['plan', planId, 'tasks'],
    queryFn: () => fetchTasks(planId),
  });
  const { isConnected, participants } = usePlanWebSocket({
    planId,
    onTaskDeleted: (id) => console.log(`${id} is gone`),
  });
  return (
    <section aria-label={`${isConnected ? 'Live' : 'Offline'}, ${participants.length} here`}>
      {data.map((task) => <p key={task.id}>{task.title}</p>)}
    </section>
  );
}

export { App };
