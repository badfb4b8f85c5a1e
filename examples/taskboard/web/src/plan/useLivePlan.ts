import { usePlanWebSocket } from 'planrooms/react';
import { useEffect, useRef } from 'react';
import { useSession } from '../session/SessionContext';
import type { PlanDetail, Progress, Task } from '../taskboard';
import { toast } from '../ui/toasts';
import { useWorkspace } from '../workspace';
import { afterEvent, changedTasks, type PlanNews } from './cachedPlan';
import { planKey } from './planQuery';
import { useHighlights } from './useHighlights';
import { usePlanNews } from './usePlanNews';

/**
 * Keeps a plan live: events change the cached plan at once and are shown as messages. The hook also
 * refetches the plan a little later, which corrects what events and answers in another order may have
 * left wrong.
 */
export function useLivePlan(plan: PlanDetail, onDeleted: (taskId: string, before: PlanDetail) => void) {
  const { queryClient, client } = useWorkspace();
  const { user } = useSession();
  const [highlighted, highlight] = useHighlights();
  const tell = usePlanNews();
  const reloading = useRef<PlanDetail | null>(null);
  const key = planKey(plan.id);

  const take = (news: PlanNews) => {
    const before = queryClient.getQueryData<PlanDetail>(key);
    if (!before) return;
    queryClient.setQueryData<PlanDetail>(key, afterEvent(before, news));
    if (news.type === 'receipt') return;
    const { data } = news;
    if (news.by !== user.id) tell(before, news);
    if (news.type === 'task-deleted') onDeleted(data.taskId as string, before);
    if (news.type === 'task-created' || news.type === 'task-updated') highlightIfNew(before, data.task as Task);
  };
  const highlightIfNew = (before: PlanDetail, task: Task) => {
    const known = before.tasks.find(({ id }) => id === task.id);
    if (!known || known.version < task.version) highlight(task.id);
  };

  const live = usePlanWebSocket<Task, Progress>({
    planId: plan.id,
    since: plan.position, // read before the plan, so no event after it is missed
    onEvent: (event) => take(event as PlanNews),
    onReceipt: (receipt) => take(receipt),
    onReload: ({ reason }) => {
      if (reason !== 'joined') reloading.current = queryClient.getQueryData<PlanDetail>(key) ?? null;
    },
  });

  // After a reload, what has happened is the difference between two plans, without events.
  useEffect(() => {
    const before = reloading.current;
    if (!before || before.position === plan.position) return;
    reloading.current = null;
    const different = changedTasks(before, plan);
    different.forEach(highlight);
    const what = different.length === 1 ? 'One task has' : `${different.length} tasks have`;
    if (different.length > 0) toast(`${what} changed while you were not connected.`);
  }, [plan, highlight]);

  // A notice informs a removed user that they are a member again.
  const { status, reconnect } = live;
  useEffect(() => client.on('notice', (notice: PlanNews) => {
    if (status === 'denied' && notice.type === 'plan-shared' && notice.data.plan.id === plan.id) reconnect();
  }), [client, status, reconnect, plan.id]);

  return { ...live, highlighted };
}
