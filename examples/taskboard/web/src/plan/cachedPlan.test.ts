import { expect, test } from 'vitest';
import type { PlanDetail } from '../taskboard';
import { plan, task } from '../testing';
import { at, inOrder, later, moved, patchPlan, type PlanNews } from './cachedPlan';

const titles = (p: { tasks: { title: string }[] } | undefined) => p?.tasks.map(({ title }) => title).join(' ');

function afterEvent(before: PlanDetail, event: PlanNews): PlanDetail {
  const after = patchPlan(before, event);
  if (!after) throw new Error('the plan has to be fetched');
  return after;
}

test('events change the plan and its position', () => {
  const before = plan(task('a'), task('b'), task('c'));
  expect(titles(afterEvent(before, { type: 'task-created', data: { task: task('d') }, seq: 8, prev: 7 }))).toBe(
    'a b c d',
  );
  expect(
    titles(
      afterEvent(before, {
        type: 'task-updated',
        data: { task: task('b', { version: 2, title: 'B' }) },
        seq: 8,
        prev: 7,
      }),
    ),
  ).toBe('a B c');
  expect(titles(afterEvent(before, { type: 'task-deleted', data: { taskId: 'b' }, seq: 8, prev: 7 }))).toBe('a c');
  expect(titles(afterEvent(before, { type: 'task-reordered', data: { taskIds: ['c', 'a'] }, seq: 8, prev: 7 }))).toBe(
    'c a b',
  );
  expect(afterEvent(before, { type: 'members-updated', data: { members: [] }, seq: 8, prev: 7 })).toEqual({
    ...before,
    members: [],
    position: { epoch: 'e', seq: 8 },
  });
  expect(at(before, { seq: 8, prev: 7 })).toEqual({ ...before, position: { epoch: 'e', seq: 8 } });
});

test('the plan is fetched if an event is not enough', () => {
  const before = plan(task('a'));
  expect(
    patchPlan(before, { type: 'task-updated', data: { task: task('b', { version: 2 }) }, seq: 8, prev: 7 }),
  ).toBeUndefined();
  expect(patchPlan(before, { type: 'task-reordered', data: { taskIds: ['b', 'a'] }, seq: 8, prev: 7 })).toBeUndefined();
  // Added by this page.
  const own = plan(task('a'), task('b', { createdAt: '2026-01-01T00:00:02.000Z' }));
  const earlier = task('c', { createdAt: '2026-01-01T00:00:01.000Z' });
  expect(patchPlan(own, { type: 'task-created', data: { task: earlier }, seq: 8, prev: 7 })).toBeUndefined();
});

test('times are compared as times', () => {
  // The program writes 1.500 s as 1.5.
  const before = plan(task('a', { createdAt: '2026-01-01T00:00:01.5Z' }));
  const next = task('b', { createdAt: '2026-01-01T00:00:01.501Z' });
  expect(titles(afterEvent(before, { type: 'task-created', data: { task: next }, seq: 8, prev: 7 }))).toBe('a b');
});

test('a plan that lacks an event is replaced by the fetched one', () => {
  const before = plan(task('a'));
  expect(
    patchPlan(before, { type: 'task-updated', data: { task: task('b', { version: 2 }) }, seq: 8, prev: 7 }),
  ).toBeUndefined();
  const cached = at(afterEvent(before, { type: 'task-created', data: { task: task('d') }, seq: 9, prev: 8 }), {
    seq: 10,
    prev: 9,
  });
  expect(titles(cached)).toBe('a d');
  const fetched = { ...plan(task('a'), task('b', { version: 2 })), position: { epoch: 'e', seq: 8 } };
  expect(titles(later(fetched, cached))).toBe('a b'); // the library applies the event of d again
});

test('an event that is older than a response does not revert it', () => {
  const before = plan(task('a', { version: 3, title: 'latest' }));
  expect(
    titles(afterEvent(before, { type: 'task-updated', data: { task: task('a', { version: 2 }) }, seq: 8, prev: 7 })),
  ).toBe('latest');
});

test('a fetched plan that is older than the events is dropped', () => {
  const cached = afterEvent(plan(task('a')), { type: 'task-deleted', data: { taskId: 'a' }, seq: 8, prev: 7 });
  expect(later(plan(task('a')), cached)).toBe(cached);
  const restarted = { ...plan(task('a')), position: { epoch: 'another', seq: 0 } };
  expect(titles(later(restarted, cached))).toBe('a');
});

test('the author of the latest change is known as long as it is the latest', () => {
  const cached = afterEvent(plan(task('a')), {
    type: 'task-updated',
    data: { task: task('a', { version: 2 }) },
    by: 'ben',
    seq: 8,
    prev: 7,
  });
  const fetched = (version: number) => ({ ...plan(task('a', { version })), position: { epoch: 'e', seq: 9 } });
  expect(later(fetched(2), cached).tasks[0]?.changedBy).toBe('ben');
  expect(later(fetched(3), cached).tasks[0]?.changedBy).toBeUndefined();
});

test('a move is relative to a task, wherever that task is', () => {
  expect(moved(['a', 'b', 'c'], 'a', 'b')).toEqual(['b', 'a', 'c']);
  expect(moved(['a', 'b', 'c'], 'c', null)).toEqual(['c', 'a', 'b']);
  expect(moved(['a', 'c'], 'c', 'gone')).toEqual(['a', 'c']);
  expect(inOrder([{ id: 'new' }, { id: 'a' }, { id: 'other' }], ['a'])).toEqual([
    { id: 'a' },
    { id: 'new' },
    { id: 'other' },
  ]);
});
