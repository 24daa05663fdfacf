/**
 * The contract of lists, call by call and at its edges.
 */
import type { List, Value } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryPath,
  untyped,
} from './support.js';

function newList(): { list: List; verified: () => boolean; lists: () => number } {
  const database = memory({ pageSize: 4096 });
  const keyspace = database.keyspace('a');
  const verified = () => database.verify().ok;
  return { list: keyspace.list('l'), verified, lists: () => keyspace.stats().lists };
}

test('values go in and out at both ends, in the order of pushes', () => {
  const { list, verified, lists } = newList();
  expect(list.rpush('x')).toBe(1);
  expect(list.lpush('a', 'b', 'c')).toBe(4);
  expect(list.rpush('y', 'z')).toBe(6);
  expect(list.range()).toEqual(['c', 'b', 'a', 'x', 'y', 'z']);
  expect([list.lpop(), list.rpop(), list.len()]).toEqual(['c', 'z', 4]);
  expect([...list]).toEqual(['b', 'a', 'x', 'y']);
  expect([list.lpop(), list.lpop(), list.lpop(), list.lpop()]).toEqual(['b', 'a', 'x', 'y']);
  expect([list.lpop(), list.rpop(), list.len()]).toEqual([undefined, undefined, 0]);
  expect(lists()).toBe(0);
  expect(verified()).toBe(true);
});

test('values keep their types', () => {
  const { list } = newList();
  const values: Value[] = ['', 'é', 5, -0, 1.5, Number.NaN, 2n ** 62n, Uint8Array.of(1, 2), 1e300];
  expect(list.rpush(...values)).toBe(values.length);
  expect(list.range()).toEqual(values);
  values.forEach((value, index) => {
    expect(list.index(index)).toEqual(value);
    expect(list.index(index - values.length)).toEqual(value);
  });
  expect(values.map(() => list.lpop())).toEqual(values);
});

test('index and range count from both ends, and ranges clamp', () => {
  const { list } = newList();
  list.rpush(0, 1, 2, 3, 4);
  expect([list.index(0), list.index(4), list.index(-1), list.index(-5)]).toEqual([0, 4, 4, 0]);
  expect([list.index(5), list.index(-6), list.index(2 ** 60)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(list.range(1, 2)).toEqual([1, 2]);
  expect(list.range(-2)).toEqual([3, 4]);
  expect(list.range(-100, 100)).toEqual([0, 1, 2, 3, 4]);
  expect(list.range(3, 1)).toEqual([]);
  expect(list.range(7)).toEqual([]);
});

test('wrong arguments are refused and nothing is written', () => {
  const { list } = newList();
  list.rpush('kept');
  expectTypeError(() => list.rpush());
  expectTypeError(() => list.lpush());
  expectTypeError(() => list.rpush('x', untyped(undefined)));
  expectTypeError(() => list.rpush('x'.repeat(400_000), untyped(null)));
  expectTypeError(() => list.rpush('x', '\ud800'));
  expectRangeError(() => list.rpush('x', 2n ** 63n));
  expectRangeError(() => list.rpush('x'.repeat(400_000), 2n ** 63n));
  expectRangeError(() => list.index(0.5));
  expectTypeError(() => list.index(untyped('0')));
  expectRangeError(() => list.range(0, 0.5));
  expect(list.range()).toEqual(['kept']);
});

test('long values lie in extents, and go with their element', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('a');
  const list = keyspace.list('l');
  const live = database.stats().livePages;
  const long = (size: number) => `${size}`.repeat(Math.ceil(size / `${size}`.length));
  const values = [long(900), long(1100), long(70_000), long(300_000), long(2_500_000), 'short'];
  expect(list.rpush(...values)).toBe(6);
  expect(list.lpush(Uint8Array.from(Buffer.from(long(400_000))))).toBe(7);
  expect(list.index(0)).toEqual(Uint8Array.from(Buffer.from(long(400_000))));
  expect(list.range(1)).toEqual(values);
  expect([...list].slice(1)).toEqual(values);
  expect(keyspace.stats().overflowPages).toBe(0);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(list.rpop()).toBe('short');
  expect(list.rpop()).toBe(values[4]);
  database.batch(() => {
    expect(list.rpop()).toBe(values[3]);
    expect(list.rpop()).toBe(values[2]);
  });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(list.clear()).toBe(3);
  for (let commit = 0; commit < 4; commit++) keyspace.set('x', commit);
  expect(database.stats().livePages - live).toBeLessThan(10);
  list.rpush(...values);
  expect(database.dropKeyspace('a')).toBe(true);
  for (let commit = 0; commit < 4; commit++) keyspace.set('x', commit);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(database.stats().livePages - live).toBeLessThan(10);
});

test('a queue of many values moves through the tree and leaves nothing behind', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20, sync: 'none' });
  const list = database.keyspace('a').list('queue');
  let [pushed, popped] = [0, 0];
  for (let round = 0; round < 60; round++) {
    const values = Array.from({ length: 500 }, () => `job ${pushed++}`);
    expect(list.rpush(...values)).toBe(pushed - popped);
    for (let count = 0; count < 490; count++) expect(list.lpop()).toBe(`job ${popped++}`);
  }
  expect(list.len()).toBe(600);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(list.clear()).toBe(600);
  expect(database.keyspace('a').stats()).toMatchObject({ lists: 0 });
});

