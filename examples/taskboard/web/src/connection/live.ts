// The types of the hook of the library.

import type { usePlanWebSocket } from 'planrooms/react';

export type LivePlan = ReturnType<typeof usePlanWebSocket>;
export type PlanStatus = LivePlan['status'];
export type Participant = LivePlan['participants'][number];
export type ConnectionError = NonNullable<LivePlan['lastError']>;
