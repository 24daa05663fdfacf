/**
 * The contract of sorted sets, call by call and at its edges.
 */
import { attach } from 'mneme';
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

function filled() {
  const database = memory({ pageSize: 4096 });
  const keyspace = database.keyspace('a');
  const set = keyspace.sortedSet('scores');
  set.add(3, 'c', 1, 'a', 2, 'b', 2, 'bb', -1, 'z');
  return { database, keyspace, set };
}

test('add answers how many members are new, and the last score of a member wins', () => {
  const { database, set } = filled();
  expect(set.card()).toBe(5);
  expect(set.add(9, 'a', 10, 'new', 11, 'new')).toBe(1);
  expect(set.score('a')).toBe(9);
  expect(set.score('new')).toBe(11);
  expect(set.score('none')).toBeUndefined();
  expect([...set].map(({ member }) => member)).toEqual(['z', 'b', 'bb', 'c', 'a', 'new']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('scores order by value, infinities included, equal ones by member bytes', () => {
  const { set } = filled();
  set.clear();
  set.add(Number.POSITIVE_INFINITY, 'top', Number.NEGATIVE_INFINITY, 'low', -0, 'zero', 0, 'alpha');
  set.add(Number.MIN_VALUE, 'tiny', -Number.MIN_VALUE, 'below', 5e300, 'big', -5e300, 'small');
  const members = ['low', 'small', 'below', 'alpha', 'zero', 'tiny', 'big', 'top'];
  expect([...set.iter()].map(({ member }) => member)).toEqual(members);
  expect([...set.iter({ reverse: true })].map(({ member }) => member)).toEqual(
    members.toReversed(),
  );
  expect(Object.is(set.score('zero'), 0)).toBe(true);
  members.forEach((member, rank) => {
    expect(set.rank(member)).toBe(rank);
    expect(set.rank(member, { reverse: true })).toBe(members.length - 1 - rank);
  });
});

test('ranges by score take bounds, offset, limit and the reverse', () => {
  const { set } = filled();
  const names = (entries: { member: string }[]) => entries.map(({ member }) => member);
  expect(names(set.rangeByScore(1, 2))).toEqual(['a', 'b', 'bb']);
  expect(names(set.rangeByScore(2, 1))).toEqual([]);
  expect(names(set.rangeByScore(2, 1, { reverse: true }))).toEqual(['bb', 'b', 'a']);
  expect(names(set.rangeByScore(1, 2, { reverse: true }))).toEqual([]);
  expect(names(set.rangeByScore(-9, 9, { offset: 1, limit: 2 }))).toEqual(['a', 'b']);
  expect(names(set.rangeByScore(9, -9, { offset: 1, limit: 2, reverse: true }))).toEqual([
    'bb',
    'b',
  ]);
  expect(set.rangeByScore(-9, 9, { limit: 0 })).toEqual([]);
  expect(set.rangeByScore(-9, 9, { offset: 9 })).toEqual([]);
  const all = set.rangeByScore(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  expect(all).toEqual(set.iter().toArray());
  expect(all[0]).toEqual({ score: -1, member: 'z' });
});

test('ranges by rank clamp, and negative ranks count from the end', () => {
  const { set } = filled();
  const names = (start: number, stop: number, reverse = false) =>
    set.rangeByRank(start, stop, { reverse }).map(({ member }) => member);
  expect(names(0, -1)).toEqual(['z', 'a', 'b', 'bb', 'c']);
  expect(names(1, 2)).toEqual(['a', 'b']);
  expect(names(-2, -1)).toEqual(['bb', 'c']);
  expect(names(-100, 100)).toEqual(['z', 'a', 'b', 'bb', 'c']);
  expect(names(3, 1)).toEqual([]);
  expect(names(5, 9)).toEqual([]);
  expect(names(0, -9)).toEqual([]);
  expect(names(0, 1, true)).toEqual(['c', 'bb']);
  expect(names(-1, -1, true)).toEqual(['z']);
});

test('members are removed, and an empty set is gone', () => {
  const { database, keyspace, set } = filled();
  expect(keyspace.stats()).toMatchObject({ keys: 0, sortedSets: 1, lists: 0 });
  expect(set.rem('a', 'a', 'none', 'z')).toBe(2);
  expect(set.rem()).toBe(0);
  expect(set.card()).toBe(3);
  expect(set.rem('b', 'bb', 'c')).toBe(3);
  expect(set.card()).toBe(0);
  expect(set.rank('b')).toBeUndefined();
  expect(set.rangeByRank(0, -1)).toEqual([]);
  expect(keyspace.stats()).toMatchObject({ sortedSets: 0 });
  expect(set.clear()).toBe(0);
  expect(set.add(1, 'again')).toBe(1);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('batchIncr adds in one transaction; a member that is given twice counts twice', () => {
  const { database, set } = filled();
  const before = database.info().txnId;
  expect(set.batchIncr(['a', 'new', 'a'], 2.5)).toEqual([3.5, 2.5, 6]);
  expect(database.info().txnId).toBe(before + 1n);
  expect(set.batchIncr(['a'])).toEqual([7]);
  expect(set.batchIncr([])).toEqual([]);
  expect(set.batchIncr(['zero'], -0).map((sum) => Object.is(sum, 0))).toEqual([true]);
  const many = Array.from({ length: 20_000 }, (_, index) => `m${index}`);
  expect(set.batchIncr(new Set(many), 3)).toEqual(many.map(() => 3));
  expect(set.card()).toBe(20_007);
});

test('a sum that is no number changes nothing, in a batch too', () => {
  const { database, set } = filled();
  set.add(Number.POSITIVE_INFINITY, 'top');
  const before = set.iter().toArray();
  expectRangeError(() => set.batchIncr(['a', 'top', 'b'], Number.NEGATIVE_INFINITY));
  database.batch(() => {
    set.add(77, 'kept');
    expectRangeError(() => set.batchIncr(['fresh', 'top'], Number.NEGATIVE_INFINITY));
    const many = Array.from({ length: 9000 }, (_, index) => `m${index}`);
    expectRangeError(() => set.batchIncr([...many, 'top'], Number.NEGATIVE_INFINITY));
  });
  expect(set.score('kept')).toBe(77);
  set.rem('kept');
  expect(set.iter().toArray()).toEqual(before);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('wrong arguments are refused and nothing is written', () => {
  const { keyspace, set } = filled();
  const before = set.iter().toArray();
  expectRangeError(() => set.add(Number.NaN, 'x'));
  expectRangeError(() => set.add(1, 'x', Number.NaN, 'y'));
  expectTypeError(() => set.add(1, 'x', untyped(2)));
  expectTypeError(() => set.add(1, untyped(2)));
  expectTypeError(() => set.add(untyped('1'), 'x'));
  expectTypeError(() => set.add(1, 'x', untyped('y'), untyped(3)));
  expectTypeError(() => set.add(1, '\ud800'));
  expectTypeError(() => set.add(1, Uint8Array.of(255)));
  expectTypeError(() => set.rem('a', untyped(undefined)));
  expectCode('ERR_MNEME_KEY_TOO_LARGE', () => set.add(1, 'x', 2, 'y'.repeat(1025)));
  expectCode('ERR_MNEME_KEY_TOO_LARGE', () => set.rem('a', 'y'.repeat(1025)));
  expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.sortedSet('y'.repeat(1025)));
  expectTypeError(() => keyspace.sortedSet(untyped(7)));
  expectTypeError(() => set.batchIncr(untyped(7)));
  expectTypeError(() => set.batchIncr(['a', untyped(7)]));
  expectTypeError(() => set.batchIncr(['a'], untyped('1')));
  expectRangeError(() => set.batchIncr(['a'], Number.NaN));
  expectRangeError(() => set.rangeByRank(0.5, 1));
  expectTypeError(() => set.rangeByRank(0, untyped('1')));
  expectRangeError(() => set.rangeByScore(Number.NaN, 1));
  expectTypeError(() => set.rangeByScore(0, untyped('1')));
  expectRangeError(() => set.rangeByScore(0, 1, { limit: -1 }));
  expectRangeError(() => set.rangeByScore(0, 1, { offset: 0.5 }));
  expectTypeError(() => set.rank('a', { reverse: untyped(1) }));
  expect(set.iter().toArray()).toEqual(before);
});

test('the longest members and names fit, as text and as bytes', () => {
  const { database, keyspace } = filled();
  const name = 'é'.repeat(512);
  const set = keyspace.sortedSet(name);
  const member = '€'.repeat(341);
  expect(set.add(1, member, 2, '', 3, Buffer.from('bytes'))).toBe(3);
  expect(keyspace.sortedSet(Buffer.from(name)).score(Buffer.from(member))).toBe(1);
  expect([...set].map((entry) => entry.member)).toEqual([member, '', 'bytes']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('sets, lists, values of one name live side by side, and small sets share pages', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, sync: 'none' });
  const keyspace = database.keyspace('a');
  const live = database.stats().livePages;
  database.batch(() => {
    for (let set = 0; set < 3000; set++) keyspace.sortedSet(`s${set}`).add(set, 'one', 1, 'two');
    keyspace.set('s1', 'value');
    keyspace.list('s1').rpush('element');
  });
  expect(keyspace.stats()).toMatchObject({ keys: 1, sortedSets: 3000, lists: 1 });
  expect(database.stats().livePages - live).toBeLessThan(600);
  expect(keyspace.del('s1')).toBe(true);
  expect(keyspace.sortedSet('s1').card()).toBe(2);
  expect(keyspace.list('s1').len()).toBe(1);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(database.dropKeyspace('a')).toBe(true);
  expect(keyspace.sortedSet('s1').card()).toBe(0);
  database.batch(() => keyspace.set('more', 1));
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(database.stats().livePages - live).toBeLessThan(20);
});

test('clear takes a large set away by subtrees, and leaves its neighbours', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20, sync: 'none' });
  const keyspace = database.keyspace('a');
  const [before, large, after] = ['b', 'l', 'z'].map((name) => keyspace.sortedSet(name));
  before?.add(1, 'x');
  for (let round = 0; round < 20; round++) {
    const pairs = Array.from({ length: 1000 }, (_, at) => [at % 77, `m${round}-${at}`]).flat();
    large?.add(0, `first ${round}`, ...pairs);
  }
  after?.add(2, 'y');
  expect(large?.card()).toBe(20_020);
  expect(large?.clear()).toBe(20_020);
  expect([before?.card(), large?.card(), after?.card()]).toEqual([1, 0, 1]);
  expect(keyspace.stats().sortedSets).toBe(2);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a batch reads its own writes, a savepoint goes back, handles end with it', () => {
  const { database, set } = filled();
  const kept: unknown[] = [];
  database.batch((tx) => {
    const inner = tx.keyspace('a').sortedSet('scores');
    kept.push(inner);
    expect(inner.add(100, 'late')).toBe(1);
    expect(inner.rank('late')).toBe(5);
    expect(set.card()).toBe(6);
    const iterator = inner.iter();
    inner.rem('a');
    expect(() =>
      database.batch(() => {
        inner.clear();
        inner.add(1, 'lost');
        expect(inner.card()).toBe(1);
        throw new Error('undone');
      }),
    ).toThrow('undone');
    expect(inner.card()).toBe(5);
    expect([...iterator].length).toBe(6);
    expect(database.snapshot().keyspace('a').sortedSet('scores').card()).toBe(5);
  });
  const [inner] = kept as [typeof set];
  for (const call of [
    () => inner.add(1, 'x'),
    () => inner.rem('x'),
    () => inner.card(),
    () => inner.score('a'),
    () => inner.rank('a'),
    () => inner.iter(),
    () => inner.rangeByRank(0, 1),
    () => inner.rangeByScore(0, 1),
    () => inner.batchIncr(['a']),
    () => inner.clear(),
  ]) {
    expectCode('ERR_MNEME_BATCH_CLOSED', call);
  }
  expect(set.card()).toBe(5);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a snapshot keeps its set, an iterator too, and neither writes', () => {
  const { database, set } = filled();
  const snapshot = database.snapshot();
  const seen = snapshot.keyspace('a').sortedSet('scores');
  const iterator = set.iter();
  const before = seen.iter().toArray();
  set.clear();
  set.add(5, 'other');
  expect(seen.iter().toArray()).toEqual(before);
  expect(seen.card()).toBe(5);
  expect(seen.rank('a')).toBe(1);
  expect(iterator.toArray()).toEqual(before);
  expectCode('ERR_MNEME_READONLY', () => seen.add(1, 'x'));
  expectCode('ERR_MNEME_READONLY', () => seen.rem('a'));
  expectCode('ERR_MNEME_READONLY', () => seen.batchIncr(['a']));
  expectCode('ERR_MNEME_READONLY', () => seen.clear());
  snapshot.close();
  expectCode('ERR_MNEME_CLOSED', () => seen.card());
});

test('sets outlive a reopen, read-only ones refuse to write', () => {
  const path = temporaryPath();
  const first = openHere(path);
  first.keyspace('a', { keys: 'bytes' }).sortedSet('s').add(1, 'x', 2, 'y');
  first.close();
  const second = openHere(path, { readonly: true });
  const set = second.keyspace('a', { keys: 'bytes' }).sortedSet('s');
  expect([...set]).toEqual([
    { score: 1, member: 'x' },
    { score: 2, member: 'y' },
  ]);
  expectCode('ERR_MNEME_READONLY', () => set.add(1, 'z'));
  expect(second.verify()).toMatchObject({ ok: true, problems: [] });
  second.close();
  expectCode('ERR_MNEME_CLOSED', () => set.card());
  expectCode('ERR_MNEME_CLOSED', () => set.add(1, 'z'));
});

test('a batch counts new members right, whatever it did to them before', () => {
  const { database, keyspace, set } = filled();
  database.batch((tx) => {
    expect(set.add(1, 'a', 2, 'n1', 3, 'n1')).toBe(1);
    expect(keyspace.sortedSet(Buffer.from('scores')).add(5, Buffer.from('n1'), 6, 'n2')).toBe(1);
    expect(set.rem('a', 'n2')).toBe(2);
    expect(set.add(1, 'a', 2, 'n1', 3, 'n2')).toBe(2);
    expect(set.batchIncr(['n3'])).toEqual([1]);
    expect(set.add(1, 'n3', 1, 'n4')).toBe(1);
    expect(() =>
      database.batch(() => {
        expect(set.add(1, 'lost', 1, 'n5')).toBe(2);
        throw new Error('undone');
      }),
    ).toThrow('undone');
    expect(set.add(1, 'n5', 1, 'n4')).toBe(1);
    expect(set.card()).toBe(10);
    expect(set.clear()).toBe(10);
    expect(set.add(1, 'a', 1, 'n5', 1, 'b')).toBe(3);
    expect(tx.dropKeyspace('a')).toBe(true);
    expect(set.add(1, 'a', 1, 'c')).toBe(2);
  });
  database.batch(() => {
    expect(set.clear()).toBe(2);
    expect(set.add(1, 'a', 1, 'd')).toBe(2);
    expect(set.add(1, 'a', 1, 'e')).toBe(1);
  });
  expect([...set].map(({ member }) => member)).toEqual(['a', 'd', 'e']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('one add of very many members in a batch counts them all', () => {
  const { database, set } = filled();
  const pairs = Array.from({ length: 30_000 }, (_, index) => [index, `m${index}`]).flat();
  database.batch(() => {
    expect(set.add(0, 'a', ...pairs)).toBe(30_000);
    expect(set.add(1, 'a', ...pairs)).toBe(0);
  });
  expect(set.card()).toBe(30_005);
  expect(set.rank('m29999')).toBe(30_004);
});

test('another thread reads and writes the same sets', () => {
  const { database, set } = filled();
  const other = attach(database.share());
  const same = other.keyspace('a').sortedSet('scores');
  expect(same.rank('a')).toBe(1);
  expect(same.add(50, 'theirs')).toBe(1);
  expect(set.rank('theirs')).toBe(5);
  other.batch(() => {
    expect(same.add(60, 'theirs', 70, 'new')).toBe(1);
  });
  expect(set.rangeByRank(-2, -1)).toEqual([
    { score: 60, member: 'theirs' },
    { score: 70, member: 'new' },
  ]);
  other.keyspace('a').list('l').rpush(1, 2);
  expect(database.keyspace('a').list('l').lpop()).toBe(1);
  other.close();
});
