import type { ReactNode } from 'react';
import { PageTitle } from './PageTitle';

/** A page with one message. */
export function Notice({
  title,
  role,
  children,
}: {
  title: ReactNode;
  role?: 'alert' | 'status';
  children: ReactNode;
}) {
  return (
    <main className="notice-page">
      <div className="sheet notice" role={role}>
        <PageTitle>{title}</PageTitle>
        {children}
      </div>
    </main>
  );
}
