import { useEffect, useMemo, useRef } from 'react';
import type { PlanDetail } from '../taskboard';
import { toast } from '../ui/toasts';
import type { PlanNews } from './cachedPlan';
import { changeText, summaryText } from './changeText';

const QUIET = 500; // milliseconds without an event after which the messages are shown
const AT_MOST = 1_500; // milliseconds after the first event
const SINGLY = 2; // more become one message

/** Shows messages about the changes of others, several at a time. */
export function usePlanNews(): (before: PlanDetail, news: PlanNews) => void {
  const waiting = useRef<{ plan: PlanDetail; news: PlanNews; text: string }[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const since = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);

  return useMemo(() => {
    const flush = () => {
      const shown = waiting.current;
      waiting.current = [];
      const last = shown.at(-1);
      if (!last) return;
      if (shown.length <= SINGLY) for (const { text } of shown) toast(text);
      else
        toast(
          summaryText(
            last.plan,
            shown.map(({ news }) => news),
          ),
        );
    };
    return (before, news) => {
      const text = changeText(before, news);
      if (text === null) return;
      const now = Date.now();
      if (waiting.current.length === 0) since.current = now;
      waiting.current.push({ plan: before, news, text });
      clearTimeout(timer.current);
      timer.current = setTimeout(flush, Math.min(QUIET, Math.max(0, since.current + AT_MOST - now)));
    };
  }, []);
}