test('a push of more than one request is one transaction', () => {
  const database = memory();
  const list = database.keyspace('a').list('l');
  const values = Array.from({ length: 30_000 }, (_, index) => `value ${index} ${'x'.repeat(30)}`);
  const before = database.info().txnId;
  expect(list.rpush(...values)).toBe(30_000);
  expect(database.info().txnId).toBe(before + 1n);
  expect(list.range()).toEqual(values);
});

test('a batch reads its own writes, a savepoint goes back, handles end with it', () => {
  const { list } = newList();
  const database = memory();
  const outer = database.keyspace('a').list('l');
  let kept = list;
  outer.rpush(1, 2);
  database.batch((tx) => {
    kept = tx.keyspace('a').list('l');
    const iterator = kept[Symbol.iterator]();
    expect(kept.rpush(3)).toBe(3);
    expect(outer.range()).toEqual([1, 2, 3]);
    expect(() =>
      database.batch(() => {
        expect(kept.lpop()).toBe(1);
        expect(kept.clear()).toBe(2);
        throw new Error('undone');
      }),
    ).toThrow('undone');
    expect(kept.range()).toEqual([1, 2, 3]);
    expect([...iterator]).toEqual([1, 2]);
  });
  for (const call of [
    () => kept.rpush(1),
    () => kept.lpush(1),
    () => kept.rpop(),
    () => kept.lpop(),
    () => kept.len(),
    () => kept.index(0),
    () => kept.range(),
    () => kept.clear(),
    () => kept[Symbol.iterator](),
  ]) {
    expectCode('ERR_MNEME_BATCH_CLOSED', call);
  }
  expect(outer.range()).toEqual([1, 2, 3]);
});

test('a snapshot keeps its list, and the integers are as the handle wants them', () => {
  const database = memory();
  const list = database.keyspace('a', { integers: 'bigint' }).list('l');
  list.rpush(1, 2n ** 60n);
  expect([list.index(0), list.range(), [...list]]).toEqual([1n, [1n, 2n ** 60n], [1n, 2n ** 60n]]);
  const snapshot = database.snapshot();
  const seen = snapshot.keyspace('a').list('l');
  expect(list.rpop()).toBe(2n ** 60n);
  list.clear();
  expect(seen.range()).toEqual([1, 2n ** 60n]);
  expect(seen.len()).toBe(2);
  expectCode('ERR_MNEME_READONLY', () => seen.rpush(1));
  expectCode('ERR_MNEME_READONLY', () => seen.lpop());
  expectCode('ERR_MNEME_READONLY', () => seen.clear());
  snapshot.close();
  expectCode('ERR_MNEME_CLOSED', () => seen.len());
});
