// The versions that this page has made itself.
//
// A person who changes a task twice bases both changes on the version they see, but the first one raises it. The second must go out with
// the raised version, and only if nobody else was in between: a change by others has to be noticed still.

export class OwnVersions {
  #next = new Map<string, number>();

  /** Remembers that a change of this page took a task from one version to another. */
  record(taskId: string, from: number, to: number): void {
    this.#next.set(`${taskId} ${from}`, to);
  }

  /** The version that has become of this one by changes of this page alone. */
  latest(taskId: string, version: number): number {
    let latest = version;
    for (let next; (next = this.#next.get(`${taskId} ${latest}`)) !== undefined && next > latest;) latest = next;
    return latest;
  }
}
