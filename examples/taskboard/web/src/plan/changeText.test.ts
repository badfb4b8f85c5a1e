import { expect, test } from 'vitest';
import { plan, task } from '../testing';
import { changeText, summaryText } from './changeText';

const before = plan(task('a', { title: 'Print badges' }));
const updated = (fields: object) => ({
  type: 'task-updated', by: 'ben', seq: 8, data: { task: task('a', { title: 'Print badges', version: 2, ...fields }) },
});

test.each([
  [updated({ status: 'completed' }), 'Ben completed “Print badges”'],
  [updated({ title: 'Print tickets' }), 'Ben renamed “Print badges” to “Print tickets”'],
  [updated({ assignee: 'ada' }), 'Ben gave “Print badges” to Ada'],
  [updated({ notes: 'On card.' }), 'Ben edited the notes of “Print badges”'],
  [updated({ version: 1, status: 'completed' }), null],
  [{ type: 'task-deleted', by: 'who', seq: 8, data: { taskId: 'a' } }, 'Somebody deleted “Print badges”'],
  [{ type: 'task-deleted', by: 'ben', seq: 8, data: { taskId: 'gone' } }, null],
  [{ type: 'members-updated', by: 'ada', seq: 8, data: { members: before.members.slice(0, 1) } }, 'Ada removed Ben from the plan'],
  [{ type: 'progress-updated', by: 'ben', seq: 8, data: {} }, null],
])('%j', (event, want) => {
  expect(changeText(before, event)).toBe(want);
});

test('many changes make one sentence', () => {
  const by = (who: string) => ({ ...updated({}), by: who });
  expect(summaryText(before, [by('ben'), by('ada'), by('ben')])).toBe('Ben and Ada made 3 changes');
});
