import { useEffect, useRef, type ReactNode } from 'react';

let first = true; // a page that was just loaded starts at its top

/**
 * The heading of a view. It gets the focus when the view changes, so screen readers announce it.
 */
export function PageTitle({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
