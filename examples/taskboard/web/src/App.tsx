import { EndedPage } from './session/EndedPage';
import { LoginPage } from './session/LoginPage';
import type { Session } from './session/session';
import { retryNow, unanswered } from './session/request';
import { SignedIn } from './SignedIn';
import { useStore } from './store';
import { Notice } from './ui/Notice';
import { Toaster } from './ui/Toaster';

/** The page for the state of the session. */
export function App({ session }: { session: Session }) {
  const state = useStore(session.state);

  return (
    <>
      {state.phase === 'starting' && <Starting problem={state.problem} />}
      {state.phase === 'out' && <LoginPage session={session} />}
      {state.phase === 'ended' && <EndedPage why={state.why} session={session} />}
      {state.phase === 'in' && <SignedIn key={state.user.id} session={session} user={state.user} />}
      <Toaster />
    </>
  );
}

function Starting({ problem }: { problem?: string }) {
  const late = useStore(unanswered);
  // Usually for a moment.
  if (!problem && !late) return <main className="notice-page" aria-busy="true" />;
  return (
    <Notice title="Taskboard cannot be reached" role="status">
      <p>{problem ?? 'The server does not answer.'} Trying again every few seconds.</p>
      <button type="button" className="button" onClick={retryNow}>
        Try again now
      </button>
    </Notice>
  );
}
