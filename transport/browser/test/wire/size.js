// Says how much the client weighs on the way to a browser, gzipped file by file as it is served, and fails above the limits.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budgets = [
  { files: ['planrooms.js', 'connection.js', 'plan.js'], limit: 6 * 1024 },
  { files: ['react.js'], limit: 3 * 1024 },
];

const gzipped = (file) => gzipSync(readFileSync(new URL(`../../${file}`, import.meta.url)), { level: 9 }).length;

for (const { files, limit } of budgets) {
  const bytes = files.reduce((sum, file) => sum + gzipped(file), 0);
  console.log(`${files.join(' + ')}: ${bytes} of ${limit} bytes gzipped`);
  if (bytes > limit) process.exitCode = 1;
}
