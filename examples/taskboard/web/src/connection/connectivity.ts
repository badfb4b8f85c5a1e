// When changes are held back, and when they are sent.
//
// TanStack Query pauses changes while it believes to be offline. The browser's own notion of that is whether there is any network; a server that
// is away it does not notice. So a request without an answer counts as well, unless the live connection stands; and the live connection,
// which tries to come back all the time, tells when it is over.

import { onlineManager } from '@tanstack/react-query';
import type { Client } from 'planrooms';

const TRY_AGAIN = 15_000; // where only the live connection can't be made, changes are to go out all the same

export class Connectivity {
  #client: Client;
  #timer: ReturnType<typeof setTimeout> | undefined;

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

  /** To be called when a request got no answer. */
  unanswered(): void {
    if (this.#client.state === 'connected') return;
    onlineManager.setOnline(false);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#online(), TRY_AGAIN);
  }

  #online(): void {
    clearTimeout(this.#timer);
    onlineManager.setOnline(navigator.onLine);
  }
}
