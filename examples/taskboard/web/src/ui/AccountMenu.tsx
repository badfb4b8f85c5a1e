import { useIsMutating } from '@tanstack/react-query';
import { useState } from 'react';
import { useSession } from '../session/SessionContext';
import { Avatar } from './Avatar';
import { Dialog } from './Dialog';
import { plain } from './text';
import { toast } from './toasts';

type Leaving = 'here' | 'everywhere';

/** The user who is logged in, and how to log out. */
export function AccountMenu() {
  const { session, user } = useSession();
  const [asking, setAsking] = useState<Leaving | null>(null);
  const unsent = useIsMutating();

  const leave = async (how: Leaving) => {
    setAsking(null);
    try {
      await (how === 'here' ? session.logout() : session.logoutEverywhere());
    } catch (error) {
      toast(`You are still logged in: ${(error as Error).message}`, { kind: 'problem' });
    }
  };

  return (
    <>
      <button
        type="button"
        className="account-button"
        popoverTarget="account"
        aria-label={`${plain(user.name)}: account`}
      >
        <Avatar name={user.name} label="" /> <bdi className="account-name">{plain(user.name)}</bdi>
      </button>
      <div id="account" className="account" popover="auto">
        <p>
          <strong>
            <bdi>{plain(user.name)}</bdi>
          </strong>
          <br />
          {user.email}
        </p>
        <button type="button" popoverTarget="account" onClick={() => (unsent ? setAsking('here') : void leave('here'))}>
          Log out
        </button>
        <button type="button" popoverTarget="account" onClick={() => setAsking('everywhere')}>
          Log out everywhere…
        </button>
      </div>
      {asking && (
        <Dialog title={asking === 'here' ? 'Log out?' : 'Log out everywhere?'} onClose={() => setAsking(null)}>
          {asking === 'everywhere' && <p>This closes every page where you are logged in, on all your devices.</p>}
          {unsent > 0 && (
            <p>{unsent === 1 ? 'One change is' : `${unsent} changes are`} not sent yet and would be lost.</p>
          )}
          <div className="dialog-actions">
            <button type="button" className="button" onClick={() => setAsking(null)}>
              Stay
            </button>
            <button type="button" className="button primary" onClick={() => void leave(asking)}>
              {asking === 'here' ? 'Log out' : 'Log out everywhere'}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
