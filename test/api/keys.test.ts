/**
 * The section "Keys" of the contract: order, lengths, names, text and bytes.
 */
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

test('keys are in the unsigned byte order of their UTF-8', () => {
  const keyspace = memory().keyspace('keys');
  const ordered = ['', '\u0000', '\u0000\u0000', 'A', 'a', 'aa', 'b', '~', 'é', '€', '\uffff', '𝄞'];
  for (const key of ordered.toReversed()) keyspace.set(key, key);
  expect(
    keyspace
      .range()
      .toArray()
      .map(([key]) => key),
  ).toStrictEqual(ordered);
  const backwards = keyspace.range({ reverse: true }).toArray();
  expect(backwards.map(([key]) => key)).toStrictEqual(ordered.toReversed());
});

test('bytes keys are in unsigned byte order and come back as bytes', () => {
  const keyspace = memory().keyspace('keys', { keys: 'bytes' });
  const ordered = [
    [],
    [0],
    [0, 0],
    [0, 255],
    [1],
    [127],
    [128],
    [254],
    [255],
    [255, 0],
    [255, 255],
  ];
  const keys = ordered.map((bytes) => Uint8Array.from(bytes));
  for (const key of keys.toReversed()) keyspace.set(key, key.length);
  const read = keyspace
    .range()
    .toArray()
    .map(([key]) => key);
  expect(read.map((key) => key instanceof Uint8Array)).not.toContain(false);
  expect(read.map((key) => Array.from(key))).toStrictEqual(ordered);
  for (const key of keys) expect(keyspace.get(key)).toBe(key.length);
});

test('bytes keys that are read belong to the caller', () => {
  const keyspace = memory().keyspace('keys', { keys: 'bytes' });
  keyspace.set(Uint8Array.of(1, 2), 'value');
  const [pair] = keyspace.range().toArray();
  expect(pair![0].buffer).toBeInstanceOf(ArrayBuffer);
  pair![0].fill(9);
  expect(keyspace.get(Uint8Array.of(1, 2))).toBe('value');
});

test('an empty key and an empty value are allowed', () => {
  const keyspace = memory().keyspace('keys');
  keyspace.set('', '');
  expect(keyspace.get('')).toBe('');
  expect(keyspace.exists('')).toBe(true);
  expect(keyspace.count('')).toBe(1);
  expect(keyspace.range().toArray()).toStrictEqual([['', '']]);
  expect(keyspace.del('')).toBe(true);
  expect(keyspace.exists('')).toBe(false);
});

test('a key of 1024 bytes is the longest', () => {
  const keyspace = memory().keyspace('keys');
  const longest = ['k'.repeat(1024), 'é'.repeat(512), new Uint8Array(1024).fill(0x7a)];
  for (const key of longest) {
    keyspace.set(key, 'value');
    expect(keyspace.get(key)).toBe('value');
  }
  for (const key of ['k'.repeat(1025), `${'é'.repeat(512)}k`, new Uint8Array(1025).fill(0x7a)]) {
    expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.set(key, 'value'));
    expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.setBytes(key, 'value'));
    expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.setInteger(key, 1));
    expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.setFloat(key, 1));
    expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.incr(key));
  }
  expect(keyspace.count()).toBe(longest.length);
});

