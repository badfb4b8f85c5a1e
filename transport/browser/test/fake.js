// Fake sockets: they are kept, and a test decides what each receives.

import { afterEach, beforeEach, vi } from 'vitest';

/** @type {FakeSocket[]} */
export let sockets = [];

export class FakeSocket {
  sent = [];
  closed = null; // the code the client closed with

  constructor(url, protocols) {
    if (FakeSocket.refuse) throw new DOMException('refused', 'SecurityError');
    this.url = new URL(url);
    this.protocols = protocols;
    sockets.push(this);
  }

  send(text) {
    const message = JSON.parse(text);
    this.sent.push(message);
    if (FakeSocket.pongs && message.type === 'ping') queueMicrotask(() => this.say({ type: 'pong' }));
  }

  close(code) {
    this.closed ??= code;
  }

  // --- what the server does ---

  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
    return this;
  }

  hello(userId = 'ann') {
    this.say({
      type: 'pong',
      data: {
        userId,
        connected: true,
        timestamp: new Date(Date.now() + FakeSocket.skew).toISOString(),
        connectionId: 'c1',
        clientId: 'c1',
        protocol: 1,
      },
    });
    return this;
  }

  end(code, goodbye) {
    if (goodbye)
      this.say({
        type: 'goodbye',
        data: { code, reason: 'as the server says', reconnect: true, reauth: false, retryAfterMs: 0, ...goodbye },
      });
    this.onclose?.({ code, reason: 'as the close frame says' });
  }

  answer(
    planId,
    seq,
    { recovered = false, epoch = 'e1', participants = [], participantCount = participants.length } = {},
  ) {
    this.say({
      type: 'join-plan',
      planId,
      timestamp: new Date().toISOString(),
      data: { success: true, participantCount, participants, position: { epoch, seq }, recovered },
    });
    return this;
  }

  event(planId, seq, prev, extra = {}) {
    this.say({
      type: 'task-updated',
      planId,
      timestamp: new Date().toISOString(),
      data: { task: { id: `t${seq}` } },
      seq,
      prev,
      ...extra,
    });
    return this;
  }

  resync(planId, seq, data = {}) {
    this.say({ type: 'resync', planId, data: { position: { epoch: 'e1', seq }, reason: 'missed', ...data } });
    return this;
  }

  /** What was sent of a type. */
  of(type) {
    return this.sent.filter((m) => m.type === type);
  }

  token() {
    const encoded = this.protocols[1].replace('base64url.bearer.planrooms.', '');
    return atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
  }
}

/** Waits for promises and timers that are due; the clock stands still. */
export const settled = () => vi.advanceTimersByTimeAsync(0);

export const last = () => sockets.at(-1);

/** A token that ends in so many seconds, by the clock of the server. */
export const jwt = (seconds) =>
  `h.${btoa(JSON.stringify({ exp: (Date.now() + FakeSocket.skew) / 1000 + seconds })).replaceAll('=', '')}.s`;

export function useFakes() {
  beforeEach(() => {
    sockets = [];
    FakeSocket.skew = 0;
    FakeSocket.refuse = false;
    FakeSocket.pongs = false; // true: pings are answered
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5); // of the back-off
    vi.stubGlobal('WebSocket', FakeSocket);
    vi.stubGlobal('location', new URL('https://app.test/page'));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}
