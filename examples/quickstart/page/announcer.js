// What a screen reader says. One live region serves the whole page, so an outage that both panes
// notice is one announcement. A countdown, a second attempt or another missed event is none.

const QUIET = 1_000; // milliseconds without a change before an announcement
const PATIENCE = 5_000; // milliseconds after which an announcement is due in any case

export class Announcer {
  #region;
  #said = new Map(); // topic -> what was announced last
  #now = new Map(); // topic -> its current state
  #timer;
  #due = 0; // when the pending announcement is due in any case; 0: there is none

  constructor(region) {
    this.#region = region;
  }

  /** Sets the state of a topic, which is announced after a quiet time if it differs then. */
  set(topic, text) {
    if (this.#now.get(topic) === text) return;
    this.#now.set(topic, text);
    const now = performance.now();
    this.#due ||= now + PATIENCE;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(), Math.min(QUIET, this.#due - now));
  }

  #say() {
    this.#due = 0;
    const texts = [];
    for (const [topic, text] of this.#now) {
      if (text && text !== this.#said.get(topic)) texts.push(text);
      this.#said.set(topic, text);
    }
    if (texts.length > 0) this.#region.textContent = texts.join(' ');
  }
}
