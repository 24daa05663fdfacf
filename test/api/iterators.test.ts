/**
 * The section "Ranges and iterators" of the contract: how an iterator lives and ends.
 */

import type { Database, Keyspace } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryPath,
  thrownBy,
  untyped,
} from './support.js';

const ENTRY_COUNT = 500;

function keyAt(index: number): string {
  return String(index).padStart(4, '0');
}

function filled(): { database: Database; keyspace: Keyspace } {
  const database = memory({ pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('iterators');
  keyspace.batch((writer) => {
    for (let index = 0; index < ENTRY_COUNT; index++) writer.set(keyAt(index), index);
  });
  return { database, keyspace };
}

test('a range can be looped over, spread and asked for its next', () => {
  const { keyspace } = filled();
  let count = 0;
  for (const [key, value] of keyspace.range()) {
    expect(key).toBe(keyAt(count));
    expect(value).toBe(count);
    count += 1;
  }
  expect(count).toBe(ENTRY_COUNT);
  expect([...keyspace.range({ limit: 2 })]).toStrictEqual([
    ['0000', 0],
    ['0001', 1],
  ]);
  const iterator = keyspace.range({ limit: 1 });
  expect(iterator[Symbol.iterator]()).toBe(iterator);
  expect(iterator.next()).toStrictEqual({ done: false, value: ['0000', 0] });
  expect(iterator.next()).toStrictEqual({ done: true, value: undefined });
  expect(iterator.next()).toStrictEqual({ done: true, value: undefined });
});

test('writing inside the loop is legal and not seen by it', () => {
  const { keyspace } = filled();
  const seen: unknown[] = [];
  for (const [key, value] of keyspace.range()) {
    seen.push(value);
    keyspace.set(key, `${value} changed`);
    keyspace.set(`${key} new`, value);
    if (Number(value) % 2 === 0) keyspace.del(key);
  }
  expect(seen).toStrictEqual(Array.from({ length: ENTRY_COUNT }, (_, index) => index));
  expect(keyspace.count()).toBe(ENTRY_COUNT + ENTRY_COUNT / 2);
  expect(keyspace.get('0001')).toBe('1 changed');
});

test('an iterator outlives the removal of all it reads', () => {
  const { database, keyspace } = filled();
  keyspace.set('large', 'x'.repeat(200_000));
  const iterators = [0, 1, 2].map(() => keyspace.range());
  for (const iterator of iterators) expect(iterator.next().value).toStrictEqual(['0000', 0]);
  database.dropKeyspace('iterators');
  for (let round = 0; round < 30; round++) {
    keyspace.set(`other ${round}`, 'y'.repeat(10_000));
  }
  for (const iterator of iterators) {
    const rest = iterator.toArray();
    expect(rest).toHaveLength(ENTRY_COUNT);
    expect(rest[0]).toStrictEqual(['0001', 1]);
    expect(rest.at(-1)).toStrictEqual(['large', 'x'.repeat(200_000)]);
  }
  expect(keyspace.count()).toBe(30);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('iterators made between writes each keep their own state', () => {
  const { keyspace } = filled();
  keyspace.delRange({});
  const iterators = Array.from({ length: 20 }, (_, index) => {
    keyspace.set('key', index);
    return keyspace.range();
  });
  keyspace.del('key');
  iterators.forEach((iterator, index) => {
    expect(iterator.toArray()).toStrictEqual([['key', index]]);
  });
});

test('return ends an iterator and may be called again', () => {
  const { keyspace } = filled();
  const iterator = keyspace.range();
  iterator.next();
  expect(iterator.return('given').done).toBe(true);
  expect(iterator.return().done).toBe(true);
  expect(iterator.next()).toStrictEqual({ done: true, value: undefined });
  expect(iterator.toArray()).toStrictEqual([]);
});

test('disposing ends an iterator', () => {
  const { keyspace } = filled();
  const iterator = keyspace.range();
  iterator[Symbol.dispose]();
  iterator[Symbol.dispose]();
  expect(iterator.next().done).toBe(true);
});

test('break ends an iterator', () => {
  const { keyspace } = filled();
  const iterator = keyspace.range();
  for (const [key] of iterator) {
    if (key === '0003') break;
  }
  expect(iterator.next().done).toBe(true);
});

test('map, filter, take and drop are those of ECMAScript, lazily', () => {
  const { keyspace } = filled();
  const values = keyspace
    .range()
    .map(([, value]) => Number(value))
    .filter((value) => value % 2 === 1)
    .drop(2)
    .take(3);
  expect(values.toArray()).toStrictEqual([5, 7, 9]);
  let mapped = 0;
  const counted = keyspace.range().map(() => {
    mapped += 1;
    return mapped;
  });
  expect(mapped).toBe(0);
  expect(counted.next()).toStrictEqual({ done: false, value: 1 });
  expect(mapped).toBe(1);
  counted.return();
});

test('take and drop of more than there is, and of nothing', () => {
  const { keyspace } = filled();
  expect(keyspace.range().take(0).toArray()).toStrictEqual([]);
  expect(
    keyspace
      .range()
      .take(ENTRY_COUNT + 1)
      .toArray(),
  ).toHaveLength(ENTRY_COUNT);
  expect(
    keyspace
      .range()
      .drop(ENTRY_COUNT + 1)
      .toArray(),
  ).toStrictEqual([]);
  expect(keyspace.range().drop(0).toArray()).toHaveLength(ENTRY_COUNT);
  expect(keyspace.range().take(3).drop(2).toArray()).toStrictEqual([['0002', 2]]);
});

test('take and drop of a wrong count are a RangeError', () => {
  const { keyspace } = filled();
  for (const count of [-1, NaN]) {
    expect(thrownBy(() => keyspace.range().take(count))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => keyspace.range().drop(count))).toBeInstanceOf(RangeError);
  }
});

test('map and filter without a function are a TypeError', () => {
  const { keyspace } = filled();
  expectTypeError(() => keyspace.range().map(untyped('no function')));
  expectTypeError(() => keyspace.range().filter(untyped(undefined)));
});

test('an iterator of an iterator closes its source when it is done or left', () => {
  const { keyspace } = filled();
  const taken = keyspace.range();
  expect(taken.take(2).toArray()).toHaveLength(2);
  expect(taken.next().done).toBe(true);
  const mapped = keyspace.range();
  mapped.map((item) => item).return();
  expect(mapped.next().done).toBe(true);
  const filtered = keyspace.range();
  for (const item of filtered.filter(() => true)) {
    expect(item[0]).toBe('0000');
    break;
  }
  expect(filtered.next().done).toBe(true);
  const dropped = keyspace.range();
  dropped.drop(3)[Symbol.dispose]();
  expect(dropped.next().done).toBe(true);
});

test('an error in a callback comes out as it is and closes the source', () => {
  const { keyspace } = filled();
  const failure = new Error('from the callback');
  const fail = (): never => {
    throw failure;
  };
  const mapped = keyspace.range();
  expect(thrownBy(() => mapped.map(fail).next())).toBe(failure);
  expect(mapped.next().done).toBe(true);
  const filtered = keyspace.range();
  expect(thrownBy(() => filtered.filter(fail).toArray())).toBe(failure);
  expect(filtered.next().done).toBe(true);
});

test('callbacks of an iterator may read and write the database', () => {
  const { keyspace } = filled();
  const doubled = keyspace.range({ limit: 10 }).map(([key, value]) => {
    keyspace.set(key, Number(value) * 2);
    return keyspace.get(key);
  });
  expect(doubled.toArray()).toStrictEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(keyspace.get('0009')).toBe(18);
});

test('after close next throws and leaving stays harmless', () => {
  const { database, keyspace } = filled();
  const iterator = keyspace.range();
  iterator.next();
  const chained = keyspace.range().map(([key]) => key);
  const untouched = keyspace.range();
  database.close();
  expectCode('ERR_MNEME_CLOSED', () => iterator.next());
  expectCode('ERR_MNEME_CLOSED', () => chained.next());
  expectCode('ERR_MNEME_CLOSED', () => untouched.toArray());
  for (const each of [iterator, chained, untouched]) {
    expect(each.return().done).toBe(true);
    each[Symbol.dispose]();
  }
});

test('iterators that were left do not keep the file growing', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('iterators');
  const rewrite = (): void => {
    keyspace.batch((writer) => {
      for (let index = 0; index < 200; index++) writer.set(keyAt(index), 'v'.repeat(500));
    });
  };
  rewrite();
  for (let round = 0; round < 100; round++) {
    const iterator = keyspace.range();
    iterator.next();
    rewrite();
    if (round % 2 === 0) iterator.return();
    else iterator.toArray();
  }
  expect(database.stats().fileSize).toBeLessThan(4 * 2 ** 20);
});

test('thousands of iterators at once each answer', () => {
  const { keyspace } = filled();
  const iterators = Array.from({ length: 2000 }, (_, index) =>
    keyspace.range({ gte: keyAt(index % ENTRY_COUNT) }),
  );
  iterators.forEach((iterator, index) => {
    expect(iterator.next().value[0]).toBe(keyAt(index % ENTRY_COUNT));
    iterator.return();
  });
});

test('a wrong range is refused before anything is pinned', () => {
  const { keyspace } = filled();
  for (let round = 0; round < 10_000; round++) {
    expectRangeError(() => keyspace.range({ limit: -1 }).toArray());
  }
  expect(keyspace.range().toArray()).toHaveLength(ENTRY_COUNT);
});
