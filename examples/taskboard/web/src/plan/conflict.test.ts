import { expect, test } from 'vitest';
import { task } from '../testing';
import { differences, joined, outcomeOf } from './conflict';

const base = task('a', { title: 'Old' });

test.each([
  ['others changed another field', { title: 'Mine' }, { status: 'completed' }, 'merge'],
  ['others changed the same', { title: 'Mine' }, { title: 'Theirs' }, 'conflict'],
  ['others changed the same to the same', { title: 'Mine' }, { title: 'Mine' }, 'done'],
  ['others changed it and back', { title: 'Mine' }, {}, 'merge'],
  ['one of two fields is disputed', { title: 'Mine', notes: 'mine' }, { notes: 'theirs' }, 'conflict'],
] as const)('%s', (_, mine, theirs, want) => {
  expect(outcomeOf(base, mine, { ...base, ...theirs, version: 2 })).toBe(want);
});

test('a second conflict keeps the fields of the first', () => {
  const both = joined(
    { kind: 'update', taskId: 'a', mine: { title: 'Mine' } },
    { kind: 'update', taskId: 'a', mine: { notes: 'mine' } },
  );
  expect(both).toEqual({ kind: 'update', taskId: 'a', mine: { title: 'Mine', notes: 'mine' } });
  expect(differences({ title: 'Mine', notes: 'mine' }, task('a', { title: 'Mine' }))).toEqual(['notes']);
});
