'use client';

import { PlanRoomsProvider, usePlanWebSocket } from 'planrooms/react';

function Status({ id }: { id: string }) {
  return <p>status: {usePlanWebSocket({ planId: id }).status}</p>;
}

export function Plan({ id }: { id: string }) {
  return (
    <PlanRoomsProvider url="/ws" getToken={() => null}>
      <Status id={id} />
    </PlanRoomsProvider>
  );
}
