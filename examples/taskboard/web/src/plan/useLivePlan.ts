import { usePlanWebSocket } from 'planrooms/react';
import { useEffect, useRef } from 'react';
import { useSession } from '../session/SessionContext';
import type { PlanDetail, Progress, Task } from '../taskboard';
import { toast } from '../ui/toasts';
import { useWorkspace } from '../workspace';
import { at, changedTasks, patchPlan, type PlanNews } from './cachedPlan';
import { planKey } from './planQuery';
import { useHighlights } from './useHighlights';
import { usePlanNews } from './usePlanNews';

// The hook patches the plan, which is the only query. The cache has no optimistic updates, so a
// refetch does not wait for mutations.
const queryKeys = { tasks: null, progress: null, mutations: null };

/** Keeps a plan live: the hook applies events to the cached plan, and messages show the changes. */
export function useLivePlan(plan: PlanDetail, onDeleted: (taskId: string, before: PlanDetail) => void) {
  const { queryClient, client } = useWorkspace();
  const { user } = useSession();
  const [highlighted, highlight] = useHighlights();
  const tell = usePlanNews();
  const reloading = useRef<PlanDetail | null>(null);
  const key = planKey(plan.id);

  const latest = useRef(plan);
  useEffect(() => {
    latest.current = plan;
  }, [plan]);
  const take = (news: PlanNews) => {
    // the hook has applied it already
    const before = latest.current;
    latest.current = queryClient.getQueryData<PlanDetail>(key) ?? before;
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
    queryKeys,
    patch: patchPlan,
    onEvent: (event) => take(event as PlanNews),
    onReceipt: (receipt) => queryClient.setQueryData<PlanDetail>(key, (cached) => cached && at(cached, receipt)),
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
  useEffect(
    () =>
      client.on('notice', (notice: PlanNews) => {
        if (status === 'denied' && notice.type === 'plan-shared' && notice.data.plan.id === plan.id) reconnect();
      }),
    [client, status, reconnect, plan.id],
  );

  return { ...live, highlighted };
}
