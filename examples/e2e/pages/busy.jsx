// A list of tasks with TanStack Query and the hook, on a host whose answers take a while.

import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { PlanRoomsProvider, usePlanWebSocket } from '/planrooms/react.js';

const parameters = new URLSearchParams(location.search);
const token = parameters.get('token');
const queryClient = new QueryClient();

// The answer has the tasks as they were when the request began.
async function fetchTasks({ signal }) {
  const response = await fetch('/api/plans/demo', { headers: { Authorization: `Bearer ${token}` }, signal });
  const { tasks } = await response.json();
  await new Promise((resolve) => {
    setTimeout(resolve, parameters.get('ms'));
  });
  return tasks;
}

function Tasks({ name }) {
  const { data = [] } = useQuery({ queryKey: ['plan', 'demo', 'tasks', name], queryFn: fetchTasks });
  return (
    <ul aria-label={name}>
      {data.map(({ id, title }) => (
        <li key={id}>{title}</li>
      ))}
    </ul>
  );
}

function Page() {
  const { status } = usePlanWebSocket({ planId: 'demo' });
  const [late, setLate] = useState(false);
  window.mountLate = () => setLate(true);
  return (
    <>
      <p role="status">{status}</p>
      <Tasks name="first" />
      {late && <Tasks name="late" />}
    </>
  );
}

window.load = () =>
  queryClient.fetchQuery({ queryKey: ['plan', 'demo', 'tasks', 'route'], queryFn: fetchTasks }).then(
    () => 'loaded',
    (error) => String(error),
  );
createRoot(document.getElementById('root')).render(
  <QueryClientProvider client={queryClient}>
    <PlanRoomsProvider getToken={() => token} queryClient={queryClient}>
      <Page />
    </PlanRoomsProvider>
  </QueryClientProvider>,
);
