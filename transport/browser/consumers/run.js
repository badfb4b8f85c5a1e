// Packs the npm package and uses it the way other people's projects do: with their bundlers, type
// checkers and test runners, and against a real server.
//
//   npm ci && npm test             all
//   npm test -- vite next          only these
//
// `npm ci` installs the tools. The packed package is added to them by this program.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const browserFolder = join(here, '..');
const root = join(here, '../../..');
const bin = join(here, 'node_modules/.bin');
/** How many consumers run at a time: most of them wait for one process after another. */
const AT_ONCE = 2;

const scratch = mkdtempSync(join(tmpdir(), 'planrooms-consumers-'));

const consumers = {
  // First: it takes longest.
  next: async (folder) => {
    await run(folder, join(bin, 'next'), ['build', folder], { NEXT_TELEMETRY_DISABLED: '1' });
    for (const leftover of ['.next', 'next-env.d.ts']) rmSync(join(folder, leftover), { recursive: true, force: true });
  },
  publint: () => run(here, join(bin, 'publint'), ['--strict', join(here, 'node_modules/planrooms')]),
  attw,
  typescript: (folder) => run(folder, join(bin, 'tsc'), ['-p', folder]),
  vite: async (folder) => {
    await run(folder, join(bin, 'tsc'), ['-p', folder]);
    await vite(folder);
  },
  webpack: async (folder) => {
    await run(folder, join(bin, 'webpack'), [
      '--config',
      join(folder, 'webpack.config.js'),
      '--output-path',
      join(scratch, 'webpack'),
    ]);
    contains(join(scratch, 'webpack'));
  },
  esbuild: async (folder) => {
    const out = join(scratch, 'esbuild');
    await run(folder, join(bin, 'esbuild'), [join(folder, 'main.js'), '--bundle', '--minify', `--outdir=${out}`]);
    contains(out);
  },
  jest: (folder) =>
    run(folder, join(bin, 'jest'), ['--rootDir', folder], { NODE_OPTIONS: '--experimental-vm-modules' }),
  vitest: (folder) => run(folder, join(bin, 'vitest'), ['run', '--root', folder]),
  worker: (folder) => vite(folder),
  vue: async (folder) => {
    await run(folder, join(bin, 'vue-tsc'), ['-p', folder]);
    await vite(folder);
  },
  node: (folder) => besideQuickstart(folder),
  devserver: (folder) => besideQuickstart(folder),
};

/** Runs a program, and throws what it wrote if it fails. */
async function run(cwd, command, args, env = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, CI: '1', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (b) => {
      output += b;
    });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${signal ?? code}\n${output}`);
  return output;
}

/** Runs main.js of a folder with the address of a quickstart. */
async function besideQuickstart(folder) {
  const server = await quickstart();
  try {
    await run(folder, process.execPath, [join(folder, 'main.js'), server.url]);
  } finally {
    server.process.kill('SIGTERM');
    await server.exited;
  }
}

async function vite(folder) {
  const out = join(scratch, folder.split('/').at(-1));
  await run(folder, join(bin, 'vite'), ['build', folder, '--outDir', out]);
  contains(out);
}

/** Fails unless a bundle has the client in it. */
function contains(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js'));
  if (!files.some((name) => readFileSync(join(folder, name), 'utf8').includes('planrooms.v1')))
    throw new Error(`${folder}: the client is not in ${files}`);
}

// The package has ES modules only. "node10" is the module resolution of TypeScript before 4.7,
// which does not read `exports`; "cjs-resolves-to-esm" says that `require` gets an ES module, which
// Node can load since 20.19 and 22.12.
function attw() {
  return run(here, join(bin, 'attw'), [join(scratch, tarball), '--profile', 'esm-only']);
}

/** Starts examples/quickstart on a free port. */
async function quickstart() {
  const binary = join(scratch, 'quickstart');
  await run(root, 'go', ['build', '-buildvcs=false', '-o', binary, './examples/quickstart']);
  const child = spawn(binary, ['-addr', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited]);
  const [, url] = /^listening on (http:\S+)$/.exec(first[0]) ?? [];
  if (!url) throw new Error(`quickstart said ${first[0]}`);
  return { url, process: child, exited };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in consumers));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are: ${Object.keys(consumers).join(', ')}`);
  process.exit(2);
}

let tarball = '';
try {
  [{ filename: tarball }] = JSON.parse(
    await run(browserFolder, 'npm', ['pack', '--json', '--pack-destination', scratch]),
  );
  await run(here, 'npm', [
    'install',
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    join(scratch, tarball),
  ]);
  const left = Object.entries(consumers).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [name, use] = next;
      const start = performance.now();
      await use(join(here, name));
      console.log(`${name.padEnd(12)} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
