import { Notice } from '../ui/Notice';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import type { Ending, Session } from './session';

const texts: Record<Ending, { title: string; text: string }> = {
  everywhere: {
    title: 'You were logged out everywhere',
    text: 'This page and all your other pages were closed.',
  },
  expired: {
    title: 'Your session has ended',
    text: 'It expired, or you logged out in another tab. This page was closed, because it can no longer receive changes.',
  },
  'another user': {
    title: 'Another user has logged in',
    text: 'Another tab of this browser has logged in with another account.',
  },
};

/** Shows why the session of a page has ended. */
export function EndedPage({ why, session }: { why: Ending; session: Session }) {
  const { title, text } = texts[why];
  useDocumentTitle(title);
  return (
    <Notice title={title} role="alert">
      <p>{text}</p>
      {why === 'another user' ? (
        <button type="button" className="button primary" onClick={() => window.location.reload()}>
          Continue with that account
        </button>
      ) : (
        <button type="button" className="button primary" onClick={() => session.again()}>
          Log in again
        </button>
      )}
    </Notice>
  );
}
