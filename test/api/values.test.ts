/**
 * The table "Values" of the contract, row by row.
 */

import type { Value } from 'mneme';
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

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

const texts = ['', 'a', 'plain', '\u0000', '\ufeffa mark first', 'é€𝄞', '\uffff', 'e\u0301'];
const integers = [
  ...[0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 65536],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32)],
  ...[2 ** 47, -(2 ** 47), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
];
const floats = [
  ...[-0, NaN, Infinity, -Infinity, 0.1, -1.5, 1e-7, Number.MIN_VALUE, Number.MAX_VALUE],
  ...[2 ** 53, -(2 ** 53), 2 ** 53 + 2, 2 ** 60, 2 ** 63, -(2 ** 63), 1e300],
];
const unsafeBigints = [2n ** 53n, -(2n ** 53n), 2n ** 62n + 1n, INT64_MAX, INT64_MIN];
const byteArrays = [[], [0], [255, 0, 128], Array.from({ length: 300 }, (_, index) => index % 256)];

const allValues: readonly Value[] = [
  ...texts,
  ...integers,
  ...floats,
  ...unsafeBigints,
  ...byteArrays.map((bytes) => Uint8Array.from(bytes)),
];

test('whatever was set comes back the same through get, getMany and range', () => {
  const keyspace = memory().keyspace('values');
  const keys = allValues.map((_, index) => String(index).padStart(4, '0'));
  allValues.forEach((value, index) => {
    keyspace.set(keys[index]!, value);
  });
  allValues.forEach((value, index) => {
    expect(keyspace.get(keys[index]!)).toStrictEqual(value);
  });
  expect(keyspace.getMany(keys)).toStrictEqual(allValues);
  expect(
    keyspace
      .range()
      .toArray()
      .map(([, value]) => value),
  ).toStrictEqual(allValues);
});

test('whatever was set comes back the same after the file was closed and opened again', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const keyspace = database.keyspace('values');
  database.batch(() => {
    allValues.forEach((value, index) => {
      keyspace.set(`${index}`, value);
    });
  });
  database.close();
  const reopened = openHere(path).keyspace('values');
  const keys = allValues.map((_, index) => `${index}`);
  expect(reopened.getMany(keys)).toStrictEqual(allValues);
});

test('a missing key is undefined for every read', () => {
  const keyspace = memory().keyspace('values');
  expect(keyspace.get('missing')).toBeUndefined();
  expect(keyspace.getMany(['missing', 'too'])).toStrictEqual([undefined, undefined]);
  expect(keyspace.typeOf('missing')).toBeUndefined();
  expect(keyspace.ttl('missing')).toBeUndefined();
  expect(keyspace.exists('missing')).toBe(false);
});

test('a value is of the type that it was given as', () => {
  const keyspace = memory().keyspace('values');
  const typeAfterSet = (value: Value): string | undefined => {
    keyspace.set('key', value);
    return keyspace.typeOf('key');
  };
  for (const value of texts) expect(typeAfterSet(value)).toBe('text');
  for (const value of integers) expect(typeAfterSet(value)).toBe('integer');
  for (const value of floats) expect(typeAfterSet(value)).toBe('float');
  for (const value of unsafeBigints) expect(typeAfterSet(value)).toBe('integer');
  for (const value of [0n, -1n, 7n]) expect(typeAfterSet(value)).toBe('integer');
  for (const value of byteArrays) expect(typeAfterSet(Uint8Array.from(value))).toBe('bytes');
  expect(typeAfterSet(5.0)).toBe('integer');
});

test('a safe bigint reads as a number in mode auto, an unsafe one as a bigint', () => {
  const keyspace = memory().keyspace('values', { integers: 'auto' });
  for (const value of [0n, -1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n]) {
    keyspace.set('key', value);
    expect(keyspace.get('key')).toBe(Number(value));
  }
  keyspace.set('key', 2n ** 53n);
  expect(keyspace.get('key')).toBe(2n ** 53n);
});

test('every integer reads as a bigint in mode bigint, and floats stay numbers', () => {
  const keyspace = memory().keyspace('values', { integers: 'bigint' });
  for (const value of [...integers, ...unsafeBigints]) {
    keyspace.set('key', value);
    expect(keyspace.get('key')).toBe(BigInt(value));
    expect(keyspace.getMany(['key'])).toStrictEqual([BigInt(value)]);
    expect(keyspace.range().toArray()).toStrictEqual([['key', BigInt(value)]]);
  }
  keyspace.set('key', 2 ** 53);
  expect(keyspace.get('key')).toBe(2 ** 53);
});

