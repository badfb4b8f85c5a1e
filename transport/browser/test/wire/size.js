// Says how much the client weighs on the way to a browser, gzipped file by file as it is served, and fails above the limits.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const text = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** A module with those that it imports, but for the ones that are there already. */
function loaded(file, before = new Set()) {
  if (before.has(file)) return [];
  before.add(file);
  const imports = [...text(file).matchAll(/^(?:import|export)\b[^'"]*['"]\.\/([\w-]+\.js)['"]/gm)].map((match) => match[1]);
  return [file, ...imports.flatMap((imported) => loaded(imported, before))];
}

const client = loaded('planrooms.js');
const react = loaded('react.js', new Set(client));

for (const [files, limit] of [[client, 6 * 1024], [react, 3 * 1024]]) {
  const bytes = files.reduce((sum, file) => sum + gzipSync(text(file), { level: 9 }).length, 0);
  console.log(`${files.join(' + ')}: ${bytes} of ${limit} bytes gzipped`);
  if (bytes > limit) process.exitCode = 1;
}
