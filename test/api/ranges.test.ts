/**
 * The section "Ranges and iterators" of the contract: which entries a range holds.
 */

import type { Key, Keyspace, RangeOptions } from 'mneme';
import { beforeEach, expect, test } from 'vitest';
import { expectRangeError, expectTypeError, memory, steppedClock, untyped } from './support.js';

const LETTERS = ['a', 'aa', 'ab', 'b', 'ba', 'c', 'd'];
let keyspace: Keyspace;

beforeEach(() => {
  keyspace = memory().keyspace('ranges');
  for (const key of LETTERS) keyspace.set(key, key.toUpperCase());
});

function keysOf(options: RangeOptions): string[] {
  return keyspace
    .range(options)
    .toArray()
    .map(([key]) => key);
}

test('range without arguments is everything, as pairs', () => {
  const pairs = LETTERS.map((key) => [key, key.toUpperCase()]);
  expect(keyspace.range().toArray()).toStrictEqual(pairs);
  expect(keyspace.range({}).toArray()).toStrictEqual(pairs);
  expect(keyspace.range(undefined, undefined).toArray()).toStrictEqual(pairs);
});

test('range of two keys includes the start and not the end', () => {
  const keysBetween = (start?: Key, end?: Key): string[] =>
    keyspace
      .range(start, end)
      .toArray()
      .map(([key]) => key);
  expect(keysBetween('aa', 'c')).toStrictEqual(['aa', 'ab', 'b', 'ba']);
  expect(keysBetween('b')).toStrictEqual(['b', 'ba', 'c', 'd']);
  expect(keysBetween(undefined, 'ab')).toStrictEqual(['a', 'aa']);
  expect(keysBetween('', 'a')).toStrictEqual([]);
  expect(keysBetween(Buffer.from('c'), Buffer.from('d'))).toStrictEqual(['c']);
});

test('a start that is not below the end is empty', () => {
  expect(keyspace.range('c', 'c').toArray()).toStrictEqual([]);
  expect(keyspace.range('d', 'a').toArray()).toStrictEqual([]);
  expect(keysOf({ gte: 'c', lt: 'c' })).toStrictEqual([]);
  expect(keysOf({ gt: 'c', lte: 'c' })).toStrictEqual([]);
  expect(keysOf({ gte: 'd', lte: 'a', reverse: true })).toStrictEqual([]);
  expect(keysOf({ gte: 'c', lte: 'c' })).toStrictEqual(['c']);
});

test('each bound does what it says, and two of a side both apply', () => {
  expect(keysOf({ gt: 'ab' })).toStrictEqual(['b', 'ba', 'c', 'd']);
  expect(keysOf({ gte: 'ab' })).toStrictEqual(['ab', 'b', 'ba', 'c', 'd']);
  expect(keysOf({ lt: 'ab' })).toStrictEqual(['a', 'aa']);
  expect(keysOf({ lte: 'ab' })).toStrictEqual(['a', 'aa', 'ab']);
  expect(keysOf({ gt: 'a', gte: 'b' })).toStrictEqual(['b', 'ba', 'c', 'd']);
  expect(keysOf({ gt: 'b', gte: 'a' })).toStrictEqual(['ba', 'c', 'd']);
  expect(keysOf({ gt: 'b', gte: 'b' })).toStrictEqual(['ba', 'c', 'd']);
  expect(keysOf({ lt: 'c', lte: 'b' })).toStrictEqual(['a', 'aa', 'ab', 'b']);
  expect(keysOf({ lt: 'b', lte: 'c' })).toStrictEqual(['a', 'aa', 'ab']);
  expect(keysOf({ lt: 'b', lte: 'b' })).toStrictEqual(['a', 'aa', 'ab']);
});

test('a bound need not be a key that is there', () => {
  expect(keysOf({ gt: 'aaa', lt: 'bb' })).toStrictEqual(['ab', 'b', 'ba']);
  expect(keysOf({ gte: '', lte: 'zzz' })).toStrictEqual(LETTERS);
});

