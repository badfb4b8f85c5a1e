import { useRef, useState, type KeyboardEvent } from 'react';

const PAGE = 10;

/**
 * Makes a long list one stop of the Tab key. Only the controls of the current row can be reached
 * with Tab. Arrow keys, Page Up, Page Down, Home and End move between rows and keep the column;
 * typing letters moves to the next title that starts with them.
 */
export function useRoving(ids: string[], titles: string[]) {
  const [current, setCurrent] = useState<string | null>(null);
  const typed = useRef({ text: '', at: 0 });
  const present = current !== null && ids.includes(current);
  const tabbable = present ? current : ids[0];

  const targetOf = (event: KeyboardEvent, index: number): number | undefined => {
    const last = ids.length - 1;
    switch (event.key) {
      case 'ArrowDown':
        return Math.min(index + 1, last);
      case 'ArrowUp':
        return Math.max(index - 1, 0);
      case 'PageDown':
        return Math.min(index + PAGE, last);
      case 'PageUp':
        return Math.max(index - PAGE, 0);
      case 'Home':
        return 0;
      case 'End':
        return last;
    }
    const again = event.timeStamp - typed.current.at < 800;
    if ([...event.key].length !== 1 || (event.key === ' ' && !again)) return undefined;
    const text = (again ? typed.current.text : '') + event.key.toLocaleLowerCase();
    typed.current = { text, at: event.timeStamp };
    const from = text.length > 1 ? index : index + 1;
    const order = ids.map((_, i) => (from + i) % ids.length);
    return order.find((i) => titles[i]?.toLocaleLowerCase().startsWith(text));
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const control = event.target as HTMLElement;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!control.dataset.column) return; // a field or a select uses these keys itself
    const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.task')];
    const index = rows.findIndex((row) => row.contains(control));
    const target = targetOf(event, index);
    // Part of a title.
    if (event.key === ' ' && typed.current.text.endsWith(' ')) event.preventDefault();
    const row = target === undefined ? undefined : rows[target];
    if (!row) return;
    event.preventDefault();
    const next =
      row.querySelector<HTMLElement>(`[data-column="${control.dataset.column}"]:not(:disabled)`) ??
      row.querySelector<HTMLElement>('[data-column]:not(:disabled)');
    next?.focus();
  };

  return { tabbable, enter: setCurrent, onKeyDown };
}
