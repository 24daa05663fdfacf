/**
 * What vectors are refused and how, and that nothing has changed then.
 */
import type { Key, Keyspace } from 'mneme';
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

function filled() {
  const database = memory({ pageSize: 4096 });
  const keyspace = database.keyspace('a');
  keyspace.vset('east', [1, 0, 0]);
  keyspace.vset('north', [0, 2, 0]);
  keyspace.vset('west', [-3, 0, 0]);
  keyspace.set('east', 'a value');
  return { database, keyspace };
}

function keysOf<K extends Key>(hits: readonly { key: K }[]): K[] {
  return hits.map(({ key }) => key);
}

function expectUnchanged(keyspace: Keyspace): void {
  expect(keyspace.vcount()).toBe(3);
  expect(keyspace.vdim()).toBe(3);
  expect(keysOf(keyspace.vsearch([1, 0, 0]))).toEqual(['east', 'north', 'west']);
}

test('another dimension is refused before all else, and both are told', () => {
  const { keyspace } = filled();
  const [short, none, wrong] = [[1, 2], [], ['a', Number.NaN]];
  const calls: ((vector: number[]) => unknown)[] = [
    (vector) => keyspace.vset('new', vector),
    (vector) => keyspace.vsearch(vector),
    (vector) => keyspace.vsearch(vector, { topK: 0 }),
    (vector) => keyspace.vsearch(vector, { topK: -1 }),
    (vector) => keyspace.vsearch(vector, { metric: untyped('none'), filter: untyped(5) }),
    (vector) => keyspace.vsearchMany([[1, 0, 0], vector]),
  ];
  for (const call of calls) {
    for (const vector of [short, none, untyped(wrong)]) {
      const { details } = expectCode('ERR_MNEME_DIMENSION_MISMATCH', () => call(vector));
      expect(details).toEqual({ expected: 3, actual: vector.length });
    }
  }
  expectUnchanged(keyspace);
});

test('a new handle and a batch know the dimension too', () => {
  const { database } = filled();
  for (const vector of [[], [1], [1, 2, 3, 4], new Float32Array(16385)]) {
    expectCode('ERR_MNEME_DIMENSION_MISMATCH', () => database.keyspace('a').vset('k', vector));
  }
  const error = thrownBy(() => {
    database.batch(() => {
      database.keyspace('new').vset('k', [1, 2]);
      database.keyspace('new').vset('l', [1]);
    });
  });
  expect(error).toMatchObject({ details: { expected: 2, actual: 1 } });
  expect(database.keyspace('new').vdim()).toBeUndefined();
});

test('numbers that float32 does not have are refused, and nothing is stored', () => {
  const { database, keyspace } = filled();
  const { NaN: none, POSITIVE_INFINITY: high, NEGATIVE_INFINITY: low } = Number;
  for (const wrong of [none, high, low, 3.5e38, -3.5e38, Number.MAX_VALUE]) {
    for (const vector of [
      [wrong, 0, 0],
      [0, 0, wrong],
      Float64Array.of(0, wrong, 0),
      { length: 3, 0: 0, 1: 0, 2: wrong },
    ]) {
      expectRangeError(() => keyspace.vset('east', vector));
      expectRangeError(() => database.keyspace('new').vset('first', vector));
      expectRangeError(() => keyspace.vsearch(vector));
      expectRangeError(() => keyspace.vsearchMany([[1, 0, 0], vector]));
      expectRangeError(() => database.keyspace('none').vsearch(vector));
    }
  }
  for (const wrong of [none, high, low]) {
    expectRangeError(() => keyspace.vset('new', Float32Array.of(0, wrong, 0)));
  }
  expect(keyspace.vget('east')).toEqual(Float32Array.of(1, 0, 0));
  expect(database.keyspace('new').vdim()).toBeUndefined();
  expect(database.keyspaces()).toEqual(['a']);
  expectUnchanged(keyspace);
});

