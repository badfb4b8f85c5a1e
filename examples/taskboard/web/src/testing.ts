// Plans and tasks for tests.

import type { KnownTask, PlanDetail } from './taskboard';

export const task = (id: string, more: Partial<KnownTask> = {}): KnownTask => ({
  id,
  planId: 'p',
  title: id,
  notes: '',
  status: 'not_started',
  assignee: null,
  version: 1,
  createdAt: '',
  updatedAt: '',
  ...more,
});

/** A plan at seq 7 of Ada and Ben. */
export const plan = (...tasks: KnownTask[]): PlanDetail => ({
  id: 'p',
  title: 'Plan',
  role: 'owner',
  position: { epoch: 'e', seq: 7 },
  tasks,
  progress: { totalTasks: tasks.length, completedTasks: 0, completionPercentage: 0 },
  members: [
    { userId: 'ada', name: 'Ada', email: 'ada@example.com', role: 'owner' },
    { userId: 'ben', name: 'Ben', email: 'ben@example.com', role: 'editor' },
  ],
});
