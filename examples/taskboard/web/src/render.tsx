import { notifyManager } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import type { Session } from './session/session';

// Caches notify before the next frame: a task that is dropped must not jump back to its old place
// first.
notifyManager.setScheduler(queueMicrotask);

export function render(root: HTMLElement, session: Session): void {
  createRoot(root).render(
    <StrictMode>
      <App session={session} />
    </StrictMode>,
  );
}
