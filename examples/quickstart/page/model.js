// What a page knows of a plan: the tasks in their order, and the progress.
//
// Every event can be applied to a plan that holds it already. The plan that a page loads may be a little newer than the position
// it came with, and the events in between then arrive once more; applied in order they end where the server is.

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
        // To the end, also if it is there already: whatever moved it follows.
        this.tasks = [...this.tasks.filter((t) => t.id !== data.task.id), data.task];
        break;
      case 'task-updated':
        // A task that is not there has been deleted since: the event is older than the plan that was loaded.
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

  // Tasks that the order does not name were created after it, and so come behind it.
  #reorder(ids) {
    const place = new Map(ids.map((id, i) => [id, i]));
    const of = (t) => place.get(t.id) ?? ids.length;
    this.tasks = this.tasks.toSorted((a, b) => of(a) - of(b));
  }
}
