import { useEffect, useState, type FormEvent } from 'react';
import { Avatar } from '../ui/Avatar';
import { Mark } from '../ui/Mark';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { PageTitle } from '../ui/PageTitle';
import { send } from './request';
import type { Session } from './session';

interface DemoAccount {
  name: string;
  email: string;
  password: string;
}

export function LoginPage({ session }: { session: Session }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  useDocumentTitle('Log in');

  const login = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await session.login(email, password);
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };

  return (
    <main className="login-page">
      <div className="sheet login">
        <div className="login-head">
          <Mark />
          <PageTitle>Log in to Taskboard</PageTitle>
        </div>
        <form onSubmit={(event) => void login(event)} className="stack">
          <label className="field">
            <span>E-mail</span>
            <input
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={(e) => setEmail(e.target.value)}
            />
          </label>
          <label className="field">
            <span>Password</span>
            <input
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(e) => setPassword(e.target.value)}
            />
          </label>
          <p role="alert" className="form-problem" hidden={!problem}>
            {problem}
          </p>
          <button type="submit" className="button primary wide" disabled={busy}>
            {busy ? 'Logging in…' : 'Log in'}
          </button>
        </form>
        <DemoAccounts
          onChoose={(account) => {
            setEmail(account.email);
            setPassword(account.password);
          }}
        />
      </div>
    </main>
  );
}

/** The accounts that the program offers to try it out; nothing where it is not a demo. */
function DemoAccounts({ onChoose }: { onChoose(account: DemoAccount): void }) {
  const [accounts, setAccounts] = useState<DemoAccount[]>([]);
  useEffect(() => {
    const left = new AbortController();
    send<{ accounts: DemoAccount[] }>('/api/demo', { signal: left.signal })
      // People can log in without the list.
      .then(
        (answer) => setAccounts(answer.accounts),
        () => {},
      );
    return () => left.abort();
  }, []);
  const [first] = accounts;
  if (!first) return null;
  return (
    <section className="demo" aria-labelledby="demo">
      <h2 id="demo">Demo accounts</h2>
      <p>
        {accounts.map(({ email }) => email).join(', ')}; the password of each is <code>{first.password}</code>. Try two
        of them in two browsers.
      </p>
      <div className="demo-people">
        {accounts.map((account) => (
          <button
            key={account.email}
            type="button"
            className="button demo-person"
            title={`Fill in ${account.email}`}
            onClick={() => onChoose(account)}
          >
            <Avatar name={account.name} label="" /> {account.name}
          </button>
        ))}
      </div>
    </section>
  );
}
