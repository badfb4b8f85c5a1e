import { useOnline } from '../connection/useOnline';

/** Says what becomes of changes while they can't be sent. */
export function UnsentBanner({ count }: { count: number }) {
  const online = useOnline();
  const waiting = count === 1 ? 'One change is' : `${count} changes are`;
  return (
    <div role="status">
      {!online && (
        <p className="banner" data-testid="unsent">
          <strong>You are offline.</strong>{' '}
          {count === 0
            ? 'You can go on: what you change is kept on this page and sent when the connection is back.'
            : `${waiting} kept on this page and will be sent when the connection is back. Leave it open.`}
        </p>
      )}
    </div>
  );
}
