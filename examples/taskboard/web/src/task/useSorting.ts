import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';

type Sorting = typeof import('./sorting');

let loaded: Sorting | null = null;
let loading: Promise<Sorting> | null = null;

// Starts when the application has loaded, so that its download does not share the network.
function load(): Promise<Sorting> {
  loading ??= import('./sorting')
    .then((sorting) => (loaded = sorting))
    .catch((error) => {
      loading = null; // the next list tries again
      throw error;
    });
  return loading;
}
void load().catch(() => {});

/**
 * Returns the components that make the rows of a list movable, or null until they have loaded. With
 * them React creates the rows again, so the hook waits while a person uses a field of the list. The
 * focus returns to the same control.
 */
export function useSorting(list: RefObject<HTMLElement | null>): Sorting | null {
  const [sorting, setSorting] = useState(loaded);
  const focus = useRef<{ taskId: string; column: string } | null>(null);

  useEffect(() => {
    if (sorting) return undefined;
    const left = new AbortController();
    let moved = new AbortController();
    const again = () => {
      moved.abort();
      setTimeout(take); // document.activeElement is the next one then
    };
    const take = () => {
      const control = document.activeElement;
      if (left.signal.aborted) return;
      if (control instanceof HTMLElement && list.current?.contains(control)) {
        const { column } = control.dataset;
        if (!column) {
          // a field
          moved = new AbortController();
          for (const type of ['focusin', 'focusout']) document.addEventListener(type, again, { signal: moved.signal });
          return;
        }
        focus.current = { taskId: control.closest<HTMLElement>('.task')?.dataset.taskId ?? '', column };
      }
      setSorting(loaded);
    };
    load().then(take, () => {}); // without them the tasks cannot be moved
    return () => {
      left.abort();
      moved.abort();
    };
  }, [sorting, list]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves after each change of sorting
  useLayoutEffect(() => {
    const { taskId, column } = focus.current ?? {};
    focus.current = null;
    const row = [...(list.current?.querySelectorAll<HTMLElement>('.task') ?? [])].find(
      ({ dataset }) => dataset.taskId === taskId,
    );
    if (taskId) row?.querySelector<HTMLElement>(`[data-column="${column}"]`)?.focus({ preventScroll: true });
  }, [sorting, list]);

  return sorting;
}
