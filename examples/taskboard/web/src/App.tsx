import { useEffect, useState } from 'react';
import { EndedPage } from './session/EndedPage';
import { LoginPage } from './session/LoginPage';
import { Session } from './session/session';
import { SignedIn } from './SignedIn';
import { useStore } from './store';
import { Notice } from './ui/Notice';
import { Toaster } from './ui/Toaster';

const session = new Session(); // of the page: a component that is made twice would have two

/** Shows what the session allows. */
export function App() {
  const state = useStore(session.state);
  const [started] = useState(() => session);
  useEffect(() => { void started.start(); }, [started]);

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
  if (!problem) return <main className="notice-page" aria-busy="true" />; // a blink: nothing to read
  return <Notice title="Taskboard is not to be reached" role="status"><p>{problem} Trying again every few seconds.</p></Notice>;
}
