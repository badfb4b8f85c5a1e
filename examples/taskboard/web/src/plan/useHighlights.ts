import { useCallback, useEffect, useRef, useState } from 'react';

const SHOWN = 3_000;

/** The tasks that others have changed in the last three seconds. */
export function useHighlights(): [ReadonlySet<string>, (taskId: string) => void] {
  const [highlighted, setHighlighted] = useState<ReadonlySet<string>>(new Set());
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const all = timers.current;
    return () => {
      all.forEach((timer) => clearTimeout(timer));
      all.clear();
    };
  }, []);
  const highlight = useCallback((taskId: string) => {
    clearTimeout(timers.current.get(taskId));
    setHighlighted((before) => new Set(before).add(taskId));
    timers.current.set(
      taskId,
      setTimeout(() => {
        timers.current.delete(taskId);
        setHighlighted((before) => new Set([...before].filter((id) => id !== taskId)));
      }, SHOWN),
    );
  }, []);
  return [highlighted, highlight];
}
