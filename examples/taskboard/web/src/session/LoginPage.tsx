import { useState, type FormEvent } from 'react';
import { Avatar } from '../ui/Avatar';
import { Mark } from '../ui/Mark';
import { useDocumentTitle } from '../ui/useDocumentTitle';
import { PageTitle } from '../ui/PageTitle';
import type { Session } from './session';

const demo = { people: ['Ada', 'Ben', 'Cleo'], password: 'planrooms' };
const demoEmail = (name: string) => `${name.toLowerCase()}@example.com`;

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
        <div className="login-head"><Mark /><PageTitle>Log in to Taskboard</PageTitle></div>
        <form onSubmit={(event) => void login(event)} className="stack">
          <label className="field">
            <span>E-mail</span>
            <input type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.target.value)} />
          </label>
          <label className="field">
            <span>Password</span>
            <input type="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.target.value)} />
          </label>
          <p role="alert" className="form-problem" hidden={!problem}>{problem}</p>
          <button type="submit" className="button primary wide" disabled={busy}>{busy ? 'Logging in…' : 'Log in'}</button>
        </form>
        <section className="demo" aria-labelledby="demo">
          <h2 id="demo">Demo accounts</h2>
          <p>
            {demo.people.map(demoEmail).join(', ')}; the password of each is <code>{demo.password}</code>. Try two of them, in two browsers.
          </p>
          <div className="demo-people">
            {demo.people.map((name) => (
              <button
                key={name}
                type="button"
                className="button demo-person"
                title={`Fill in ${demoEmail(name)}`}
                onClick={() => { setEmail(demoEmail(name)); setPassword(demo.password); }}
              >
                <Avatar name={name} label="" /> {name}
              </button>
            ))}
          </div>
        </section>
      </div>
    </main>
  );
}