test('mode number reads safe integers as numbers and throws on unsafe ones', () => {
  const database = memory();
  const asNumber = database.keyspace('values', { integers: 'number' });
  asNumber.set('safe', 2n ** 53n - 1n);
  asNumber.set('unsafe', 2n ** 53n);
  expect(asNumber.get('safe')).toBe(2 ** 53 - 1);
  expect(() => asNumber.get('unsafe')).toThrow(Error);
  expect(asNumber.typeOf('unsafe')).toBe('integer');
  expect(database.keyspace('values').get('unsafe')).toBe(2n ** 53n);
});

test('an unknown integer mode is refused', () => {
  const database = memory();
  expect(() => database.keyspace('values', { integers: untyped('float') })).toThrow(Error);
});

test('bytes that are read belong to the caller', () => {
  const keyspace = memory().keyspace('values');
  for (const length of [1, 100, 5_000, 200_000]) {
    keyspace.set('key', new Uint8Array(length).fill(7));
    const read = keyspace.get('key') as Uint8Array;
    expect(read.buffer).toBeInstanceOf(ArrayBuffer);
    read.fill(9);
    expect(keyspace.get('key')).toStrictEqual(new Uint8Array(length).fill(7));
    const [pair] = keyspace.range().toArray();
    expect((pair![1] as Uint8Array).buffer).toBeInstanceOf(ArrayBuffer);
  }
});

test('bytes that were given may be changed afterwards, in a batch too', () => {
  const database = memory();
  const keyspace = database.keyspace('values');
  const given = Uint8Array.of(1, 2, 3);
  const key = Uint8Array.of(0x61);
  database.batch(() => {
    keyspace.set(key, given);
    given.fill(9);
    key.fill(0x62);
  });
  expect(keyspace.range().toArray()).toStrictEqual([['a', Uint8Array.of(1, 2, 3)]]);
});

test('a Buffer, a part of a larger array and shared bytes are bytes', () => {
  const keyspace = memory().keyspace('values');
  keyspace.set('buffer', Buffer.from('abc'));
  keyspace.set('part', Uint8Array.of(1, 2, 3, 4, 5).subarray(1, 4));
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set([7, 8, 9]);
  keyspace.set('shared', shared);
  expect(Array.from(keyspace.get('buffer') as Uint8Array)).toStrictEqual([0x61, 0x62, 0x63]);
  expect(keyspace.get('part')).toStrictEqual(Uint8Array.of(2, 3, 4));
  expect(keyspace.get('shared')).toStrictEqual(Uint8Array.of(7, 8, 9));
});

test('a bigint outside int64 is a RangeError and changes nothing', () => {
  const keyspace = memory().keyspace('values');
  keyspace.set('key', 'old');
  for (const value of [INT64_MAX + 1n, INT64_MIN - 1n, 2n ** 64n, -(2n ** 100n)]) {
    expectRangeError(() => keyspace.set('key', value));
    expectRangeError(() => keyspace.setInteger('key', value));
  }
  expect(keyspace.get('key')).toBe('old');
});

test('setInteger takes safe whole numbers and int64 only', () => {
  const keyspace = memory().keyspace('values');
  for (const value of [1.5, 2 ** 60, 2 ** 53, NaN, Infinity, -Infinity]) {
    expectRangeError(() => keyspace.setInteger('key', value));
  }
  for (const value of ['5', null, undefined, true, {}]) {
    expectTypeError(() => keyspace.setInteger('key', untyped(value)));
  }
  expect(keyspace.exists('key')).toBe(false);
  for (const value of [5, 5n, -7, INT64_MAX, INT64_MIN]) {
    keyspace.setInteger('key', value);
    expect(keyspace.typeOf('key')).toBe('integer');
    expect(BigInt(keyspace.get('key') as number | bigint)).toBe(BigInt(value));
  }
});

test('setFloat stores a whole number as a float and takes numbers only', () => {
  const keyspace = memory().keyspace('values');
  for (const value of [5, 0, -0, NaN, 0.5, Infinity]) {
    keyspace.setFloat('key', value);
    expect(keyspace.typeOf('key')).toBe('float');
    expect(keyspace.get('key')).toBe(value);
  }
  for (const value of ['5', 5n, null, undefined]) {
    expectTypeError(() => keyspace.setFloat('key', untyped(value)));
  }
});

