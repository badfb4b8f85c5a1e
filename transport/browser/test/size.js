// Prints the gzipped size of each entry, and fails above the limits. The limits apply to the
// minified output of a bundler; modules of the core do not count towards another entry. The size of
// the modules as they are served, with comments, is printed beside it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const folder = new URL('../', import.meta.url);
const gzipped = (text) => gzipSync(text, { level: 9 }).length;

for (const [entry, external, limit] of [
  ['planrooms.js', [], 6 * 1024],
  ['react.js', ['react', './planrooms.js', './presence.js', './timing.js'], 3 * 1024],
  ['patch.js', [], 1024],
  ['position.js', [], 512],
]) {
  const bundle = await rolldown({ input: fileURLToPath(new URL(entry, folder)), external, onLog() {} });
  const {
    output: [chunk],
  } = await bundle.generate({ minify: true, comments: false });
  const bytes = gzipped(chunk.code);
  const served = chunk.moduleIds.reduce((sum, id) => sum + gzipped(readFileSync(id)), 0);
  console.log(
    `${entry}: ${bytes} of ${limit} bytes, minified and gzipped; ${served} as ${chunk.moduleIds.length} modules, gzipped`,
  );
  if (bytes > limit) process.exitCode = 1;
}
