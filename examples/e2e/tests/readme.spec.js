// The program of examples/minimal, in a separate module, in a browser.

import { spawn, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const root = fileURLToPath(new URL('../../..', import.meta.url));

// build builds the program as a reader does, but with this working tree.
function build(folder) {
  const program = readFileSync(join(root, 'examples/minimal/main.go'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'main.go'), program);
  const { Go, Require } = JSON.parse(execFileSync('go', ['mod', 'edit', '-json'], { cwd: root }));
  writeFileSync(
    join(folder, 'go.mod'),
    [
      'module live',
      `go ${Go}`,
      'require github.com/planrooms/planrooms v0.0.0',
      `replace github.com/planrooms/planrooms => ${root}`,
      ...Require.map((r) => `require ${r.Path} ${r.Version} // indirect`),
      '',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'go.sum'), readFileSync(join(root, 'go.sum')));
  execFileSync('go', ['build', '-mod=mod', '-buildvcs=false', '-o', 'live', '.'], { cwd: folder, stdio: 'inherit' });
  return join(folder, 'live');
}

// start runs the program, and returns the links that it prints, by user.
async function start(file, addr) {
  const program = spawn(file, ['-addr', addr]);
  const ended = new Promise((resolve) => {
    program.once('exit', resolve);
  });
  const links = {};
  for await (const line of createInterface({ input: program.stdout })) {
    const [, user, link] = /^(\w+): (http:\S+)$/.exec(line);
    links[user] = link;
    if (user === 'mallory') break;
  }
  return {
    links,
    stop: () => {
      program.kill('SIGTERM');
      return ended;
    },
  };
}

test('works as its README says', async ({ context }, info) => {
  test.setTimeout(180_000); // it is compiled first
  const file = build(info.outputPath('live'));
  let { links, stop } = await start(file, '127.0.0.1:0');
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
  await expect(bob.said).toContainText(
    '{"type":"task-updated","planId":"demo","data":{"task":{"id":"milk","done":true}}',
  );
  await expect(ann.said).not.toContainText('task-updated');
  await expect(mallory.said).toContainText('forbidden');
  await expect(mallory.said).not.toContainText('milk');

  expect(await stop()).toBe(0);
  await expect(bob.page).toHaveTitle(/^(waiting|connecting), /);

  // The next process has a new secret: the pages say why they have stopped, and what to do.
  ({ links, stop } = await start(file, new URL(links.bob).host));
  for (const { page } of [ann, bob]) {
    await expect(page).toHaveTitle(/^stopped, /, { timeout: 60_000 });
    const status = page.getByRole('status');
    await expect(status).toHaveText(/^Stopped: .*token.*\. Log in again: open a new link of the program\.$/);
  }
  await bob.page.evaluate((link) => {
    location.href = link;
  }, links.bob); // in the same tab
  await bob.live();
  await expect(bob.page.getByRole('status')).toBeEmpty();
  expect(await stop()).toBe(0);
});
