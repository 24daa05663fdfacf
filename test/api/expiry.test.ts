/**
 * The table "Expiry" of the contract, row by row, on a clock that the test moves.
 */

import type { Keyspace } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  type SteppedClock,
  steppedClock,
  temporaryPath,
  thrownBy,
  untyped,
} from './support.js';

function clocked(): { clock: SteppedClock; keyspace: Keyspace } {
  const clock = steppedClock();
  return { clock, keyspace: memory({ clock: clock.read }).keyspace('expiry') };
}

test('a ttl of 0, a negative one, NaN or Infinity is a RangeError and changes nothing', () => {
  const { keyspace } = clocked();
  keyspace.set('key', 'old');
  for (const ttl of [0, -0, -1, -0.5, NaN, Infinity, -Infinity]) {
    expectRangeError(() => keyspace.set('key', 'new', { ttl }));
    expectRangeError(() => keyspace.setBytes('key', 'new', { ttl }));
    expectRangeError(() => keyspace.setInteger('key', 1, { ttl }));
    expectRangeError(() => keyspace.setFloat('key', 1, { ttl }));
  }
  for (const ttl of ['5', null, {}]) {
    expectTypeError(() => keyspace.set('key', 'new', { ttl: untyped(ttl) }));
  }
  expect(keyspace.get('key')).toBe('old');
  expect(keyspace.ttl('key')).toBeUndefined();
});

test('a key expires when the clock reaches its deadline, not before', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('key', 'value', { ttl: 2 });
  expect(keyspace.ttl('key')).toBe(2);
  clock.now += 1999;
  expect(keyspace.get('key')).toBe('value');
  expect(keyspace.ttl('key')).toBeCloseTo(0.001, 6);
  clock.now += 1;
  expect(keyspace.get('key')).toBeUndefined();
  expect(keyspace.ttl('key')).toBeUndefined();
});

test('every setter and every type takes a ttl', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('text', 'value', { ttl: 1 });
  keyspace.set('large', 'x'.repeat(100_000), { ttl: 1 });
  keyspace.setBytes('bytes', 'value', { ttl: 1 });
  keyspace.setInteger('integer', 5, { ttl: 1 });
  keyspace.setFloat('float', 5, { ttl: 1 });
  expect(keyspace.count()).toBe(5);
  expect(keyspace.get('large')).toBe('x'.repeat(100_000));
  expect(keyspace.get('integer')).toBe(5);
  clock.now += 1000;
  expect(keyspace.count()).toBe(0);
});

test('a fraction of a millisecond is rounded up', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('tiny', 'value', { ttl: 1e-9 });
  keyspace.set('more', 'value', { ttl: 0.0015 });
  expect(keyspace.ttl('tiny')).toBeCloseTo(0.001, 6);
  expect(keyspace.ttl('more')).toBeCloseTo(0.002, 6);
  clock.now += 1;
  expect(keyspace.exists('tiny')).toBe(false);
  expect(keyspace.exists('more')).toBe(true);
  clock.now += 1;
  expect(keyspace.exists('more')).toBe(false);
});

test('set without ttl clears the one there was, and keepTtl keeps it', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('cleared', 1, { ttl: 5 });
  keyspace.set('kept', 1, { ttl: 5 });
  keyspace.set('cleared', 2);
  keyspace.set('kept', 2, { keepTtl: true });
  keyspace.set('fresh', 2, { keepTtl: true });
  expect(keyspace.ttl('cleared')).toBeUndefined();
  expect(keyspace.ttl('kept')).toBe(5);
  expect(keyspace.ttl('fresh')).toBeUndefined();
  clock.now += 5000;
  expect(keyspace.get('cleared')).toBe(2);
  expect(keyspace.get('kept')).toBeUndefined();
});

test('keepTtl on an expired key keeps nothing', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('key', 1, { ttl: 1 });
  clock.now += 1000;
  keyspace.set('key', 2, { keepTtl: true });
  expect(keyspace.get('key')).toBe(2);
  expect(keyspace.ttl('key')).toBeUndefined();
});

test('expiresAt is a moment, as a Date or in milliseconds', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('date', 1, { expiresAt: new Date(clock.now + 3000) });
  keyspace.set('number', 1, { expiresAt: clock.now + 3000 });
  expect(keyspace.ttl('date')).toBe(3);
  expect(keyspace.ttl('number')).toBe(3);
  clock.now += 3000;
  expect(keyspace.count()).toBe(0);
});

test('expiresAt in the past, or right now, removes the key', () => {
  const { clock, keyspace } = clocked();
  for (const expiresAt of [clock.now, clock.now - 1, 0, new Date(clock.now - 1)]) {
    keyspace.set('key', 'old');
    keyspace.set('key', 'new', { expiresAt });
    expect(keyspace.exists('key')).toBe(false);
    expect(keyspace.stats().keys).toBe(0);
  }
});

