import { useEffect, useState } from 'react';
import { Link } from '../router';
import { useStore } from '../store';
import { dismiss, toasts, type Toast } from './toasts';

/** Shows the messages. A separate live region announces their texts, without the buttons. */
export function Toaster() {
  const shown = useStore(toasts);
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite" aria-atomic="false" data-testid="announcements">
        {shown.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
      <section className="toasts" aria-label="Messages">
        {shown.map((toast) => (
          <ToastView key={toast.id} toast={toast} />
        ))}
      </section>
    </>
  );
}

function ToastView({ toast }: { toast: Toast }) {
  const { id, text, kind, action, lasts } = toast;
  const [held, setHeld] = useState(false); // a message stays while it has the pointer or the focus
  useEffect(() => {
    if (!lasts || held) return undefined;
    const timer = setTimeout(() => dismiss(id), lasts);
    return () => clearTimeout(timer);
  }, [id, lasts, held]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the handlers only stop the timer
    <div
      className="toast"
      data-testid="toast"
      data-kind={kind}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <div className="toast-body">
        <p>{text}</p>
        {action && <Action action={action} done={() => dismiss(id)} />}
      </div>
      <button type="button" className="icon-button" aria-label="Close message" onClick={() => dismiss(id)}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4 4l8 8M12 4l-8 8" />
        </svg>
      </button>
    </div>
  );
}

function Action({ action: { label, href, run }, done }: { action: NonNullable<Toast['action']>; done(): void }) {
  if (href)
    return (
      <Link href={href} className="toast-action" onClick={done}>
        {label}
      </Link>
    );
  return (
    <button
      type="button"
      className="toast-action"
      onClick={() => {
        done();
        run?.();
      }}
    >
      {label}
    </button>
  );
}
