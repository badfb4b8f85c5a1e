// A TCP proxy on loopback that can fail the ways networks do.

import { createServer, connect } from 'node:net';
import { once } from 'node:events';

export class Proxy {
  #server;
  #target;
  #pairs = new Set();
  #refusing = false;

  /** @param {string} target the URL of the server behind it */
  constructor(target) {
    this.#target = new URL(target);
  }

  async start() {
    this.#server = createServer((near) => this.#accept(near)).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  #accept(near) {
    if (this.#refusing) return near.destroy();
    const far = connect(this.#target.port, this.#target.hostname);
    const pair = { near, far };
    this.#pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const [a, b] of [
      [near, far],
      [far, near],
    ]) {
      a.on('error', () => {});
      a.on('close', () => {
        b.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  /** From now on no connection that is open carries a byte, or ends. New ones work. */
  silence() {
    for (const { near, far } of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
      near.pause();
      far.pause();
    }
  }

  /** Breaks all connections, and refuses new ones until {@link Proxy.restore}. */
  cut() {
    this.#refusing = true;
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  restore() {
    this.#refusing = false;
  }

  async stop() {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