test('what is no vector of numbers is a type error', () => {
  const { keyspace } = filled();
  const holes = [1, 0, 0];
  delete holes[1];
  const vectors = [
    ...[['1', '0', '0'], [1, null, 0], [1, undefined, 0], holes, [1n, 0n, 0n], [[1], 0, 0]],
    ...[BigInt64Array.of(1n, 0n, 0n), undefined, null, 5, 'abc', true, {}, new Map(), () => 0],
    ...[
      { length: '3', 0: 1, 1: 0, 2: 0 },
      { length: 3, 0: 1, 1: 0 },
    ],
  ];
  for (const vector of vectors) {
    expectTypeError(() => keyspace.vset('new', untyped(vector)));
    expectTypeError(() => keyspace.vsearch(untyped(vector)));
    expectTypeError(() => keyspace.vsearchMany([[1, 0, 0], untyped(vector)]));
  }
  for (const queries of [undefined, null, 5, 'abc', {}, new Float32Array(3), [1, 0, 0]]) {
    expectTypeError(() => keyspace.vsearchMany(untyped(queries)));
  }
  expect(keyspace.vsearchMany([])).toEqual([]);
  expectUnchanged(keyspace);
});

test('a dimension is from 1 to 16384', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  expectRangeError(() => keyspace.vset('none', []));
  expectRangeError(() => keyspace.vset('long', new Float32Array(16385)));
  expect(keyspace.vdim()).toBeUndefined();
  const longest = Float32Array.from({ length: 16384 }, (_, at) => Math.sin(at));
  keyspace.vset('longest', longest);
  keyspace.vset('zero', new Float32Array(16384));
  expect(keyspace.vdim()).toBe(16384);
  expect(keyspace.vget('longest')).toEqual(longest);
  expect(keyspace.vsearch(longest, { metric: 'l2', topK: 1 })).toEqual([
    { key: 'longest', score: 0 },
  ]);
  database.keyspace('b').vset('single', [-7]);
  expect(database.keyspace('b').vsearch([2])).toEqual([{ key: 'single', score: 2 }]);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('vectors come as any list of numbers, and are rounded to float32', () => {
  const keyspace = memory().keyspace('a');
  const shared = new Float32Array(new SharedArrayBuffer(40), 8, 2);
  shared.set([0.1, -2]);
  const forms: ArrayLike<number>[] = [
    ...[[0.1, -2], Float64Array.of(0.1, -2), Float32Array.of(0.1, -2), shared],
    ...[{ length: 2, 0: 0.1, 1: -2 }, Float64Array.of(9, 0.1, -2, 9).subarray(1, 3)],
  ];
  forms.forEach((form, index) => {
    keyspace.vset(`${index}`, form);
    expect(keyspace.vget(`${index}`)).toStrictEqual(Float32Array.of(0.1, -2));
    const [hit] = keyspace.vsearch(form, { metric: 'l2', includeVectors: true });
    expect(hit).toStrictEqual({ key: '0', score: 0, vector: Float32Array.of(0.1, -2) });
  });
  keyspace.vset('bytes', Uint8Array.of(3, 255));
  expect(keyspace.vget('bytes')).toStrictEqual(Float32Array.of(3, 255));
  keyspace.vset('ends', [-0, 2 ** -149]);
  expect(keyspace.vget('ends')).toStrictEqual(Float32Array.of(-0, 2 ** -149));
  keyspace.vset('ends', [3.4028234663852886e38, -3.4028234663852886e38]);
  expect(keyspace.vget('ends')?.[0]).toBe(3.4028234663852886e38);
});

test('options of the wrong type or range are refused', () => {
  const { database, keyspace } = filled();
  const query = [1, 0, 0];
  const many = (options: object) => keyspace.vsearchMany([query], options);
  for (const topK of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expectRangeError(() => keyspace.vsearch(query, { topK }));
    expectRangeError(() => many({ topK }));
    expectRangeError(() => database.keyspace('none').vsearch(query, { topK }));
  }
  for (const topK of ['3', null, 3n]) {
    expectTypeError(() => keyspace.vsearch(query, { topK: untyped(topK) }));
  }
  for (const metric of ['', 'Cosine', 'euclidean', 5, null, ['l2']]) {
    expectTypeError(() => keyspace.vsearch(query, { metric: untyped(metric) }));
    expectTypeError(() => many({ metric }));
  }
  for (const filter of [5, null, true, {}, ['east'], /east/]) {
    expectTypeError(() => keyspace.vsearch(query, { filter: untyped(filter) }));
    expectTypeError(() => many({ filter }));
  }
  for (const threads of [0, -1, 1.5, Number.NaN]) {
    expectRangeError(() => keyspace.vsearch(query, { threads }));
  }
  expectTypeError(() => keyspace.vsearch(query, { threads: untyped('2') }));
  expectTypeError(() => keyspace.vsearch(query, { includeVectors: untyped('yes') }));
  for (const options of [null, 5, 'cosine']) {
    expectTypeError(() => keyspace.vsearch(query, untyped(options)));
  }
  expect(keyspace.vsearch(query, { topK: Number.MAX_SAFE_INTEGER })).toHaveLength(3);
  expectUnchanged(keyspace);
});

test('keys are refused as those of values are', () => {
  const { database, keyspace } = filled();
  const long = 'k'.repeat(1025);
  expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.vset(long, [1, 0, 0]));
  expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.vget(long));
  expectCode('ERR_MNEME_KEY_TOO_LARGE', () => keyspace.vdel(long));
  for (const key of ['\ud800', Uint8Array.of(255), 5, undefined]) {
    expectTypeError(() => keyspace.vset(untyped(key), [1, 0, 0]));
    expectTypeError(() => keyspace.vget(untyped(key)));
    expectTypeError(() => keyspace.vdel(untyped(key)));
  }
  expectCode('ERR_MNEME_TYPE_MISMATCH', () => database.keyspace('a', { keys: 'bytes' }));
  const empty = keyspace.vset('', [0, 0, 1]);
  expect(empty).toBeUndefined();
  expect(keysOf(keyspace.vsearch([0, 0, 1], { topK: 1 }))).toEqual(['']);
});

