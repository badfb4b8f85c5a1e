// Builds the servers once for all tests.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const examples = new URL('..', import.meta.url);
export const binaries = new URL('test-results/bin/', import.meta.url);

export default function build() {
  mkdirSync(binaries, { recursive: true });
  for (const [name, path] of [
    ['quickstart', 'quickstart/'],
    ['taskboard', 'taskboard/'],
    ['cluster', 'cluster/'],
    ['host', 'e2e/host/'],
  ]) {
    const folder = new URL(path, examples);
    if (!existsSync(folder)) throw new Error(`no example ${name}`);
    execFileSync('go', ['build', '-buildvcs=false', '-o', fileURLToPath(new URL(name, binaries)), '.'], {
      cwd: folder,
      stdio: 'inherit',
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
