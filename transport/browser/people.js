// The participants of a plan, from the messages that plan.js passes on: the users, their presence
// states, and their number.

/** @import { JoinAnswer, Participant } from './protocol.js' */

import { Timers } from './timing.js';

const LINGER = 6_000; // the server's grace period of 5 s, and the way here

export class People {
  #count = 0;
  /** @type {Map<string, Participant>} */ #people = new Map();
  #timers = new Timers();
  #stale = false;
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  get snapshot() {
    return { participants: [...this.#people.values()], participantCount: this.#count };
  }

  /** @param {JoinAnswer} answer */
  answer({ participants, participantCount }) {
    this.#stale = false;
    this.#people = new Map(participants.map((p) => [p.userId, p]));
    this.#count = participantCount;
    // The server sends nothing when a user comes back within the grace period: after it, users that
    // have not left are present.
    this.#timers.after('linger', LINGER, () => {
      this.#people.forEach((p) => this.#here(p));
      this.#changed();
    });
  }

  /** A user has joined or left. @param {any} data @param {boolean} here */
  moved({ userId, userName, participantCount }, here) {
    this.#count = participantCount;
    if (!userId)
      this.#people.clear(); // a crowded room: the server sends a count, and no list
    else if (here) this.#here({ userId, userName });
    else this.#people.delete(userId);
  }

  /** @param {{ userId: string, state: unknown }} data */
  updated({ userId, state }) {
    const person = this.#people.get(userId);
    if (person) this.#here({ ...person, state: state ?? undefined });
  }

  /** A user is present, with one connection at least. @param {any} person */
  #here(person) {
    this.#people.set(person.userId, { ...person, connections: person.connections || 1 });
  }

  /** The connection is lost: the list stays, stale, until the grace period is over. */
  lost() {
    if (this.#stale) return;
    this.#stale = true;
    this.#timers.after('linger', LINGER, () => {
      this.clear();
      this.#changed();
    });
  }

  clear() {
    this.#timers.clear();
    this.#people.clear();
    this.#count = 0;
  }
}
