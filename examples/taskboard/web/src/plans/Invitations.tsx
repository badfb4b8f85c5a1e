import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { navigate, planPath } from '../router';
import { useSession } from '../session/SessionContext';
import type { Invitation } from '../taskboard';
import { plain } from '../ui/text';
import { invitationsKey, invitationsQuery, plansKey } from './plansQuery';

/** The invitations of the user, to accept or decline. Nothing if there are none. */
export function Invitations() {
  const { session } = useSession();
  const { data: invitations } = useQuery(invitationsQuery(session));
  if (!invitations?.length) return null;
  return (
    <section className="invitations" aria-labelledby="invitations">
      <h2 id="invitations">Invitations</h2>
      <ul>
        {invitations.map((invitation) => (
          <InvitationCard key={invitation.planId} invitation={invitation} />
        ))}
      </ul>
    </section>
  );
}

function InvitationCard({ invitation: { planId, title, role, invitedBy } }: { invitation: Invitation }) {
  const { session } = useSession();
  const queryClient = useQueryClient();
  const path = `/api/invitations/${encodeURIComponent(planId)}`;
  const refresh = () =>
    Promise.all([invitationsKey, plansKey].map((queryKey) => queryClient.invalidateQueries({ queryKey })));
  const accept = useMutation({
    networkMode: 'always',
    mutationFn: () => session.request(`${path}/accept`, { method: 'POST' }),
    onSuccess: () => navigate(planPath(planId)),
    onSettled: refresh,
  });
  const decline = useMutation({
    networkMode: 'always',
    mutationFn: () => session.request(path, { method: 'DELETE' }),
    onSettled: refresh,
  });
  const busy = accept.isPending || decline.isPending;
  const problem = accept.error ?? decline.error;
  return (
    <li className="sheet invitation" data-testid="invitation">
      <p>
        <bdi>{plain(invitedBy)}</bdi>
        {' invites you to '}
        <strong>
          <bdi>{plain(title)}</bdi>
        </strong>
        {' as '}
        {role === 'editor' ? 'an editor' : 'a viewer'}.
      </p>
      <div className="dialog-actions start">
        <button
          type="button"
          className="button primary small"
          disabled={busy}
          aria-label={`Accept the invitation to ${plain(title)}`}
          onClick={() => accept.mutate()}
        >
          Accept
        </button>
        <button
          type="button"
          className="button small"
          disabled={busy}
          aria-label={`Decline the invitation to ${plain(title)}`}
          onClick={() => decline.mutate()}
        >
          Decline
        </button>
      </div>
      <p role="alert" className="form-problem" hidden={!problem}>
        {problem?.message}
      </p>
    </li>
  );
}