test('setBytes stores text as its UTF-8 bytes', () => {
  const keyspace = memory().keyspace('values');
  keyspace.setBytes('key', 'é𝄞');
  expect(keyspace.typeOf('key')).toBe('bytes');
  expect(keyspace.get('key')).toStrictEqual(Uint8Array.of(0xc3, 0xa9, 0xf0, 0x9d, 0x84, 0x9e));
  keyspace.setBytes('key', Uint8Array.of(0xff));
  expect(keyspace.get('key')).toStrictEqual(Uint8Array.of(0xff));
  keyspace.setBytes('key', '');
  expect(keyspace.get('key')).toStrictEqual(new Uint8Array(0));
  for (const value of [5, 5n, null, undefined, '\ud800']) {
    expectTypeError(() => keyspace.setBytes('key', untyped(value)));
  }
});

test('what is no value is a TypeError and changes nothing', () => {
  const keyspace = memory().keyspace('values');
  keyspace.set('key', 'old');
  const wrong = [
    ...[undefined, null, true, false, {}, [], [1], new Date(), () => 1, Symbol('s')],
    ...[new ArrayBuffer(2), new Uint16Array(2), new DataView(new ArrayBuffer(2)), new Map()],
  ];
  for (const value of wrong) expectTypeError(() => keyspace.set('key', untyped(value)));
  expect(keyspace.get('key')).toBe('old');
});

test('a lone surrogate is a TypeError as value and as key', () => {
  const keyspace = memory().keyspace('values');
  for (const text of ['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\udc00\ud800']) {
    expectTypeError(() => keyspace.set('key', text));
    expectTypeError(() => keyspace.set(text, 'value'));
    expectTypeError(() => keyspace.set('key', `${'x'.repeat(100_000)}${text}`));
  }
  expect(keyspace.count()).toBe(0);
});

test('values of every length around pages and extents come back whole', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('values');
  const lengths = [
    ...[1000, 1023, 1024, 1025, 1360, 2047, 2048, 4000, 4073, 4096, 4097, 8192, 65_535, 65_536],
    ...[2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 17],
  ];
  for (const length of lengths) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 251);
    keyspace.set(`bytes ${length}`, bytes);
    keyspace.set(`text ${length}`, 'é€𝄞z'.repeat(Math.ceil(length / 5)));
    expect(Buffer.compare(keyspace.get(`bytes ${length}`) as Uint8Array, bytes)).toBe(0);
  }
  for (const length of lengths) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 251);
    const read = keyspace.get(`bytes ${length}`) as Uint8Array;
    expect(Buffer.compare(read, bytes)).toBe(0);
    const text = 'é€𝄞z'.repeat(Math.ceil(length / 5));
    expect(keyspace.get(`text ${length}`) === text).toBe(true);
  }
  expect(keyspace.stats().overflowPages).toBeGreaterThan(0);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a large value that is replaced or removed gives its pages back', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('values');
  keyspace.set('key', 'x'.repeat(300_000));
  expect(keyspace.stats().overflowPages).toBeGreaterThan(70);
  keyspace.set('key', 'short');
  expect(keyspace.stats().overflowPages).toBe(0);
  for (let round = 0; round < 40; round++) keyspace.set('key', `${round}`.repeat(150_000));
  expect(database.stats().fileSize).toBeLessThan(20 * 300_000);
  expect(keyspace.del('key')).toBe(true);
  expect(keyspace.stats()).toMatchObject({ keys: 0, depth: 0, leafPages: 0, overflowPages: 0 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a value of 1 GiB is too large and changes nothing', () => {
  const keyspace = memory().keyspace('values');
  keyspace.set('key', 'old');
  const large = new Uint8Array(2 ** 30);
  expectCode('ERR_MNEME_VALUE_TOO_LARGE', () => keyspace.set('key', large));
  expectCode('ERR_MNEME_VALUE_TOO_LARGE', () => keyspace.setBytes('key', large));
  expect(keyspace.get('key')).toBe('old');
});

test('a value of another type takes the place of the old one', () => {
  const keyspace = memory().keyspace('values');
  for (const value of ['text', 1, 0.5, Uint8Array.of(1), 2n ** 60n, 'x'.repeat(100_000), '']) {
    keyspace.set('key', value);
    expect(keyspace.get('key')).toStrictEqual(value);
    expect(keyspace.count()).toBe(1);
  }
});
