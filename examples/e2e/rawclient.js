// A WebSocket client on a bare socket, which can stop to read and break off, as no client of a
// browser can.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** Logs in at the host as a user, and returns the cookie. */
export async function cookieOf(server, user) {
  const response = await fetch(`${server.url}/login`, { method: 'POST', body: JSON.stringify({ user }) });
  return response.headers.get('Set-Cookie').split(';')[0];
}

// framed is a text message of a client as one frame: masked, and shorter than 64 KiB.
function framed(text) {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, mask, payload.map((b, i) => b ^ mask[i % 4])]);
}

export class RawClient {
  messages = [];

  #socket;
  #bytes = Buffer.alloc(0);
  #upgraded = false;
  #waiting = [];
  #ended = null;

  /** Connects and waits for the greeting. */
  static async open(server, cookie, clientId) {
    const c = new RawClient();
    const { hostname, port } = new URL(server.url);
    c.#socket = connect({ host: hostname, port: Number(port) });
    c.#socket.on('error', () => {});
    c.#socket.on('close', () => c.#fail(new Error('the connection is closed')));
    c.#socket.on('data', (b) => c.#read(b));
    c.#socket.write(
      `GET /ws?client=${clientId} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: planrooms.v1\r\nOrigin: ${server.url}\r\nCookie: ${cookie}\r\n\r\n`,
    );
    await c.until((m) => m.type === 'pong');
    return c;
  }

  send(message) {
    this.#socket.write(framed(JSON.stringify(message)));
  }

  /** Joins a plan and waits for the answer, whose position it returns. */
  async join(planId, since) {
    this.messages = [];
    this.send({ type: 'join-plan', planId, ...(since && { since }) });
    return (await this.until((m) => m.type === 'join-plan')).data.position;
  }

  /** Waits for a message. */
  until(fits) {
    const found = this.messages.find(fits);
    if (found) return Promise.resolve(found);
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ fits, resolve, reject });
    });
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  /** Breaks off without a close frame. */
  cut() {
    this.#socket.resetAndDestroy();
  }

  #fail(error) {
    this.#ended = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }

  #read(b) {
    this.#bytes = Buffer.concat([this.#bytes, b]);
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#bytes.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(this.#bytes.toString());
      this.#upgraded = true;
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    for (let frame = this.#frame(); frame; frame = this.#frame()) {
      if (frame.opcode !== 1) continue;
      const message = JSON.parse(frame.payload);
      this.messages.push(message);
      this.#waiting = this.#waiting.filter(({ fits, resolve }) => !fits(message) || void resolve(message));
    }
  }

  // Takes one frame of the server, which are neither masked nor fragmented.
  #frame() {
    const b = this.#bytes;
    if (b.length < 2) return null;
    let length = b[1];
    let head = 2;
    if (length === 126) [length, head] = [b.length < 4 ? Infinity : b.readUInt16BE(2), 4];
    else if (length === 127) [length, head] = [b.length < 10 ? Infinity : Number(b.readBigUInt64BE(2)), 10];
    if (b.length < head + length) return null;
    this.#bytes = b.subarray(head + length);
    return { opcode: b[0] & 15, payload: b.subarray(head, head + length).toString() };
  }
}
