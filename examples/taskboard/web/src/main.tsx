// Starts the page. The login is requested while the application, which is large, is still loading.

import { planApiPath } from './plan/planApiPath';
import { planIdOf } from './planPath';
import { Session } from './session/session';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/plan.css';
import './styles/task.css';
import './styles/toasts.css';

const root = document.getElementById('root');
if (!root) throw new Error('taskboard: no #root');
const session = new Session();
void session.start().then(() => {
  const planId = planIdOf(window.location.pathname);
  if (planId !== null) session.prefetch(planApiPath(planId));
});
void import('./render').then(({ render }) => render(root, session));
