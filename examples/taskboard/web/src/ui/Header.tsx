import { Link } from '../router';
import { AccountMenu } from './AccountMenu';
import { Mark } from './Mark';

export function Header() {
  return (
    <header className="header">
      <Link href="/" className="brand" aria-label="Taskboard: all plans">
        <Mark /> <span>Taskboard</span>
      </Link>
      <AccountMenu />
    </header>
  );
}
