import { expect, test } from 'vitest';
import { plan, task } from '../testing';
import { changeText, summaryText } from './changeText';

const before = plan(task('a', { title: 'Print badges' }));
const updated = (fields: object) => ({
  type: 'task-updated',
  by: 'ben',
  seq: 8,
  prev: 7,
  data: { task: task('a', { title: 'Print badges', version: 2, ...fields }) },
});

// Without the characters that isolate names and titles.
const bare = (text: string | null) => text?.replace(/[\u2068\u2069]/g, '') ?? null;

test.each([
  [updated({ status: 'completed' }), 'Ben completed “Print badges”'],
  [updated({ title: 'Print tickets' }), 'Ben renamed “Print badges” to “Print tickets”'],
  [updated({ assignee: 'ada' }), 'Ben assigned “Print badges” to Ada'],
  [updated({ notes: 'On card.' }), 'Ben edited the notes of “Print badges”'],
  [updated({ version: 1, status: 'completed' }), null],
  [{ type: 'task-deleted', by: 'who', seq: 8, prev: 7, data: { taskId: 'a' } }, 'Another user deleted “Print badges”'],
  [{ type: 'task-deleted', by: 'ben', seq: 8, prev: 7, data: { taskId: 'gone' } }, null],
  [
    { type: 'members-updated', by: 'ada', seq: 8, prev: 7, data: { members: before.members.slice(0, 1) } },
    'Ada removed Ben from the plan',
  ],
  [
    { type: 'members-updated', by: 'ben', seq: 8, prev: 7, data: { members: before.members.slice(0, 1) } },
    'Ben left the plan',
  ],
  [
    {
      type: 'members-updated',
      by: 'cleo',
      seq: 8,
      prev: 7,
      data: { members: [...before.members, { userId: 'cleo', name: 'Cleo', role: 'viewer' }] },
    },
    'Cleo joined the plan',
  ],
  [{ type: 'plan-updated', by: 'ada', seq: 8, prev: 7, data: { title: 'Launch' } }, 'Ada renamed the plan to “Launch”'],
  [{ type: 'progress-updated', by: 'ben', seq: 8, prev: 7, data: {} }, null],
])('%j', (event, want) => {
  expect(bare(changeText(before, event))).toBe(want);
});

test('many changes are announced in one sentence', () => {
  const by = (who: string) => ({ ...updated({}), by: who });
  expect(bare(summaryText(before, [by('ben'), by('ada'), by('ben')]))).toBe('Ben and Ada made 3 changes');
});

test('a name or title cannot reverse the words of the message', () => {
  const evil = plan(task('a', { title: 'x\u202E\u2069' }));
  const renamed = { ...evil, members: evil.members.map((m) => ({ ...m, name: '\u202Enairb' })) };
  expect(changeText(renamed, { type: 'task-deleted', by: 'ben', seq: 8, prev: 7, data: { taskId: 'a' } })).toBe(
    '\u2068nairb\u2069 deleted “\u2068x\u2069”',
  );
});