test('a prefix narrows the other bounds', () => {
  expect(keysOf({ prefix: 'a' })).toStrictEqual(['a', 'aa', 'ab']);
  expect(keysOf({ prefix: '' })).toStrictEqual(LETTERS);
  expect(keysOf({ prefix: 'x' })).toStrictEqual([]);
  expect(keysOf({ prefix: 'a', gt: 'a' })).toStrictEqual(['aa', 'ab']);
  expect(keysOf({ prefix: 'a', lt: 'ab', reverse: true })).toStrictEqual(['aa', 'a']);
  expect(keysOf({ prefix: 'b', lt: 'b' })).toStrictEqual([]);
  expect(keysOf({ prefix: 'b', gt: 'c' })).toStrictEqual([]);
});

test('prefixes that end in the highest byte find just what starts with them', () => {
  const bytes = memory().keyspace('bytes', { keys: 'bytes' });
  const keys = [[0xfe], [0xff], [0xff, 0x00], [0xff, 0xff], [0xff, 0xff, 0x01]];
  for (const key of keys) bytes.set(Uint8Array.from(key), 1);
  const lengthOf = (...prefix: number[]): number =>
    bytes.range({ prefix: Uint8Array.from(prefix) }).toArray().length;
  expect(lengthOf(0xff)).toBe(4);
  expect(lengthOf(0xff, 0xff)).toBe(2);
  expect(lengthOf(0xff, 0xff, 0xff)).toBe(0);
  expect(bytes.count(Uint8Array.of(0xff))).toBe(4);
  expect(bytes.count(Uint8Array.of(0xff, 0xff))).toBe(2);
  expect(bytes.range({ prefix: Uint8Array.of(0xff), reverse: true }).toArray()).toHaveLength(4);
  expect(bytes.delRange({ prefix: Uint8Array.of(0xff, 0xff) })).toBe(2);
  expect(bytes.count()).toBe(3);
});

test('reverse only turns the order: bounds still run low to high', () => {
  expect(keysOf({ reverse: true })).toStrictEqual(LETTERS.toReversed());
  expect(keysOf({ gte: 'aa', lt: 'c', reverse: true })).toStrictEqual(['ba', 'b', 'ab', 'aa']);
  expect(keysOf({ gt: 'aa', lte: 'c', reverse: true })).toStrictEqual(['c', 'ba', 'b', 'ab']);
  expect(keysOf({ reverse: false })).toStrictEqual(LETTERS);
});

test('offset and limit count entries in the order of the range', () => {
  expect(keysOf({ offset: 2 })).toStrictEqual(LETTERS.slice(2));
  expect(keysOf({ limit: 2 })).toStrictEqual(['a', 'aa']);
  expect(keysOf({ offset: 1, limit: 2 })).toStrictEqual(['aa', 'ab']);
  expect(keysOf({ offset: 1, limit: 2, reverse: true })).toStrictEqual(['c', 'ba']);
  expect(keysOf({ gte: 'ab', offset: 1, limit: 1 })).toStrictEqual(['b']);
  expect(keysOf({ prefix: 'a', offset: 1, limit: 9 })).toStrictEqual(['aa', 'ab']);
  expect(keysOf({ limit: 0 })).toStrictEqual([]);
  expect(keysOf({ offset: 7 })).toStrictEqual([]);
  expect(keysOf({ offset: 1e6 })).toStrictEqual([]);
  expect(keysOf({ limit: 1e6 })).toStrictEqual(LETTERS);
});

test('offset and limit count visible entries only', () => {
  const clock = steppedClock();
  const expiring = memory({ clock: clock.read }).keyspace('ranges');
  for (let index = 0; index < 300; index++) {
    const key = String(index).padStart(3, '0');
    expiring.set(key, index, index % 3 === 0 ? {} : { ttl: 1 });
  }
  clock.now += 1000;
  const valuesOf = (options: RangeOptions): unknown[] =>
    expiring
      .range(options)
      .toArray()
      .map(([, value]) => value);
  expect(valuesOf({ offset: 10, limit: 3 })).toStrictEqual([30, 33, 36]);
  expect(valuesOf({ offset: 10, limit: 3, reverse: true })).toStrictEqual([267, 264, 261]);
  expect(valuesOf({ gte: '100', offset: 1, limit: 2 })).toStrictEqual([105, 108]);
  expect(expiring.count()).toBe(100);
  expect(expiring.count('1')).toBe(33);
});

