// A plan as the page knows it: the tasks in their order, and the progress.
//
// Applying an event is idempotent. A loaded plan may be newer than its position, and then already
// contains some of the events that follow. Applied in order, they lead to the state of the server.

export class Model {
  tasks = []; // {id, title, status}, in order
  progress = { totalTasks: 0, completedTasks: 0, completionPercentage: 0 };

  load({ tasks, progress }) {
    this.tasks = tasks;
    this.progress = progress;
  }

  apply({ type, data }) {
    switch (type) {
      case 'task-created':
        // To the end, also if it exists already: an event that moved it follows.
        this.tasks = [...this.tasks.filter((t) => t.id !== data.task.id), data.task];
        break;
      case 'task-updated':
        // A missing task was deleted later: the event is older than the loaded plan.
        this.tasks = this.tasks.map((t) => (t.id === data.task.id ? data.task : t));
        break;
      case 'task-deleted':
        this.tasks = this.tasks.filter((t) => t.id !== data.taskId);
        break;
      case 'task-reordered':
        this.#reorder(data.taskIds);
        break;
      case 'progress-updated':
        this.progress = data.progress;
        break;
      default: // a type of a later version
    }
  }

  // Tasks that are missing in the order were created later, so they go to the end.
  #reorder(ids) {
    const place = new Map(ids.map((id, i) => [id, i]));
    const of = (t) => place.get(t.id) ?? ids.length;
    this.tasks = this.tasks.toSorted((a, b) => of(a) - of(b));
  }
}
