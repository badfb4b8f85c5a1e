import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { newId } from 'planrooms';
import { useState, type FormEvent } from 'react';
import { inviteesKey, inviteesQuery } from '../plans/plansQuery';
import { useSession } from '../session/SessionContext';
import type { Member, PlanDetail } from '../taskboard';
import { Avatar } from '../ui/Avatar';
import { Dialog } from '../ui/Dialog';
import { isolated, plain, quoted } from '../ui/text';
import { toast } from '../ui/toasts';
import { useWorkspace } from '../workspace';
import { planKey } from './planQuery';

type Invite = Pick<Member, 'email' | 'role'>;

/**
 * For owners: invites people, withdraws invitations, removes members. These requests are sent now
 * or fail; they do not wait for a connection.
 */
export function ShareDialog({ plan, onClose }: { plan: PlanDetail; onClose(): void }) {
  const { session } = useSession();
  const { client } = useWorkspace();
  const queryClient = useQueryClient();
  const { data: invitees } = useQuery(inviteesQuery(session, plan.id));
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<'editor' | 'viewer'>('editor');
  const [done, setDone] = useState('');
  const path = `/api/plans/${encodeURIComponent(plan.id)}`;
  const send = <T,>(rest: string, method: 'POST' | 'DELETE', body?: unknown) =>
    session.request<T>(`${path}/${rest}`, { method, body, headers: client.headers(newId()) });
  const refresh = () => queryClient.invalidateQueries({ queryKey: inviteesKey(plan.id) });

  const invite = useMutation({
    networkMode: 'always',
    mutationFn: (who: Invite) => send<Member>('invitations', 'POST', who),
    onMutate: () => setDone(''),
    onSuccess: ({ name }) => {
      setEmail('');
      setDone(`${isolated(name)} is invited.`);
    },
    onSettled: refresh,
  });
  const withdraw = useMutation({
    networkMode: 'always',
    mutationFn: ({ userId }: Member) => send(`invitations/${encodeURIComponent(userId)}`, 'DELETE'),
    onMutate: () => setDone(''),
    onSuccess: (_, { name }) => setDone(`The invitation of ${isolated(name)} is withdrawn.`),
    onSettled: refresh,
  });
  const remove = useMutation({
    networkMode: 'always',
    mutationFn: ({ userId }: Member) => send(`members/${encodeURIComponent(userId)}`, 'DELETE'),
    onMutate: () => setDone(''),
    onSuccess: (_, member) => {
      queryClient.setQueryData<PlanDetail>(
        planKey(plan.id),
        (cached) =>
          cached && {
            ...cached,
            members: cached.members.filter(({ userId }) => userId !== member.userId),
          },
      );
      setDone(`${isolated(member.name)} is not a member any more.`);
      toast(`${isolated(member.name)} was removed from ${quoted(plan.title)}.`, {
        lasts: 15_000,
        action: { label: 'Invite again', run: () => invite.mutate({ email: member.email, role: member.role }) },
      });
    },
  });
  const all = [invite, withdraw, remove];
  const problem = all.map(({ error }) => error).find(Boolean);
  const busy = all.some(({ isPending }) => isPending);
  const only = (run: () => void) => {
    for (const mutation of all) mutation.reset();
    run();
  };

  return (
    <Dialog
      title={
        <>
          Share “<bdi>{plain(plan.title)}</bdi>”
        </>
      }
      onClose={onClose}
    >
      <ul className="member-list" aria-label="Members">
        {plan.members.map((member) => (
          <Person key={member.userId} person={member} note={member.role}>
            {member.role !== 'owner' && (
              <button
                type="button"
                className="button small"
                aria-label={`Remove ${plain(member.name)}`}
                disabled={busy}
                onClick={() => only(() => remove.mutate(member))}
              >
                Remove
              </button>
            )}
          </Person>
        ))}
        {invitees?.map((member) => (
          <Person key={member.userId} person={member} note={`invited as ${member.role}`}>
            <button
              type="button"
              className="button small"
              aria-label={`Withdraw the invitation of ${plain(member.name)}`}
              disabled={busy}
              onClick={() => only(() => withdraw.mutate(member))}
            >
              Withdraw
            </button>
          </Person>
        ))}
      </ul>
      <form
        className="add-member"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          only(() => invite.mutate({ email: email.trim(), role }));
        }}
      >
        <label className="field grow">
          <span>E-mail of a person to invite</span>
          <input type="email" required value={email} onChange={(e) => setEmail(e.target.value)} autoComplete="off" />
        </label>
        <label className="field">
          <span>Role</span>
          <select value={role} onChange={(e) => setRole(e.target.value as 'editor' | 'viewer')}>
            <option value="editor">editor</option>
            <option value="viewer">viewer</option>
          </select>
        </label>
        <button type="submit" className="button primary" disabled={busy}>
          Invite
        </button>
      </form>
      <p role="alert" className="form-problem" hidden={!problem}>
        {problem?.message}
      </p>
      <div className="dialog-actions">
        <p role="status" className="quiet grow">
          {done}
        </p>
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Person({
  person: { userId, name, email },
  note,
  children,
}: {
  person: Member;
  note: string;
  children: React.ReactNode;
}) {
  return (
    <li data-testid="member" data-user-id={userId}>
      <Avatar name={name} label="" />
      <span className="member-who">
        <bdi>{plain(name)}</bdi>
        <br />
        <span className="quiet">
          {note}, {email}
        </span>
      </span>
      {children}
    </li>
  );
}
