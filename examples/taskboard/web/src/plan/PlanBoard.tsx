import { useCallback } from 'react';
import { useSession } from '../session/SessionContext';
import { useStore } from '../store';
import { TaskList } from '../task/TaskList';
import type { PlanDetail } from '../taskboard';
import { PageTitle } from '../ui/PageTitle';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { useWorkspace } from '../workspace';
import { NewTask } from './NewTask';
import { visibleTasks } from './pendingChanges';
import { PlanClosed } from './PlanClosed';
import { TitleBlock } from './TitleBlock';
import { UnsentBanner } from './UnsentBanner';
import { useLivePlan } from './useLivePlan';
import { saveFromOblivion, usePlanChanges } from './usePlanChanges';

/** A plan that people work on. */
export function PlanBoard({ plan }: { plan: PlanDetail }) {
  const { user } = useSession();
  const workspace = useWorkspace();
  const changes = usePlanChanges(plan.id);
  const conflicts = useStore(workspace.conflicts);

  const { create } = changes;
  const rescue = useCallback((taskId: string, before: PlanDetail) => {
    const conflict = workspace.conflicts.get().get(taskId);
    const task = before.tasks.find(({ id }) => id === taskId);
    workspace.setConflict(taskId, null);
    if (task && conflict?.kind === 'update') {
      saveFromOblivion(task, conflict.mine, (change) => {
        if (change.kind === 'create') create(change.title, change);
      });
    }
  }, [workspace, create]);
  const live = useLivePlan(plan, rescue);

  const tasks = visibleTasks(plan.tasks, changes.pending);
  // Counted rather than taken from progress-updated, so that it is never at odds with the ticks beside it.
  const done = tasks.filter(({ status }) => status === 'completed').length;
  useDocumentTitle(`${plan.title} (${done}/${tasks.length})`);

  if (live.status === 'denied') return <PlanClosed planId={plan.id} title={plan.title} onRetry={live.reconnect} />;
  const mayEdit = plan.role !== 'viewer';
  return (
    <main className="plan-page" data-testid="plan-page" data-plan-id={plan.id}>
      <div className="plan-head">
        <PageTitle>{plan.title}</PageTitle>
        {!mayEdit && <p className="plan-role">You can look at this plan, but not change it.</p>}
      </div>
      <TitleBlock plan={plan} live={live} done={done} total={tasks.length} />
      <section className="plan-tasks" aria-label="Tasks">
        <UnsentBanner count={changes.pending.length} />
        <TaskList
          tasks={tasks}
          plan={plan}
          mayEdit={mayEdit}
          changes={changes}
          conflicts={conflicts}
          highlighted={live.highlighted}
          others={live.participants.filter(({ userId }) => userId !== user.id)}
          setPresence={live.setPresence}
        />
        {mayEdit && <NewTask onAdd={changes.create} />}
      </section>
    </main>
  );
}
