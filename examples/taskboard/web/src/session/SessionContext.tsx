import { createContext, useContext } from 'react';
import type { User } from '../taskboard';
import type { Session } from './session';

export const SessionContext = createContext<{ session: Session; user: User } | null>(null);

/** The session of a page that is logged in. */
export function useSession(): { session: Session; user: User } {
  const value = useContext(SessionContext);
  if (!value) throw new Error('taskboard: no session above this component');
  return value;
}