test('an offset or a limit that is no whole number from 0 on is a RangeError', () => {
  for (const wrong of [-1, 1.5, NaN, -Infinity]) {
    expectRangeError(() => keyspace.range({ offset: wrong }).toArray());
    expectRangeError(() => keyspace.range({ limit: wrong }).toArray());
  }
  expectTypeError(() => keyspace.range({ offset: untyped('1') }).toArray());
  expectTypeError(() => keyspace.range({ limit: untyped('1') }).toArray());
});

test('a bound that is no key is a TypeError', () => {
  for (const wrong of [5, null, true, 5n]) {
    for (const bound of ['gt', 'gte', 'lt', 'lte', 'prefix']) {
      expectTypeError(() => keyspace.range(untyped({ [bound]: wrong })).toArray());
    }
    expectTypeError(() => keyspace.count(untyped(wrong)));
  }
  expectTypeError(() => keyspace.range(untyped(5)).toArray());
  expectTypeError(() => keyspace.range('a', untyped(5)).toArray());
});

test('count equals the length of the range with this prefix', () => {
  for (const prefix of ['', 'a', 'aa', 'aaa', 'b', 'c', 'x']) {
    expect(keyspace.count(prefix)).toBe(keyspace.range({ prefix }).toArray().length);
    expect(keyspace.count(Buffer.from(prefix))).toBe(keyspace.count(prefix));
  }
  expect(keyspace.count()).toBe(LETTERS.length);
  expect(keyspace.count(undefined)).toBe(LETTERS.length);
});

test('delRange removes what the range holds and returns how many', () => {
  expect(keyspace.delRange({ gte: 'aa', lt: 'b' })).toBe(2);
  expect(keysOf({})).toStrictEqual(['a', 'b', 'ba', 'c', 'd']);
  expect(keyspace.delRange({ gte: 'aa', lt: 'b' })).toBe(0);
  expect(keyspace.delRange({ gt: 'c', lte: 'a' })).toBe(0);
  expect(keyspace.delRange({ prefix: 'b', gt: 'b' })).toBe(1);
  expect(keyspace.delRange({ gt: 'b' })).toBe(2);
  expect(keyspace.delRange({})).toBe(2);
  expect(keyspace.count()).toBe(0);
  expect(keyspace.stats()).toMatchObject({ keys: 0, depth: 0, leafPages: 0, branchPages: 0 });
  expect(keyspace.delRange({})).toBe(0);
});

test('delRange over many leaves removes just its range', () => {
  const database = memory({ cacheSize: 2 ** 20, pageSize: 4096 });
  const large = database.keyspace('large');
  const keyAt = (index: number): string => String(index).padStart(6, '0');
  large.batch((writer) => {
    for (let index = 0; index < 20_000; index++) {
      writer.set(keyAt(index), index % 1000 === 0 ? 'x'.repeat(20_000) : index);
    }
  });
  expect(large.stats().depth).toBeGreaterThan(1);
  expect(large.delRange({ gte: keyAt(123), lt: keyAt(19_877) })).toBe(19_754);
  expect(large.count()).toBe(246);
  const rest = large
    .range()
    .toArray()
    .map(([key]) => Number(key));
  expect(rest.slice(121, 125)).toStrictEqual([121, 122, 19_877, 19_878]);
  expect(large.stats().overflowPages).toBeLessThan(10);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('delRange does not count what has expired', () => {
  const clock = steppedClock();
  const expiring = memory({ clock: clock.read }).keyspace('ranges');
  for (let index = 0; index < 20; index++) {
    expiring.set(`${index}`, index, index < 5 ? { ttl: 1 } : {});
  }
  clock.now += 1000;
  expect(expiring.delRange({})).toBe(15);
  expect(expiring.count()).toBe(0);
});
