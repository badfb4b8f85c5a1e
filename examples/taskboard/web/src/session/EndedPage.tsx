import { Notice } from '../ui/Notice';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import type { Ending, Session } from './session';

const texts: Record<Ending, { title: string; text: string }> = {
  everywhere: {
    title: 'You were logged out everywhere',
    text: 'This page is closed, and so is every other one where you were logged in.',
  },
  expired: {
    title: 'Your log-in has ended',
    text: 'It ran out, or you logged out in another tab. This page would not stay up to date, so it was closed.',
  },
  'somebody else': {
    title: 'Somebody else has logged in',
    text: 'In another tab of this browser, somebody has logged in with another account.',
  },
};

/** Says why a page in use has ended. */
export function EndedPage({ why, session }: { why: Ending; session: Session }) {
  const { title, text } = texts[why];
  useDocumentTitle(title);
  return (
    <Notice title={title} role="alert">
      <p>{text}</p>
      {why === 'somebody else'
        ? <button type="button" className="button primary" onClick={() => window.location.reload()}>Go on with their account</button>
        : <button type="button" className="button primary" onClick={() => session.again()}>Log in again</button>}
    </Notice>
  );
}
