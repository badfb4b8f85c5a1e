// The versions that changes of this page have created.
//
// A person who changes a task twice bases both changes on the version they see, but the first
// change increases it. The second is sent with the increased version, unless another user has
// changed the task in between: then the server must report the conflict.

export class OwnVersions {
  #next = new Map<string, number>();

  /** Records that a change of this page took a task from one version to another. */
  record(taskId: string, from: number, to: number): void {
    this.#next.set(`${taskId} ${from}`, to);
  }

  /** The version after all changes of this page to this version. */
  latest(taskId: string, version: number): number {
    let latest = version;
    for (let next: number | undefined; (next = this.#next.get(`${taskId} ${latest}`)) !== undefined && next > latest; )
      latest = next;
    return latest;
  }
}
