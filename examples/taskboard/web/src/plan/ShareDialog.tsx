import { useMutation, useQueryClient } from '@tanstack/react-query';
import { newId } from 'planrooms';
import { useState, type FormEvent } from 'react';
import { useSession } from '../session/SessionContext';
import type { Member, PlanDetail } from '../taskboard';
import { Avatar } from '../ui/Avatar';
import { Dialog } from '../ui/Dialog';
import { useWorkspace } from '../workspace';
import { planKey } from './planQuery';

/** For owners: lets people in, and takes them out. Who may see what is not left to a later connection: this is sent now, or not at all. */
export function ShareDialog({ plan, onClose }: { plan: PlanDetail; onClose(): void }) {
  const { session } = useSession();
  const { client } = useWorkspace();
  const queryClient = useQueryClient();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<'editor' | 'viewer'>('editor');
  const [told, setTold] = useState('');
  const path = `/api/plans/${encodeURIComponent(plan.id)}/members`;
  const setMembers = (change: (members: Member[]) => Member[]) => queryClient.setQueryData<PlanDetail>(
    planKey(plan.id),
    (cached) => cached && { ...cached, members: change(cached.members) },
  );

  const add = useMutation({
    networkMode: 'always',
    mutationFn: () => session.request<Member>(path, { method: 'POST', body: { email: email.trim(), role }, headers: client.headers(newId()) }),
    onMutate: () => setTold(''),
    onSuccess: (member) => {
      setMembers((members) => [...members.filter(({ userId }) => userId !== member.userId), member]);
      setEmail('');
      setTold(`${member.name} is a member now.`);
    },
  });
  const remove = useMutation({
    networkMode: 'always',
    mutationFn: ({ userId }: Member) => session.request(`${path}/${encodeURIComponent(userId)}`, {
      method: 'DELETE',
      headers: client.headers(newId()),
    }),
    onMutate: () => setTold(''),
    onSuccess: (_, { userId, name }) => {
      setMembers((members) => members.filter((member) => member.userId !== userId));
      setTold(`${name} is not a member any more.`);
    },
  });
  const problem = add.error ?? remove.error;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    remove.reset();
    add.mutate();
  };

  return (
    <Dialog title={`Share “${plan.title}”`} onClose={onClose}>
      <ul className="member-list" aria-label="Members">
        {plan.members.map((member) => (
          <li key={member.userId} data-testid="member" data-user-id={member.userId}>
            <Avatar name={member.name} label="" />
            <span className="member-who">{member.name}<br /><span className="quiet">{member.role}, {member.email}</span></span>
            {member.role !== 'owner' && (
              <button
                type="button"
                className="button small"
                aria-label={`Remove ${member.name}`}
                disabled={remove.isPending}
                onClick={() => { add.reset(); remove.mutate(member); }}
              >
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      <form className="add-member" onSubmit={submit}>
        <label className="field grow">
          <span>E-mail of the new member</span>
          <input type="email" required value={email} onChange={(e) => setEmail(e.target.value)} autoComplete="off" />
        </label>
        <label className="field">
          <span>Role</span>
          <select value={role} onChange={(e) => setRole(e.target.value as 'editor' | 'viewer')}>
            <option value="editor">editor</option>
            <option value="viewer">viewer</option>
          </select>
        </label>
        <button type="submit" className="button primary" disabled={add.isPending}>Add member</button>
      </form>
      <p role="alert" className="form-problem" hidden={!problem}>{problem?.message}</p>
      <div className="dialog-actions">
        <p role="status" className="quiet grow">{told}</p>
        <button type="button" className="button" onClick={onClose}>Close</button>
      </div>
    </Dialog>
  );
}