test('many of the longest keys with one shared prefix stay apart', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('keys');
  const keys = Array.from(
    { length: 300 },
    (_, index) => `${'p'.repeat(1020)}${String((index * 7) % 300).padStart(4, '0')}`,
  );
  database.batch(() => {
    for (const key of keys) keyspace.set(key, key.slice(-4));
  });
  const ordered = keys.toSorted();
  expect(
    keyspace
      .range()
      .toArray()
      .map(([key]) => key),
  ).toStrictEqual(ordered);
  expect(keyspace.getMany(keys)).toStrictEqual(keys.map((key) => key.slice(-4)));
  for (const key of keys) expect(keyspace.del(key)).toBe(true);
  expect(keyspace.stats()).toMatchObject({ keys: 0, depth: 0 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a key that is neither text nor bytes is a TypeError', () => {
  const keyspace = memory().keyspace('keys');
  for (const key of [undefined, null, 5, 5n, true, {}, [], new Uint16Array(1)]) {
    expectTypeError(() => keyspace.set(untyped(key), 'value'));
    expectTypeError(() => keyspace.get(untyped(key)));
    expectTypeError(() => keyspace.exists(untyped(key)));
    expectTypeError(() => keyspace.del(untyped(key)));
    expectTypeError(() => keyspace.incr(untyped(key)));
    expectTypeError(() => keyspace.getMany([untyped(key)]));
  }
  expect(keyspace.count()).toBe(0);
});

test('a keyspace of text keys refuses bytes that are not UTF-8', () => {
  const keyspace = memory().keyspace('keys', { keys: 'text' });
  for (const bytes of [[0xff], [0xc3], [0x61, 0x80], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    expectTypeError(() => keyspace.set(Uint8Array.from(bytes), 'value'));
  }
  expect(keyspace.count()).toBe(0);
});

test('a keyspace of text keys takes bytes that are UTF-8 as the same key', () => {
  const keyspace = memory().keyspace('keys', { keys: 'text' });
  keyspace.set(Buffer.from('é'), 'value');
  expect(keyspace.get('é')).toBe('value');
  expect(keyspace.range().toArray()).toStrictEqual([['é', 'value']]);
  expect(keyspace.del(Buffer.from('é'))).toBe(true);
});

test('a keyspace of bytes keys takes text as its UTF-8', () => {
  const keyspace = memory().keyspace('keys', { keys: 'bytes' });
  keyspace.set('é', 'value');
  expect(keyspace.get(Uint8Array.of(0xc3, 0xa9))).toBe('value');
  expect(Array.from(keyspace.range().toArray()[0]![0])).toStrictEqual([0xc3, 0xa9]);
  expect(keyspace.count(Uint8Array.of(0xc3))).toBe(1);
});

test('what keys a keyspace has is stored with it', () => {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('texts', { keys: 'text' }).set('a', 1);
  database.keyspace('bytes', { keys: 'bytes' }).set('a', 1);
  const expectMismatches = (from: typeof database): void => {
    expectCode('ERR_MNEME_TYPE_MISMATCH', () => from.keyspace('texts', { keys: 'bytes' }));
    expectCode('ERR_MNEME_TYPE_MISMATCH', () => from.keyspace('bytes', { keys: 'text' }));
    expect(from.keyspace('bytes', { keys: 'bytes' }).get('a')).toBe(1);
    expect(from.keyspace('texts', { keys: 'text' }).get('a')).toBe(1);
  };
  expectMismatches(database);
  database.close();
  expectMismatches(openHere(path));
});

test('a dropped keyspace may come back with other keys', () => {
  const database = memory();
  database.keyspace('one', { keys: 'text' }).set('a', 1);
  expect(database.dropKeyspace('one')).toBe(true);
  const bytes = database.keyspace('one', { keys: 'bytes' });
  bytes.set(Uint8Array.of(255), 2);
  expect(bytes.range().toArray()).toStrictEqual([[Uint8Array.of(255), 2]]);
});

test('a keyspace name has 1 to 255 bytes', () => {
  const database = memory();
  for (const name of ['n'.repeat(255), 'é'.repeat(127), ' ', '\u0000', ':memory:', '../..']) {
    const keyspace = database.keyspace(name);
    keyspace.set('key', name);
    expect(keyspace.name).toBe(name);
    expect(keyspace.get('key')).toBe(name);
    expect(database.keyspaces()).toContain(name);
  }
  for (const name of ['', 'n'.repeat(256), 'é'.repeat(128)]) {
    expectRangeError(() => database.keyspace(name));
  }
  for (const name of [undefined, null, 5, Buffer.from('name'), '\ud800']) {
    expectTypeError(() => database.keyspace(untyped(name)));
  }
});

test('keyspaces do not see each other', () => {
  const database = memory();
  const names = ['a', 'b', 'ab', 'ba'];
  for (const name of names) database.keyspace(name).set('key', name);
  for (const name of names) expect(database.keyspace(name).get('key')).toBe(name);
  expect(database.keyspace('a').del('key')).toBe(true);
  expect(database.keyspace('ab').get('key')).toBe('ab');
  expect(database.keyspaces().toSorted()).toStrictEqual(names.toSorted());
});

test('opening a keyspace for reading does not create it', () => {
  const database = memory();
  const keyspace = database.keyspace('absent');
  expect(keyspace.count()).toBe(0);
  expect(keyspace.range().toArray()).toStrictEqual([]);
  expect(keyspace.stats()).toStrictEqual({
    ...{ keys: 0, depth: 0, leafPages: 0, branchPages: 0, overflowPages: 0 },
    ...{ vectors: 0, sortedSets: 0, lists: 0 },
  });
  expect(database.keyspaces()).toStrictEqual([]);
  expect(database.dropKeyspace('absent')).toBe(false);
});

test('handles of a dropped keyspace find nothing and create it anew by writing', () => {
  const database = memory();
  const keyspace = database.keyspace('one');
  const other = database.keyspace('one');
  keyspace.set('a', 1);
  expect(database.dropKeyspace('one')).toBe(true);
  expect(database.dropKeyspace('one')).toBe(false);
  expect(keyspace.get('a')).toBeUndefined();
  expect(keyspace.count()).toBe(0);
  expect(database.keyspaces()).toStrictEqual([]);
  other.set('b', 2);
  expect(keyspace.range().toArray()).toStrictEqual([['b', 2]]);
  expect(database.keyspaces()).toStrictEqual(['one']);
});

test('dropping a large keyspace leaves the others whole and a sound file', () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096, cacheSize: 2 ** 20 });
  const large = database.keyspace('large');
  const small = database.keyspace('small');
  small.set('key', 'value');
  for (let batch = 0; batch < 5; batch++) {
    large.batch((writer) => {
      for (let index = 0; index < 2000; index++) {
        writer.set(`${batch}:${index}`, 'v'.repeat(index % 300));
      }
    });
  }
  large.set('overflow', 'x'.repeat(500_000));
  expect(database.dropKeyspace('large')).toBe(true);
  for (let index = 0; index < 20; index++) small.set('key', `value ${index}`);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  database.close();
  const reopened = openHere(path);
  expect(reopened.keyspaces()).toStrictEqual(['small']);
  expect(reopened.keyspace('small').get('key')).toBe('value 19');
  expect(reopened.keyspace('large').count()).toBe(0);
});

