import { useMutation, useQueryClient } from '@tanstack/react-query';
import { newId } from 'planrooms';
import { useState, type FormEvent } from 'react';
import { plansKey } from '../plans/plansQuery';
import { navigate } from '../router';
import { useSession } from '../session/SessionContext';
import { maxTitleLength, type Member, type PlanDetail } from '../taskboard';
import { Dialog } from '../ui/Dialog';
import { limited, plain, quoted, titleOf } from '../ui/text';
import { toast } from '../ui/toasts';
import { useWorkspace } from '../workspace';
import { planKey } from './planQuery';

/** Renames, passes on, leaves or deletes a plan. */
export function PlanOptions({ plan, onClose }: { plan: PlanDetail; onClose(): void }) {
  return (
    <Dialog
      title={
        <>
          Options of “<bdi>{plain(plan.title)}</bdi>”
        </>
      }
      onClose={onClose}
    >
      {plan.role === 'owner' ? (
        <>
          <Rename plan={plan} />
          <PassOn plan={plan} />
          <Delete plan={plan} onClose={onClose} />
        </>
      ) : (
        <Leave plan={plan} onClose={onClose} />
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** A request about the plan, which is sent now or fails. */
function usePlanRequest<T>(plan: PlanDetail, onSuccess: (answer: T) => void) {
  const { session } = useSession();
  const { client } = useWorkspace();
  const queryClient = useQueryClient();
  return useMutation({
    networkMode: 'always',
    mutationFn: ({ rest = '', method, body }: { rest?: string; method: 'POST' | 'PATCH' | 'DELETE'; body?: unknown }) =>
      session.request<T>(`/api/plans/${encodeURIComponent(plan.id)}${rest}`, {
        method,
        body,
        headers: client.headers(newId()),
      }),
    onSuccess: (answer) => {
      void queryClient.invalidateQueries({ queryKey: plansKey });
      onSuccess(answer);
    },
  });
}

const Problem = ({ error }: { error: Error | null }) => (
  <p role="alert" className="form-problem" hidden={!error}>
    {error?.message}
  </p>
);

function Rename({ plan }: { plan: PlanDetail }) {
  const queryClient = useQueryClient();
  const [title, setTitle] = useState(plan.title);
  const { mutate, isPending, error } = usePlanRequest(plan, () => {
    queryClient.setQueryData<PlanDetail>(planKey(plan.id), (cached) => cached && { ...cached, title: titleOf(title) });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (titleOf(title)) mutate({ method: 'PATCH', body: { title: titleOf(title) } });
  };
  return (
    <form className="option" onSubmit={submit}>
      <label className="field">
        <span>Title of the plan</span>
        <input dir="auto" required value={title} onChange={(e) => setTitle(limited(e.target.value, maxTitleLength))} />
      </label>
      <button type="submit" className="button" disabled={isPending || titleOf(title) === plan.title}>
        Rename plan
      </button>
      <Problem error={error} />
    </form>
  );
}

function PassOn({ plan }: { plan: PlanDetail }) {
  const { user } = useSession();
  const queryClient = useQueryClient();
  const others = plan.members.filter(({ userId }) => userId !== user.id);
  const [chosen, setChosen] = useState('');
  const { mutate, isPending, error } = usePlanRequest<{ members: Member[] }>(plan, ({ members }) => {
    queryClient.setQueryData<PlanDetail>(planKey(plan.id), (cached) => cached && { ...cached, members });
  });
  if (others.length === 0) return null;
  return (
    <form
      className="option"
      onSubmit={(event) => {
        event.preventDefault();
        mutate({ rest: '/owner', method: 'POST', body: { userId: chosen } });
      }}
    >
      <label className="field">
        <span>New owner (you become an editor)</span>
        <select required value={chosen} onChange={(e) => setChosen(e.target.value)}>
          <option value="">Choose a member</option>
          {others.map(({ userId, name }) => (
            <option key={userId} value={userId}>
              {plain(name)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" className="button" disabled={isPending}>
        Pass on plan
      </button>
      <Problem error={error} />
    </form>
  );
}

function Delete({ plan, onClose }: { plan: PlanDetail; onClose(): void }) {
  const [asking, setAsking] = useState(false);
  const { mutate, isPending, error } = usePlanRequest(plan, () => {
    onClose();
    navigate('/');
    toast(`You deleted the plan ${quoted(plan.title)}.`);
  });
  return (
    <div className="option">
      {asking ? (
        <p>The plan and its {plan.tasks.length} tasks are deleted for all members. This cannot be undone.</p>
      ) : (
        <p className="quiet">Deleting the plan removes it for all members.</p>
      )}
      {asking ? (
        <button
          type="button"
          className="button danger solid"
          disabled={isPending}
          onClick={() => mutate({ method: 'DELETE' })}
        >
          Delete for everyone
        </button>
      ) : (
        <button type="button" className="button danger" onClick={() => setAsking(true)}>
          Delete plan…
        </button>
      )}
      <Problem error={error} />
    </div>
  );
}

function Leave({ plan, onClose }: { plan: PlanDetail; onClose(): void }) {
  const { user } = useSession();
  const { mutate, isPending, error } = usePlanRequest(plan, () => {
    onClose();
    navigate('/');
    toast(`You left the plan ${quoted(plan.title)}.`);
  });
  return (
    <div className="option">
      <p>You lose access to the plan, and your tasks in it become unassigned. To come back you need an invitation.</p>
      <button
        type="button"
        className="button danger"
        disabled={isPending}
        onClick={() => mutate({ rest: `/members/${encodeURIComponent(user.id)}`, method: 'DELETE' })}
      >
        Leave plan
      </button>
      <Problem error={error} />
    </div>
  );
}
