import { useMutation, useMutationState } from '@tanstack/react-query';
import { newId } from 'planrooms';
import { useCallback } from 'react';
import { ApiError, NetworkError } from '../session/request';
import type { KnownTask, PlanDetail, TaskFields } from '../taskboard';
import { quoted } from '../ui/text';
import { toast } from '../ui/toasts';
import { useWorkspace, type Workspace } from '../workspace';
import { withTask } from './cachedPlan';
import { carryOut, ConflictError, GoneError } from './carryOut';
import { subjectOf, type Change } from './change';
import { joined } from './conflict';
import { planKey } from './planQuery';

export interface PlanChanges {
  /** The changes that are not confirmed yet, in order. */
  pending: Change[];
  create(title: string, more?: { notes?: string; assignee?: string | null }): void;
  /** base: the task as it was when the person began. */
  update(base: KnownTask, fields: TaskFields): void;
  remove(base: KnownTask): void;
  move(task: KnownTask, after: string | null): void;
}

const changesKey = (planId: string) => ['changes', planId];

const UNDO = 15_000; // milliseconds for which the page offers to undo a deletion

/** The changes that this page makes to a plan. */
export function usePlanChanges(planId: string): PlanChanges {
  const workspace = useWorkspace();
  const { session, client, queryClient, connectivity, versions, unanswered } = workspace;

  const { mutate } = useMutation({
    mutationKey: changesKey(planId),
    // One after the other: the second of two changes builds on the first.
    scope: { id: `changes of ${planId}` },
    mutationFn: async (change: Change) => {
      try {
        return await carryOut(change, {
          planId,
          versions,
          unanswered,
          request: (path, options) => session.request(path, options),
          headers: (mutationId) => client.headers(mutationId),
          cached: () => queryClient.getQueryData<PlanDetail>(planKey(planId)),
        });
      } catch (error) {
        if (error instanceof NetworkError) error.final = connectivity.unanswered(change.mutationId);
        throw error;
      }
    },
    retry: (failures, error) =>
      (error instanceof NetworkError && !error.final) ||
      (error instanceof ApiError && error.status === 503 && failures < 5),
    retryDelay: (failures) => Math.min(1_000 * 2 ** failures, 15_000),
    onSuccess: (confirmed, change) => {
      const before = queryClient.getQueryData<PlanDetail>(planKey(planId));
      queryClient.setQueryData<PlanDetail>(planKey(planId), (plan) => plan && confirmed(plan));
      // A fetch under way may have begun before the change and would undo it: another replaces it.
      const query = { queryKey: planKey(planId), exact: true };
      if (queryClient.isFetching(query) > 0) void queryClient.refetchQueries(query);
      if (change.kind === 'delete') offerUndo(change.base, before, mutate);
    },
    onError: (error, change) => {
      failed(workspace, planId, error, change, mutate);
      void queryClient.invalidateQueries({ queryKey: planKey(planId), exact: true });
    },
    onSettled: (_, __, { mutationId }) => connectivity.settled(mutationId),
  });

  const pending = useMutationState({
    filters: { mutationKey: changesKey(planId), status: 'pending' },
    select: (mutation) => mutation.state.variables as Change,
  });

  return {
    pending,
    create: useCallback((title, more) => mutate({ mutationId: newId(), kind: 'create', title, ...more }), [mutate]),
    update: useCallback((base, fields) => mutate({ mutationId: newId(), kind: 'update', base, fields }), [mutate]),
    remove: useCallback((base) => mutate({ mutationId: newId(), kind: 'delete', base }), [mutate]),
    move: useCallback(
      ({ id, title }, after) => mutate({ mutationId: newId(), kind: 'move', taskId: id, title, after }),
      [mutate],
    ),
  };
}

function offerUndo(base: KnownTask, before: PlanDetail | undefined, make: (change: Change) => void): void {
  const ids = before?.tasks.map(({ id }) => id) ?? [];
  const after = ids[ids.indexOf(base.id) - 1] ?? null;
  toast(`You deleted ${quoted(base.title)}.`, {
    lasts: UNDO,
    action: { label: 'Undo', run: () => make({ mutationId: newId(), kind: 'restore', base, after }) },
  });
}

function failed(
  workspace: Workspace,
  planId: string,
  error: Error,
  change: Change,
  make: (change: Change) => void,
): void {
  const { queryClient, conflicts, unanswered } = workspace;
  const subject = quoted(subjectOf(change));
  if (error instanceof ConflictError && (change.kind === 'update' || change.kind === 'delete')) {
    const { theirs } = error;
    queryClient.setQueryData<PlanDetail>(planKey(planId), (plan) => plan && withTask(plan, theirs));
    const next =
      change.kind === 'delete'
        ? { kind: 'delete' as const, taskId: theirs.id }
        : { kind: 'update' as const, taskId: theirs.id, mine: change.fields };
    workspace.setConflict(theirs.id, joined(conflicts.get().get(theirs.id), next));
    return;
  }
  if (error instanceof GoneError) {
    if (change.kind === 'update') saveText(change.base, change.fields, make);
    else if (change.kind === 'restore')
      toast(`${subject} could not be restored: it was deleted too long ago.`, { kind: 'problem' });
    else toast(`${subject} does not exist any more.`);
    return;
  }
  toast(`${notDone(change)}: ${error.message}`, {
    kind: 'problem',
    action:
      error instanceof ApiError && [401, 403, 404].includes(error.status)
        ? copyText(change)
        : {
            label: 'Try again',
            run: () => {
              const mutationId = newId();
              const known = unanswered.get(change.mutationId);
              if (known) unanswered.set(mutationId, known); // the task may exist already
              make({ ...change, mutationId });
            },
          },
  });
}

/** Offers to copy what the person wrote, after they have lost the access to the plan. */
function copyText(change: Change) {
  const text =
    change.kind === 'create'
      ? change.title
      : change.kind === 'update'
        ? (change.fields.notes ?? change.fields.title)
        : undefined;
  if (!text || !('clipboard' in navigator)) return undefined; // a page without TLS has none
  return { label: 'Copy your text', run: () => void navigator.clipboard.writeText(text) };
}

/**
 * Reports a text that was written into a task that another user has deleted, and offers to keep it
 * in a new task.
 */
export function saveText(task: KnownTask, { title, notes }: TaskFields, make: (change: Change) => void): void {
  const wrote = title ?? notes;
  toast(`${quoted(task.title)} was deleted.${wrote ? ` You wrote ${quoted(wrote)}.` : ''}`, {
    kind: wrote ? 'problem' : 'news',
    action: wrote
      ? {
          label: 'Add as a new task',
          run: () =>
            make({ mutationId: newId(), kind: 'create', title: title ?? task.title, notes: notes ?? task.notes }),
        }
      : undefined,
  });
}

function notDone(change: Change): string {
  const subject = quoted(subjectOf(change));
  switch (change.kind) {
    case 'create':
      return `${subject} was not added`;
    case 'delete':
      return `${subject} was not deleted`;
    case 'restore':
      return `${subject} was not restored`;
    case 'move':
      return `${subject} was not moved`;
    case 'update': {
      const { title } = change.fields;
      return title === undefined
        ? `The change of ${subject} was not saved`
        : `The new title ${quoted(title)} was not saved`;
    }
  }
}
