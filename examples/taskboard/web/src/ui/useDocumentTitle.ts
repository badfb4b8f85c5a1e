import { useEffect } from 'react';

/** Names the window. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Taskboard` : 'Taskboard';
  }, [title]);
}
