import { expect, test } from 'vitest';
import { task } from '../testing';
import type { Change } from './change';
import { visibleTasks } from './pendingChanges';

const confirmed = [task('a'), task('b'), task('c')];
const shown = (...changes: Change[]) =>
  visibleTasks(confirmed, changes)
    .map(({ title, pending, unborn }) => title + (unborn ? '?' : pending ? '*' : ''))
    .join(' ');

test('pending changes are applied to the confirmed plan in order', () => {
  const rename = (title: string): Change => ({ mutationId: title, kind: 'update', base: task('b'), fields: { title } });
  expect(shown(rename('B'), rename('BB'))).toBe('a BB* c');
  expect(
    shown({ mutationId: 'm', kind: 'delete', base: task('a') }, { mutationId: 'n', kind: 'create', title: 'new' }),
  ).toBe('b c new?');
  expect(shown({ mutationId: 'm', kind: 'move', taskId: 'c', title: 'c', after: null })).toBe('c a b');
});

test('changes of a deleted task have no effect', () => {
  const gone: Change[] = [
    { mutationId: 'm', kind: 'update', base: task('x'), fields: { title: 'X' } },
    { mutationId: 'n', kind: 'move', taskId: 'a', title: 'a', after: 'x' },
  ];
  expect(shown(...gone)).toBe('a b c');
});

test('a task that is being restored appears in its previous place', () => {
  const restore = (after: string | null): Change => ({ mutationId: 'm', kind: 'restore', base: task('x'), after });
  expect(shown(restore('a'))).toBe('a x? b c');
  expect(shown(restore(null))).toBe('x? a b c');
  expect(shown({ mutationId: 'm', kind: 'restore', base: task('b'), after: null })).toBe('a b c');
});

test('removing a pending change restores the previous plan without a rollback', () => {
  shown({ mutationId: 'm', kind: 'update', base: task('a'), fields: { status: 'completed' } });
  expect(confirmed).toEqual([task('a'), task('b'), task('c')]);
});
