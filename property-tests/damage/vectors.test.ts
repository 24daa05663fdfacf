/**
 * Lies about vectors under right checksums, one by one: `verify()` tells of each, and no search
 * answers by one.
 */
import { type Database, MnemeError } from 'mneme';
import { beforeAll, expect, test } from 'vitest';
import { writeOnThisThread } from './in-one-thread.js';
import { type Lie, problemsAfterLie, withLie } from './lies.js';

const RECORD_DIMENSION = 22;
const RECORD_TREES = 26;
const TREE_BYTES = 33;
const TREE_COUNT = 14;
/** Of the vectors' four trees, the first that a record without others has. */
const SLOTS_TREE = RECORD_TREES;

beforeAll(writeOnThisThread);

function fill(database: Database): void {
  const keyspace = database.keyspace('a');
  keyspace.batch(() => {
    for (const [at, key] of ['east', 'north', 'west'].entries())
      keyspace.vset(key, [at, 1, -at, 2]);
  });
}

function problemsAfter(owner: Lie['owner'], entry: number, change: Lie['change']): string[] {
  return problemsAfterLie(fill, { owner, entry, change });
}

/** What a search in the changed file comes to: its keys, or a code. */
function foundAfter(owner: Lie['owner'], entry: number, change: Lie['change']): unknown {
  return withLie(fill, { owner, entry, change }, (database) => {
    try {
      const filter = (): boolean => true;
      return database
        .keyspace('a')
        .vsearch([0, 1, 0, 2], { filter })
        .map(({ key }) => key);
    } catch (error) {
      return error instanceof MnemeError ? error.code : error;
    }
  });
}

test('a file that nobody changed has no problems', () => {
  expect(problemsAfter('slots', 0, () => undefined)).toEqual([]);
  expect(foundAfter('slots', 0, () => undefined)).toEqual(['east', 'north', 'west']);
});

test('two keys of one slot', () => {
  const change: Lie['change'] = (file, { valueAt }) => file.writeUIntLE(2, valueAt, 6);
  expect(problemsAfter('slots', 0, change)).toEqual(['keys and slots of vectors differ']);
  expect(foundAfter('slots', 0, change)).toBe('ERR_MNEME_CORRUPT');
});

test('a slot that no vector has', () => {
  const change: Lie['change'] = (file, { valueAt }) => file.writeUIntLE(3, valueAt, 6);
  expect(problemsAfter('slots', 1, change)).toEqual(['keys and slots of vectors differ']);
  expect(foundAfter('slots', 1, change)).toBe('ERR_MNEME_CORRUPT');
});

test('a slot with the key of another', () => {
  const change: Lie['change'] = (file, { valueAt }) => file.write('eas_', valueAt);
  expect(problemsAfter('keys', 0, change)).toEqual(['keys and slots of vectors differ']);
});

test('codes of another vector, and a vector of other codes', () => {
  const change: Lie['change'] = (file, { valueAt }) => file.writeUInt8(9, valueAt + 17);
  expect(problemsAfter('codes', 0, change)).toEqual(['codes differ from their vectors']);
  const other: Lie['change'] = (file, { valueAt }) => file.writeFloatLE(7, valueAt + 4);
  expect(problemsAfter('originals', 0, other)).toEqual(['codes differ from their vectors']);
});

test('something behind the last vector', () => {
  const change: Lie['change'] = (file, { valueAt }) => file.writeFloatLE(1, valueAt + 3 * 16);
  expect(problemsAfter('originals', 0, change)).toEqual(['something is behind the last vector']);
  const other: Lie['change'] = (file, cell) =>
    file.writeUInt8(1, cell.valueAt + cell.valueLength - 1);
  expect(problemsAfter('codes', 0, other)).toEqual(['something is behind the last vector']);
});

test('another dimension', () => {
  for (const dimension of [0, 1, 3, 5, 400, 16385, 2 ** 32 - 1]) {
    const change: Lie['change'] = (file, { valueAt }) =>
      file.writeUInt32LE(dimension, valueAt + RECORD_DIMENSION);
    expect(problemsAfter('catalog', 0, change)).not.toEqual([]);
    const isPossible = dimension > 0 && dimension <= 16384;
    const code = isPossible ? 'ERR_MNEME_DIMENSION_MISMATCH' : 'ERR_MNEME_CORRUPT';
    expect(foundAfter('catalog', 0, change)).toBe(code);
  }
});

test.each([
  ...[2, 4, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 45],
])('a count of %d vectors where there are three', (count) => {
  const change: Lie['change'] = (file, { valueAt }) =>
    file.writeUIntLE(count, valueAt + SLOTS_TREE + TREE_COUNT, 6);
  expect(problemsAfter('catalog', 0, change)).not.toEqual([]);
  const found = foundAfter('catalog', 0, change);
  const isGood = Array.isArray(found) || found === 'ERR_MNEME_CORRUPT';
  expect(isGood, String(found)).toBe(true);
});

test('a tree of the vectors that is missing', () => {
  for (let tree = 0; tree < 4; tree++) {
    const change: Lie['change'] = (file, { valueAt }) => {
      // As a tree without anything in it.
      const at = valueAt + RECORD_TREES + tree * TREE_BYTES;
      file.writeUInt8(255, at + 1);
      file.writeUIntLE(0, at + TREE_COUNT, 6);
    };
    expect(problemsAfter('catalog', 0, change)).not.toEqual([]);
    const found = foundAfter('catalog', 0, change);
    expect(tree === 0 ? [[], 'ERR_MNEME_CORRUPT'] : ['ERR_MNEME_CORRUPT']).toContainEqual(found);
  }
});
