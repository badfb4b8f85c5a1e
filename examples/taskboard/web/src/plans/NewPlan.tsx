import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { navigate, planPath } from '../router';
import { useSession } from '../session/SessionContext';
import { maxTitleLength, type PlanSummary } from '../taskboard';
import { limited, titleOf } from '../ui/text';
import { plansKey } from './plansQuery';

/** Creates a plan and opens it. Without a connection it says so, and keeps the title. */
export function NewPlan() {
  const { session } = useSession();
  const queryClient = useQueryClient();
  const [title, setTitle] = useState('');
  const { mutate, isPending, error } = useMutation({
    networkMode: 'always',
    mutationFn: () => session.request<PlanSummary>('/api/plans', { method: 'POST', body: { title: titleOf(title) } }),
    onSuccess: (plan) => {
      void queryClient.invalidateQueries({ queryKey: plansKey });
      navigate(planPath(plan.id));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (titleOf(title)) mutate();
  };
  return (
    <form className="new-plan" onSubmit={submit}>
      <label className="field">
        <span>New plan</span>
        <input
          dir="auto"
          value={title}
          required
          onChange={(e) => setTitle(limited(e.target.value, maxTitleLength))}
          placeholder="What is it about?"
        />
      </label>
      <button type="submit" className="button" disabled={isPending}>
        Create plan
      </button>
      <p role="alert" className="form-problem" hidden={!error}>
        {error?.message}
      </p>
    </form>
  );
}