test('nothing is written through snapshots, and nothing read once closed', () => {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('a').vset('east', [1, 0]);
  const snapshot = database.snapshot();
  const held = snapshot.keyspace('a') as Keyspace;
  expectCode('ERR_MNEME_READONLY', () => held.vset('new', [1, 0]));
  expectCode('ERR_MNEME_READONLY', () => held.vdel('east'));
  const readonly = openHere(path, { readonly: true });
  expectCode('ERR_MNEME_READONLY', () => readonly.keyspace('a').vset('new', [1, 0]));
  expectCode('ERR_MNEME_READONLY', () => readonly.keyspace('a').vdel('east'));
  expect(readonly.keyspace('a').vsearch([1, 0])).toEqual([{ key: 'east', score: 0 }]);
  const reads: ((keyspace: Keyspace) => unknown)[] = [
    (keyspace) => keyspace.vget('east'),
    (keyspace) => keyspace.vdim(),
    (keyspace) => keyspace.vcount(),
    (keyspace) => keyspace.vsearch([1, 0]),
    (keyspace) => keyspace.vsearchMany([[1, 0]]),
  ];
  let kept: Keyspace | undefined;
  database.batch((tx) => {
    kept = tx.keyspace('a');
  });
  const keyspace = database.keyspace('a');
  snapshot.close();
  for (const read of [...reads, (it: Keyspace) => it.vset('k', [1, 0])]) {
    expectCode('ERR_MNEME_CLOSED', () => read(held));
    expectCode('ERR_MNEME_BATCH_CLOSED', () => read(kept as Keyspace));
  }
  database.close();
  for (const read of [...reads, (it: Keyspace) => it.vset('k', [1, 0])]) {
    expectCode('ERR_MNEME_CLOSED', () => read(keyspace));
  }
});

test('a keyspace that nobody wrote to has no vectors, and stays unwritten', () => {
  const database = memory();
  const keyspace = database.keyspace('none');
  expect(keyspace.vdim()).toBeUndefined();
  expect(keyspace.vcount()).toBe(0);
  expect(keyspace.vget('k')).toBeUndefined();
  expect(keyspace.vsearch([1, 2, 3])).toEqual([]);
  expect(keyspace.vsearchMany([[1], [1, 2]])).toEqual([[], []]);
  expect(database.keyspaces()).toEqual([]);
  expect(keyspace.vdel('k')).toBe(false);
});
