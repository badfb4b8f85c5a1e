// @vitest-environment jsdom
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { act, cleanup, render, screen } from '@testing-library/react';
import { createElement } from 'react';
import { expect, it, vi } from 'vitest';
import { last, useFakes } from './fake.js';
import { App, host, queryClient } from './readme.jsx';

useFakes();

const text = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url).href), 'utf8');

it.each(['../../../README.md', '../README.md'])('%s has lines of readme.jsx', (path) => {
  const blocks = [...text(path).matchAll(/^```jsx\n(.*?)^```/gms)].map((m) => m[1]);
  expect(blocks.length).toBe(1);
  expect(text('readme.jsx')).toContain(blocks[0]);
});

it('the README has the first lines of the package README', () => {
  const [, block] = /^```js\n(.*?)^```/ms.exec(text('../../../README.md'));
  expect(text('../README.md')).toContain(block);
});

it('the first lines of the package README are those that a consumer compiles as strict TypeScript', () => {
  const [, block] = /^```js\n(.*?)^```/ms.exec(text('../README.md'));
  const [first, ...rest] = block.split('\n');
  const compiled = text('../consumers/vite/readme.ts');
  expect(compiled).toContain(first);
  expect(compiled).toContain(rest.join('\n'));
});

it('the other blocks of the package README are compiled or run by a consumer', () => {
  const plain = (lines) => lines.replaceAll(/^ +/gm, '');
  const compiled = plain(text('../consumers/vite/readme.ts'));
  const [, ...blocks] = [...text('../README.md').matchAll(/^```js\n(.*?)^```/gms)].map((m) => m[1]);
  const others = blocks.filter((block) => !block.startsWith('import { WebSocket }')); // consumers/node runs it
  expect(others.length).toBe(blocks.length - 1);
  for (const block of others) {
    const imports = block.match(/^import .*$/gm) ?? [];
    for (const line of imports) expect(compiled).toContain(line);
    expect(compiled).toContain(plain(block.replaceAll(/^import .*\n\n?/gm, '')));
  }
});

it('the first lines work as the package README says', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  host.fetchTasks = vi.fn(async () => [{ id: 't1', title: 'Milk' }]);
  render(createElement(App));
  await act(() => vi.advanceTimersByTimeAsync(0));
  await act(async () =>
    last()
      .hello()
      .answer('demo', 1, { participants: [{ userId: 'ann', userName: 'Ann', connections: 1 }] }),
  );
  await act(() => vi.advanceTimersByTimeAsync(0));
  expect(screen.getByRole('region', { name: 'Live, 1 here' }).textContent).toBe('Milk');

  host.fetchTasks.mockClear();
  await act(async () => last().say({ type: 'task-deleted', planId: 'demo', data: { taskId: 't1' }, seq: 2, prev: 1 }));
  expect(log).toHaveBeenCalledWith('t1 is gone');
  await act(() => vi.advanceTimersByTimeAsync(250));
  expect(host.fetchTasks).toHaveBeenCalledTimes(1);
  cleanup();
  queryClient.clear();
});
