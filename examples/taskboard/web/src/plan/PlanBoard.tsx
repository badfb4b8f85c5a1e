import { useCallback } from 'react';
import { useReach } from '../connection/useReach';
import { useSession } from '../session/SessionContext';
import { useStore } from '../store';
import { TaskList } from '../task/TaskList';
import type { PlanDetail } from '../taskboard';
import { PageTitle } from '../ui/PageTitle';
import { isolated, plain } from '../ui/text';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { useWorkspace } from '../workspace';
import { NewTask } from './NewTask';
import { visibleTasks } from './pendingChanges';
import { PlanClosed } from './PlanClosed';
import { TitleBlock } from './TitleBlock';
import { UnsentBanner } from './UnsentBanner';
import { useLivePlan } from './useLivePlan';
import { saveText, usePlanChanges } from './usePlanChanges';

/** A plan that people work on. */
export function PlanBoard({ plan: cached }: { plan: PlanDetail }) {
  const { user } = useSession();
  // The list of members is live; the role in the plan is that of the latest load.
  const plan = { ...cached, role: cached.members.find(({ userId }) => userId === user.id)?.role ?? cached.role };
  const workspace = useWorkspace();
  const changes = usePlanChanges(plan.id);
  const conflicts = useStore(workspace.conflicts);

  const { create } = changes;
  const rescue = useCallback(
    (taskId: string, before: PlanDetail) => {
      const conflict = workspace.conflicts.get().get(taskId);
      const task = before.tasks.find(({ id }) => id === taskId);
      workspace.setConflict(taskId, null);
      if (task && conflict?.kind === 'update') {
        saveText(task, conflict.mine, (change) => {
          if (change.kind === 'create') create(change.title, change);
        });
      }
    },
    [workspace, create],
  );
  const live = useLivePlan(cached, rescue);
  const reach = useReach(live);

  const tasks = visibleTasks(plan.tasks, changes.pending);
  // Counted here, not taken from progress-updated, so that it always agrees with the list.
  const done = tasks.filter(({ status }) => status === 'completed').length;
  useDocumentTitle(`${isolated(plan.title)} (${done}/${tasks.length})`);

  if (live.status === 'denied') return <PlanClosed planId={plan.id} title={plan.title} onRetry={live.reconnect} />;
  const mayEdit = plan.role !== 'viewer';
  return (
    <main className="plan-page" data-testid="plan-page" data-plan-id={plan.id}>
      <div className="plan-head">
        <PageTitle>
          <bdi>{plain(plan.title)}</bdi>
        </PageTitle>
        {!mayEdit && <p className="plan-role">You can view this plan, but not change it.</p>}
      </div>
      <TitleBlock plan={plan} live={live} reach={reach} done={done} total={tasks.length} />
      <section className="plan-tasks" aria-label="Tasks">
        <UnsentBanner reach={reach} count={changes.pending.length} />
        {mayEdit && <NewTask onAdd={changes.create} />}
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
      </section>
    </main>
  );
}
