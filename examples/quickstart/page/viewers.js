// Fifty more people who look at the plan: sockets that join, count what they hear, and show nothing. A user can have 20 connections,
// so they are spread over the three members.

import { randomId, Session } from './api.js';
import { openSocket } from './client.js';

export class Viewers {
  live = 0;
  refused = 0;
  refusal = 0; // the close code of the last one
  heard = 0; // events, by all of them together

  #sockets = new Set();
  #planId;
  #changed;

  constructor(planId, changed) {
    this.#planId = planId;
    this.#changed = changed;
  }

  get open() {
    return this.#sockets.size > 0;
  }

  async add(count, users) {
    const sessions = users.map((user) => new Session(user));
    await Promise.all(sessions.map((s) => s.login('8h')));
    for (let i = 0; i < count; i++) this.#add(sessions[i % sessions.length].token);
    this.#changed();
  }

  #add(token) {
    const socket = openSocket(randomId(), token);
    this.#sockets.add(socket);
    let joined = false;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'pong' && message.data?.connected) {
        socket.send(JSON.stringify({ type: 'join-plan', planId: this.#planId }));
      } else if (message.type === 'join-plan' && message.data.success) {
        joined = true;
        this.live++;
      } else if (message.seq > 0) {
        this.heard++;
      }
      this.#changed();
    };
    socket.onclose = ({ code }) => {
      if (!this.#sockets.delete(socket)) return;
      if (joined) {
        this.live--;
      } else {
        this.refused++;
        this.refusal = code;
      }
      this.#changed();
    };
  }

  close() {
    const sockets = this.#sockets;
    this.#sockets = new Set();
    this.live = this.refused = this.heard = 0;
    for (const socket of sockets) {
      socket.onmessage = null;
      socket.close();
    }
    this.#changed();
  }
}
