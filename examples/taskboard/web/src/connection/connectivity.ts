// Decides when changes are held back, and when they are sent.
//
// TanStack Query pauses changes while it considers the page offline. The browser reports only
// whether there is a network, not whether the server answers. So a request without an answer
// counts as offline too, until the live connection, which keeps trying to reconnect, is back.
// While the live connection stands, a change is sent ATTEMPTS times, so that it does not hold up
// the changes after it.

import { onlineManager } from '@tanstack/react-query';
import type { Client } from 'planrooms';

const TRY_AGAIN = 15_000; // for networks in which only the live connection fails
const ATTEMPTS = 2;

export class Connectivity {
  #client: Client;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = new Map<string, number>(); // by mutation ID

  constructor(client: Client) {
    this.#client = client;
  }

  /** Follows the live connection until the returned function is called. */
  watch(): () => void {
    const off = this.#client.on('change', () => {
      if (this.#client.state === 'connected') this.#online();
    });
    return () => {
      off();
      this.#online();
    };
  }

  /** Call it when a change got no answer. It reports whether to give the change up. */
  unanswered(mutationId: string): boolean {
    if (this.#client.state === 'connected') {
      const attempts = (this.#attempts.get(mutationId) ?? 0) + 1;
      this.#attempts.set(mutationId, attempts);
      return attempts >= ATTEMPTS;
    }
    onlineManager.setOnline(false);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#online(), TRY_AGAIN);
    return false;
  }

  /** Call it when a change has succeeded or failed. */
  settled(mutationId: string): void {
    this.#attempts.delete(mutationId);
  }

  #online(): void {
    clearTimeout(this.#timer);
    onlineManager.setOnline(navigator.onLine);
  }
}
