/**
 * Lies about sorted sets and lists under right checksums, one by one: `verify()` tells of each.
 */
import type { Database } from 'mneme';
import { expect, test } from 'vitest';
import { problemsAfterLie } from './lies.js';
import type { Cell, Part } from './sealed-file.js';

/** One set and one list of three each. */
function fill(database: Database): void {
  const keyspace = database.keyspace('a');
  keyspace.sortedSet('set').add(1, 'one', 2, 'two', 3, 'three');
  keyspace.list('list').rpush('first', 'second', 'third');
}

function problemsAfter(
  owner: Part['owner'],
  entry: number,
  change: (file: Buffer, cell: Cell) => void,
): string[] {
  return problemsAfterLie(fill, { owner, entry, change });
}

test('a file that nobody changed has no problems', () => {
  expect(problemsAfter('members', 0, () => undefined)).toEqual([]);
});

test('a member with another score than in the order by score', () => {
  const problems = problemsAfter('members', 1, (file, { valueAt }) => {
    file.writeDoubleLE(7, valueAt);
  });
  expect(problems).toEqual(['a member has another score than in the order by score']);
});

test.each([Number.NaN, -0])('a member with the score %s', (score) => {
  const problems = problemsAfter('members', 1, (file, { valueAt }) => {
    file.writeDoubleLE(score, valueAt);
  });
  expect(problems).toEqual(['a member is stored as none is']);
});

test('a name that leads to no members, and members that have no name', () => {
  const problems = problemsAfter('names', 0, (file, { valueAt }) => {
    file.writeUInt8(9, valueAt + 7);
  });
  expect(problems).toEqual([
    'a sorted set has no members',
    'an id was never given',
    'members belong to no sorted set',
  ]);
});

test('a list that lacks an element, and an element that has no list', () => {
  const tail = (to: number) => (file: Buffer, cell: Cell) => file.writeUInt8(to, cell.valueAt + 23);
  expect(problemsAfter('names', 1, (file, cell) => void tail(4)(file, cell))).toEqual([
    'a list lacks an element',
  ]);
  expect(problemsAfter('names', 1, (file, cell) => void tail(2)(file, cell))).toEqual([
    'elements belong to no list',
  ]);
});

test('one id for two names', () => {
  const problems = problemsAfter('names', 1, (file, { valueAt }) => {
    file.writeUInt8(1, valueAt + 7);
  });
  expect(problems).toContain('an id is given twice');
});

test('an element with a deadline', () => {
  const problems = problemsAfter('elements', 0, (file, { valueAt }) => {
    file.writeUInt8(file.readUInt8(valueAt) | 16, valueAt);
    file.writeUInt8(1, valueAt + 1);
  });
  expect(problems).toEqual(['an element of a list has a deadline']);
});
