// The two addresses of the page: / and /plans/{id}.

export const planPath = (planId: string) => `/plans/${encodeURIComponent(planId)}`;

/** The plan that an address names, or null. */
export function planIdOf(path: string): string | null {
  const [, id] = /^\/plans\/([^/]+)\/?$/.exec(path) ?? [];
  try {
    return id === undefined ? null : decodeURIComponent(id);
  } catch {
    return null; // malformed
  }
}