test('getMany answers in the order asked, repeated keys too, from any iterable', () => {
  const keyspace = memory().keyspace('keys');
  keyspace.set('a', 1);
  keyspace.set('b', 2);
  expect(keyspace.getMany(['b', 'x', 'a', 'b'])).toStrictEqual([2, undefined, 1, 2]);
  expect(keyspace.getMany(new Set(['a', 'b']))).toStrictEqual([1, 2]);
  const generate = function* (): Generator<string> {
    yield 'b';
    yield 'a';
  };
  expect(keyspace.getMany(generate())).toStrictEqual([2, 1]);
  expect(keyspace.getMany([])).toStrictEqual([]);
  expectTypeError(() => keyspace.getMany(untyped(5)));
  expectTypeError(() => keyspace.getMany(untyped(undefined)));
});

test('del says whether there was something to remove', () => {
  const keyspace = memory().keyspace('keys');
  expect(keyspace.del('a')).toBe(false);
  keyspace.set('a', 1);
  expect(keyspace.del('a')).toBe(true);
  expect(keyspace.del('a')).toBe(false);
  expect(keyspace.exists('a')).toBe(false);
});

test('thousands of keys in any order come back in theirs', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('keys');
  const keyAt = (index: number): string => String((index * 7919) % 10_007).padStart(6, '0');
  keyspace.batch((writer) => {
    for (let index = 0; index < 10_007; index++) writer.set(keyAt(index), index);
  });
  expect(keyspace.count()).toBe(10_007);
  const keys = keyspace
    .range()
    .toArray()
    .map(([key]) => key);
  expect(keys).toStrictEqual(keys.toSorted());
  expect(new Set(keys).size).toBe(10_007);
  keyspace.batch((writer) => {
    for (let index = 0; index < 10_007; index += 2) writer.del(keyAt(index));
  });
  expect(keyspace.count()).toBe(5003);
  expect(keyspace.get(keyAt(5001))).toBe(5001);
  expect(keyspace.get(keyAt(5002))).toBeUndefined();
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});
