// The program of the README, in a module of its own, in a browser.

import { spawn, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const root = fileURLToPath(new URL('../../..', import.meta.url));

// build makes the program as its reader would, but of this working tree.
function build(folder) {
  const [, program] = /^```go\n(\/\/ [^\n]*\npackage main\n.*?)^```/ms.exec(readFileSync(join(root, 'README.md'), 'utf8'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'main.go'), program);
  const { Go, Require } = JSON.parse(execFileSync('go', ['mod', 'edit', '-json'], { cwd: root }));
  writeFileSync(join(folder, 'go.mod'), [
    'module live', `go ${Go}`, 'require github.com/planrooms/planrooms v0.0.0', `replace github.com/planrooms/planrooms => ${root}`,
    ...Require.map((r) => `require ${r.Path} ${r.Version} // indirect`), '',
  ].join('\n'));
  writeFileSync(join(folder, 'go.sum'), readFileSync(join(root, 'go.sum')));
  execFileSync('go', ['build', '-mod=mod', '-buildvcs=false', '-o', 'live', '.'], { cwd: folder, stdio: 'inherit' });
  return join(folder, 'live');
}

test('does what the README says', async ({ context }, info) => {
  test.setTimeout(180_000); // it is compiled first
  const program = spawn(build(info.outputPath('live')), ['-addr', '127.0.0.1:0']);
  const ended = new Promise((resolve) => { program.once('exit', resolve); });
  const links = {};
  for await (const line of createInterface({ input: program.stdout })) {
    const [, user, link] = /^(\w+): (http:\S+)$/.exec(line);
    links[user] = link;
    if (user === 'mallory') break;
  }
  const open = async (user) => {
    const page = await context.newPage();
    await page.goto(links[user]);
    return { page, said: page.locator('pre'), live: () => expect(page).toHaveTitle(/^live, /) };
  };
  const [ann, bob, mallory] = [await open('ann'), await open('bob'), await open('mallory')];
  await Promise.all([ann.live(), bob.live(), expect(mallory.page).toHaveTitle(/^denied, /)]);
  await expect(ann.page).toHaveTitle('live, 2 here');

  await ann.page.getByRole('button').click();
  await expect(ann.said).toContainText('"type":"receipt"');
  await expect(bob.said).toContainText('{"type":"task-updated","planId":"demo","data":{"task":{"id":"milk","done":true}}');
  await expect(ann.said).not.toContainText('task-updated');
  await expect(mallory.said).toContainText('forbidden');
  await expect(mallory.said).not.toContainText('milk');

  program.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect(bob.page).toHaveTitle(/^(waiting|connecting), /);
});