test('expiresAt that is no moment is refused and changes nothing', () => {
  const { keyspace } = clocked();
  keyspace.set('key', 'old');
  expectRangeError(() => keyspace.set('key', 'new', { expiresAt: NaN }));
  expectRangeError(() => keyspace.set('key', 'new', { expiresAt: Infinity }));
  expectTypeError(() => keyspace.set('key', 'new', { expiresAt: untyped('tomorrow') }));
  expect(keyspace.get('key')).toBe('old');
});

test('two of ttl, expiresAt and keepTtl are a TypeError', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('key', 'old');
  const pairs = [
    { ttl: 1, keepTtl: true },
    { ttl: 1, expiresAt: clock.now + 1 },
    { expiresAt: clock.now + 1, keepTtl: true },
    { ttl: 1, expiresAt: clock.now + 1, keepTtl: true },
  ];
  for (const options of pairs) {
    expect(thrownBy(() => keyspace.set('key', 'new', options))).toBeInstanceOf(TypeError);
  }
  expect(keyspace.get('key')).toBe('old');
});

test('incr and decr keep the ttl', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('key', 5, { ttl: 10 });
  expect(keyspace.incr('key')).toBe(6);
  expect(keyspace.decr('key', 2)).toBe(4);
  expect(keyspace.ttl('key')).toBe(10);
  clock.now += 10_000;
  expect(keyspace.exists('key')).toBe(false);
});

test('incr on an expired key starts from 0 without ttl', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('integer', 5, { ttl: 1 });
  keyspace.set('text', 'no number', { ttl: 1 });
  clock.now += 1000;
  expect(keyspace.incr('integer')).toBe(1);
  expect(keyspace.decr('text')).toBe(-1);
  expect(keyspace.ttl('integer')).toBeUndefined();
  clock.now += 1_000_000;
  expect(keyspace.get('integer')).toBe(1);
});

test('expire sets a new deadline on a key that is there', () => {
  const { clock, keyspace } = clocked();
  expect(keyspace.expire('missing', 5)).toBe(false);
  keyspace.set('key', 'value');
  expect(keyspace.expire('key', 5)).toBe(true);
  expect(keyspace.ttl('key')).toBe(5);
  expect(keyspace.expire('key', 0.25)).toBe(true);
  expect(keyspace.ttl('key')).toBe(0.25);
  expect(keyspace.get('key')).toBe('value');
  clock.now += 250;
  expect(keyspace.exists('key')).toBe(false);
  expect(keyspace.expire('key', 5)).toBe(false);
});

test('expire with 0 or less deletes and returns true', () => {
  const { keyspace } = clocked();
  for (const seconds of [0, -0, -1, -0.001]) {
    keyspace.set('key', 'value');
    expect(keyspace.expire('key', seconds)).toBe(true);
    expect(keyspace.exists('key')).toBe(false);
    expect(keyspace.expire('key', seconds)).toBe(false);
  }
});

test('expire with what is no number of seconds is refused', () => {
  const { keyspace } = clocked();
  keyspace.set('key', 'value');
  expectRangeError(() => keyspace.expire('key', NaN));
  expectRangeError(() => keyspace.expire('key', Infinity));
  expectTypeError(() => keyspace.expire('key', untyped('5')));
  expect(keyspace.ttl('key')).toBeUndefined();
  expect(keyspace.get('key')).toBe('value');
});

test('persist takes the ttl off a key that has one', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('key', 'value', { ttl: 1 });
  keyspace.set('lasting', 'value');
  expect(keyspace.persist('key')).toBe(true);
  expect(keyspace.persist('key')).toBe(false);
  expect(keyspace.persist('lasting')).toBe(false);
  expect(keyspace.persist('missing')).toBe(false);
  clock.now += 10_000;
  expect(keyspace.get('key')).toBe('value');
  keyspace.set('gone', 'value', { ttl: 1 });
  clock.now += 1000;
  expect(keyspace.persist('gone')).toBe(false);
  expect(keyspace.exists('gone')).toBe(false);
});

test('an expired key is invisible to every read', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('a', 1);
  keyspace.set('b', 2, { ttl: 1 });
  keyspace.set('c', 3);
  clock.now += 1000;
  expect(keyspace.get('b')).toBeUndefined();
  expect(keyspace.getMany(['a', 'b', 'c'])).toStrictEqual([1, undefined, 3]);
  expect(keyspace.exists('b')).toBe(false);
  expect(keyspace.typeOf('b')).toBeUndefined();
  expect(keyspace.range().toArray()).toStrictEqual([
    ['a', 1],
    ['c', 3],
  ]);
  expect(keyspace.range({ reverse: true }).toArray()).toStrictEqual([
    ['c', 3],
    ['a', 1],
  ]);
  expect(keyspace.range({ offset: 1 }).toArray()).toStrictEqual([['c', 3]]);
  expect(keyspace.range({ limit: 2 }).toArray()).toStrictEqual([
    ['a', 1],
    ['c', 3],
  ]);
  expect(keyspace.count()).toBe(2);
  expect(keyspace.count('b')).toBe(0);
  expect(keyspace.del('b')).toBe(false);
  expect(keyspace.delRange({ gte: 'b', lte: 'c' })).toBe(1);
});

