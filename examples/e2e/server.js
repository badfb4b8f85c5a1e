// A server under test: one of the examples, as a process.

import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { binaries } from './build.js';

const HOST = '127.0.0.1';

export class Server {
  url = '';

  #name;
  #args;
  #env;
  #process;
  #exited;
  #log = [];

  constructor(name, { args = [], env = {} } = {}) {
    this.#name = name;
    this.#args = args;
    this.#env = env;
  }

  /** Starts it, the second time where it was the first time. */
  async start() {
    const address = this.url ? new URL(this.url).host : `${HOST}:0`;
    this.#process = spawn(fileURLToPath(new URL(this.#name, binaries)), ['-addr', address, ...this.#args], {
      env: { ...process.env, ...this.#env },
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? code));
    });
    this.#process.stderr.on('data', (b) => this.#log.push(String(b)));
    const lines = createInterface({ input: this.#process.stdout });
    const first = await Promise.race([
      new Promise((resolve) => {
        lines.once('line', resolve);
      }),
      this.#exited.then((status) => {
        throw new Error(`${this.#name} ended with ${status}: ${this.#log.join('')}`);
      }),
    ]);
    const [, url] = /^listening on (http:\S+)$/.exec(first) ?? [];
    if (!url) throw new Error(`${this.#name} said ${first}`);
    this.url = url;
    return this;
  }

  /** Has it drain and end, and returns its exit status. */
  stop() {
    this.#process.kill('SIGTERM');
    return this.#exited;
  }

  /** Ends it without a word. */
  kill() {
    this.#process.kill('SIGKILL');
    return this.#exited;
  }

  get log() {
    return this.#log.join('');
  }
}

/** The path of a fresh RSA key in folder, so that the tokens of a quickstart outlive it. */
export function signingKey(folder) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const path = join(folder, 'key.pem');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return path;
}
