import { useEffect, useRef, type ReactNode } from 'react';

let first = true; // a page that was just loaded begins at its top, as every page does

/** The heading of a view. Focus goes there when the view changes, so that who can't see it hears of it. */
export function PageTitle({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, []);
  return <h1 ref={heading} tabIndex={-1}>{children}</h1>;
}