test('the clock is read once a call, so that no call sees a key come and go', () => {
  let now = 1_750_000_000_000;
  const database = memory({ clock: () => now++ });
  const keyspace = database.keyspace('expiry');
  for (let index = 0; index < 200; index++) {
    keyspace.set('key', 'value', { expiresAt: now + 20 });
    for (let call = 0; call < 30; call++) {
      const values = keyspace.getMany(['key', 'key', 'key', 'key']);
      expect(new Set(values).size).toBe(1);
      const pairs = keyspace.range({ prefix: 'key' }).toArray();
      expect(pairs.length).toBeLessThanOrEqual(1);
    }
  }
});

test('an iterator judges expiry by the moment it was made', () => {
  const { clock, keyspace } = clocked();
  for (let index = 0; index < 500; index++) {
    keyspace.set(String(index).padStart(3, '0'), index, { ttl: 1 });
  }
  const iterator = keyspace.range();
  expect(iterator.next().value).toStrictEqual(['000', 0]);
  clock.now += 1000;
  expect(keyspace.count()).toBe(0);
  expect(iterator.toArray()).toHaveLength(499);
});

test('purgeExpired returns how many it removed', () => {
  const { clock, keyspace } = clocked();
  keyspace.batch((writer) => {
    for (let index = 0; index < 300; index++) writer.set(`${index}`, index, { ttl: 1 });
    for (let index = 300; index < 350; index++) writer.set(`${index}`, index, { ttl: 100 });
    for (let index = 350; index < 400; index++) writer.set(`${index}`, index);
  });
  expect(keyspace.purgeExpired()).toBe(0);
  clock.now += 1000;
  expect(keyspace.purgeExpired()).toBe(300);
  expect(keyspace.purgeExpired()).toBe(0);
  expect(keyspace.stats().keys).toBe(100);
  clock.now += 99_000;
  expect(keyspace.purgeExpired()).toBe(50);
  expect(keyspace.count()).toBe(50);
});

test('purgeExpired of the database is that of all its keyspaces', () => {
  const clock = steppedClock();
  const database = memory({ clock: clock.read });
  database.batch(() => {
    for (const name of ['a', 'b', 'c']) {
      for (let index = 0; index < 40; index++) {
        database.keyspace(name).set(`${index}`, index, { ttl: 1 });
      }
      database.keyspace(name).set('lasting', 1);
    }
  });
  clock.now += 1000;
  expect(database.purgeExpired()).toBe(120);
  expect(database.purgeExpired()).toBe(0);
  for (const name of ['a', 'b', 'c']) expect(database.keyspace(name).stats().keys).toBe(1);
});

test('write commits remove expired keys by and by', () => {
  const { clock, keyspace } = clocked();
  keyspace.batch((writer) => {
    for (let index = 0; index < 50; index++) writer.set(`${index}`, index, { ttl: 1 });
  });
  clock.now += 1000;
  for (let index = 0; index < 60; index++) keyspace.set('lasting', index);
  expect(keyspace.stats().keys).toBe(1);
  expect(keyspace.purgeExpired()).toBe(0);
});

test('purging removes what a deadline was moved to, not what it was', () => {
  const { clock, keyspace } = clocked();
  keyspace.set('moved', 1, { ttl: 1 });
  keyspace.set('persisted', 1, { ttl: 1 });
  keyspace.set('replaced', 1, { ttl: 1 });
  keyspace.set('counted', 1, { ttl: 1 });
  keyspace.expire('moved', 100);
  keyspace.persist('persisted');
  keyspace.set('replaced', 2);
  keyspace.incr('counted');
  clock.now += 1000;
  expect(keyspace.purgeExpired()).toBe(1);
  expect(
    keyspace
      .range()
      .toArray()
      .map(([key]) => key),
  ).toStrictEqual(['moved', 'persisted', 'replaced']);
});

test('deadlines outlive the closing of the file', () => {
  const clock = steppedClock();
  const path = temporaryPath();
  const database = openHere(path, { clock: clock.read });
  database.keyspace('expiry').set('key', 'value', { ttl: 5 });
  database.close();
  clock.now += 2000;
  const reopened = openHere(path, { clock: clock.read });
  expect(reopened.keyspace('expiry').ttl('key')).toBe(3);
  clock.now += 3000;
  expect(reopened.keyspace('expiry').get('key')).toBeUndefined();
  expect(reopened.purgeExpired()).toBe(1);
  expect(reopened.verify()).toMatchObject({ ok: true, problems: [] });
});
