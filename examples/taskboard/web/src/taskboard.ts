// The types of the program's HTTP API.

export type Status = 'not_started' | 'in_progress' | 'completed';
export type Role = 'owner' | 'editor' | 'viewer';

export interface User {
  id: string;
  name: string;
  email: string;
}

export interface Task {
  id: string;
  planId: string;
  title: string;
  notes: string;
  status: Status;
  assignee: string | null;
  version: number; // grows with each change except a move
  createdAt: string;
  updatedAt: string;
}

/** The fields of a task that people change. */
export type TaskFields = Partial<Pick<Task, 'title' | 'notes' | 'status' | 'assignee'>>;

export interface Progress {
  totalTasks: number;
  completedTasks: number;
  completionPercentage: number;
}

export interface Member {
  userId: string;
  name: string;
  email: string;
  role: Role;
}

/** An invitation to a plan, as the invited user sees it. */
export interface Invitation {
  planId: string;
  title: string;
  role: Role;
  invitedBy: string; // the name of the owner
}

export interface PlanSummary {
  id: string;
  title: string;
  role: Role;
  taskCount: number;
  completedCount: number;
}

/** A position in the events of a plan. */
export interface Position {
  epoch: string;
  seq: number;
}

export interface PlanDetail {
  id: string;
  title: string;
  role: Role;
  position: Position; // the events that the tasks include
  tasks: KnownTask[];
  progress: Progress;
  members: Member[];
}

/** A task in the cache, with the author of its latest change if an event has named them. */
export type KnownTask = Task & { changedBy?: string };

export const statusNames: Record<Status, string> = {
  not_started: 'Not started',
  in_progress: 'In progress',
  completed: 'Completed',
};

/** The longest title that the API accepts, in code points. */
export const maxTitleLength = 200;
/** The longest notes that the API accepts, in code points. */
export const maxNotesLength = 10_000;
