/** The path of a plan in the HTTP API. */
export const planApiPath = (planId: string) => `/api/plans/${encodeURIComponent(planId)}`;
