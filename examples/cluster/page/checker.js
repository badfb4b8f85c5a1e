// Compares what a viewer sees with what it has to see: each change once and in order, after those
// that the plan contained when it was loaded. internal/history does the same for viewers without a
// page.

const KEPT = 4096; // events that are remembered to recognize doubled ones

export class Checker {
  delivered = 0;
  doubled = 0;
  disordered = 0;
  resumed = 0;
  reloaded = 0;
  last = 0; // the highest change that was seen or loaded

  #begun = false;
  #loaded = 0; // changes up to this one were in a plan that was loaded
  #seen = new Set();
  #gaps = new Set();

  get lost() {
    return this.#gaps.size;
  }

  /** The viewer has loaded the plan with the changes up to this one. */
  load(change) {
    if (this.#begun && change < this.last) this.disordered++;
    this.#begun = true;
    this.last = Math.max(this.last, change);
    this.#loaded = Math.max(this.#loaded, change);
    for (const gap of this.#gaps) if (gap <= change) this.#gaps.delete(gap);
  }

  /** The viewer has received the event of a change. */
  event(change) {
    this.delivered++;
    if (this.#seen.has(change)) {
      this.doubled++;
      return;
    }
    this.#seen.add(change);
    this.#seen.delete(change - KEPT);
    if (change > this.last) {
      for (let gap = this.last + 1; gap < change; gap++) this.#gaps.add(gap);
      this.last = change;
    } else if (change > this.#loaded) {
      this.#gaps.delete(change); // it was passed over
      this.disordered++;
    } // else it is older than the plan that was loaded: it was in flight
  }
}
