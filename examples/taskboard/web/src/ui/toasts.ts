import { newId } from 'planrooms';
import { Store } from '../store';

export interface Toast {
  id: string;
  text: string;
  kind: 'news' | 'problem';
  /** A button, or a link. */
  action?: { label: string; run?(): void; href?: string };
  /** Milliseconds for which it is shown; 0: until it is closed. */
  lasts: number;
}

const SHOWN = 4; // more would cover the plan; the oldest one is removed first

/** The messages in the corner of the page. */
export const toasts = new Store<Toast[]>([]);

/** Shows a message: news for some seconds, a problem until it is closed. */
export function toast(text: string, options: Partial<Omit<Toast, 'id' | 'text'>> = {}): void {
  const kind = options.kind ?? 'news';
  const added: Toast = { id: newId(), text, kind, lasts: kind === 'problem' ? 0 : 6_000, ...options };
  toasts.set((shown) => {
    const next = [...shown.filter((t) => t.text !== text), added];
    const surplus = next.length - SHOWN;
    if (surplus <= 0) return next;
    // A problem may contain a person's text: it stays until it is closed.
    const going = new Set(next.filter((t) => t.kind === 'news').slice(0, surplus));
    return next.filter((t) => !going.has(t));
  });
}

export const dismiss = (id: string) => toasts.set((shown) => shown.filter((t) => t.id !== id));
