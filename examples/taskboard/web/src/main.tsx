import { notifyManager } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/plan.css';
import './styles/task.css';
import './styles/toasts.css';

// Caches tell of a change before the next frame is painted: a task that is dropped elsewhere must not be seen to jump back first.
notifyManager.setScheduler(queueMicrotask);

const root = document.getElementById('root');
if (!root) throw new Error('taskboard: no #root');
createRoot(root).render(<StrictMode><App /></StrictMode>);
