/**
 * What a search finds at the edges of the contract, and what may go on while one is under way.
 */
import type { Key, Keyspace } from 'mneme';
import { expect, test } from 'vitest';
import { expectCode, memory, thrownBy } from './support.js';

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

test('a vector and a value of one key live side by side', () => {
  const { keyspace } = filled();
  expect(keyspace.count()).toBe(1);
  expect(keyspace.exists('north')).toBe(false);
  expect(keyspace.vdel('east')).toBe(true);
  expect(keyspace.vdel('east')).toBe(false);
  expect(keyspace.get('east')).toBe('a value');
  expect(keyspace.del('east')).toBe(true);
  expect(keyspace.del('east')).toBe(false);
  expect(keyspace.del('north')).toBe(true);
  keyspace.set('west', 'gone', { expiresAt: 1 });
  expect(keyspace.vget('west')).toEqual(Float32Array.of(-3, 0, 0));
  keyspace.set('value', 1);
  expect(keyspace.delRange({ gte: 'v' })).toBe(1);
  expect(keyspace.vcount()).toBe(0);
  expect(keyspace.vdim()).toBe(3);
  expectCode('ERR_MNEME_DIMENSION_MISMATCH', () => keyspace.vset('k', [1]));
});

test('dropping a keyspace forgets its dimension, unless that is undone', () => {
  const { database, keyspace } = filled();
  const failure = new Error('thrown by the callback');
  const undone = thrownBy(() => {
    database.batch(() => {
      database.dropKeyspace('a');
      keyspace.vset('flat', [1, 2]);
      expect(keyspace.vdim()).toBe(2);
      throw failure;
    });
  });
  expect(undone).toBe(failure);
  expectUnchanged(keyspace);
  database.dropKeyspace('a');
  expect(keyspace.vdim()).toBeUndefined();
  keyspace.vset('flat', [1, 2]);
  expect(keyspace.vsearch([1, 2], { metric: 'l2' })).toEqual([{ key: 'flat', score: 0 }]);
});

test('a filter that throws ends its search and nothing else', () => {
  const { database, keyspace } = filled();
  const failure = new Error('thrown by the filter');
  const filter = (key: string): boolean => {
    if (key === 'north') throw failure;
    return true;
  };
  expect(thrownBy(() => keyspace.vsearch([1, 0, 0], { filter }))).toBe(failure);
  expect(thrownBy(() => keyspace.vsearchMany([[1, 0, 0]], { filter }))).toBe(failure);
  expectUnchanged(keyspace);
  const caught = thrownBy(() => {
    database.batch(() => {
      keyspace.vset('up', [0, 0, 1]);
      keyspace.vsearch([1, 0, 0], { filter });
    });
  });
  expect(caught).toBe(failure);
  expectUnchanged(keyspace);
  keyspace.vset('up', [0, 0, 1]);
  expect(keysOf(keyspace.vsearch([0, 0, 1], { topK: 1 }))).toEqual(['up']);
});

/** More vectors than a leaf holds keys. */
function manyVectors() {
  const database = memory({ pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('many');
  database.batch(() => {
    for (let at = 0; at < 2000; at++) keyspace.vset(`key ${at}`, [at, -at, 1, at % 7]);
  });
  return { database, keyspace };
}

test('a filter may use the database: its search goes on in the state of its beginning', () => {
  const { database, keyspace } = manyVectors();
  const query = [0, 0, 0, 0];
  const before = keyspace.vsearch(query, { metric: 'l2', topK: 2000 });
  const seen: string[] = [];
  const filter = (key: string): boolean => {
    seen.push(key);
    if (seen.length % 100 === 1) {
      keyspace.vset(`new ${seen.length}`, query);
      keyspace.vdel(key);
      keyspace.vset('key 1500', [9e9, 0, 0, 0]);
      database.batch(() => keyspace.set(`value ${seen.length}`, 'v'.repeat(3000)));
      const nested = keyspace.vsearch(query, { metric: 'l2', filter: 'new' });
      expect(nested).toHaveLength(Math.min(10, Math.ceil(seen.length / 100)));
    }
    return true;
  };
  const found = keyspace.vsearch(query, { metric: 'l2', topK: 2000, filter });
  expect(found).toStrictEqual(before);
  expect(seen.toSorted()).toEqual(before.map(({ key }) => key).sort());
  expect(keyspace.vcount()).toBe(2000);
  expect(keyspace.vcount('new')).toBe(20);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('in a batch too a filter may write, and its search does not see it', () => {
  const { database, keyspace } = manyVectors();
  const query = [0, 0, 0, 0];
  database.batch(() => {
    keyspace.vset('first', query);
    const before = keyspace.vsearch(query, { metric: 'l2', topK: 3000 });
    expect(before).toHaveLength(2001);
    let calls = 0;
    const filter = (key: string): boolean => {
      if (calls++ % 50 === 0) keyspace.vdel(key);
      if (calls % 50 === 1) keyspace.vset(`new ${calls}`, query);
      return true;
    };
    const found = keyspace.vsearch(query, { metric: 'l2', topK: 3000, filter });
    expect(found).toStrictEqual(before);
  });
  expect(keyspace.vcount('new')).toBe(41);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a filter that closes the database ends its search with a code', () => {
  const { database, keyspace } = manyVectors();
  const filter = (): boolean => {
    database.close();
    return true;
  };
  expectCode('ERR_MNEME_CLOSED', () => keyspace.vsearch([0, 0, 0, 0], { filter }));
});

test('vectors that come and go are copies', () => {
  const { keyspace } = filled();
  const given = Float32Array.of(5, 6, 7);
  keyspace.vset('copied', given);
  given.fill(0);
  const got = keyspace.vget('copied') as Float32Array;
  expect(got).toStrictEqual(Float32Array.of(5, 6, 7));
  got.fill(0);
  const [hit] = keyspace.vsearch([5, 6, 7], { metric: 'l2', includeVectors: true, topK: 1 });
  hit?.vector?.fill(0);
  expect(keyspace.vget('copied')).toStrictEqual(Float32Array.of(5, 6, 7));
});

test('keys that a filter and a search give may be kept', () => {
  const keyspace = memory().keyspace('bytes', { keys: 'bytes' });
  for (let at = 0; at < 200; at++) keyspace.vset(Uint8Array.of(255, at), [at]);
  const kept: Uint8Array[] = [];
  const hits = keyspace.vsearch([1], {
    metric: 'l2',
    topK: 200,
    filter: (key) => kept.push(key) > 0,
  });
  keyspace.vsearch([1], { metric: 'dot' });
  const expected = Array.from({ length: 200 }, (_, at) => Uint8Array.of(255, at));
  expect(kept.toSorted((a, b) => (a[1] as number) - (b[1] as number))).toStrictEqual(expected);
  const found = keysOf(hits).toSorted((a, b) => (a[1] as number) - (b[1] as number));
  expect(found).toStrictEqual(expected);
});

test('scores are what they are called, equal ones by key', () => {
  const keyspace = memory().keyspace('a');
  keyspace.vset('z', [3, 4]);
  keyspace.vset('b', [0, 0]);
  keyspace.vset('a', [-0, 0]);
  keyspace.vset('y', [3, 4]);
  keyspace.vset('x', [-6, -8]);
  expect(keyspace.vsearch([3, 4])).toEqual([
    ...[
      { key: 'y', score: 0 },
      { key: 'z', score: 0 },
      { key: 'a', score: 1 },
    ],
    ...[
      { key: 'b', score: 1 },
      { key: 'x', score: 2 },
    ],
  ]);
  expect(keyspace.vsearch([0, 0], { topK: 2 })).toEqual([
    ...[
      { key: 'a', score: 1 },
      { key: 'b', score: 1 },
    ],
  ]);
  expect(keyspace.vsearch([3, 4], { metric: 'dot', topK: 4 })).toMatchObject([
    ...[{ key: 'y', score: 25 }, { key: 'z', score: 25 }, { key: 'a' }, { key: 'b' }],
  ]);
  expect(keyspace.vsearch([0, 0], { metric: 'l2', topK: 4 })).toMatchObject([
    ...[
      { key: 'a', score: 0 },
      { key: 'b', score: 0 },
    ],
    ...[
      { key: 'y', score: 5 },
      { key: 'z', score: 5 },
    ],
  ]);
});

test('where doubles cannot tell distances apart, keys decide', () => {
  const keyspace = memory().keyspace('a');
  const vectors = Array.from({ length: 50 }, (_, at) => [at, 1, -at]);
  keyspace.batch(() => {
    for (const [at, vector] of vectors.entries()) keyspace.vset(`key ${10 + at}`, vector);
  });
  const far = { metric: 'l2', topK: 2 } as const;
  expect(keyspace.vsearch([1e30, 0, 0], far)).toEqual([
    { key: 'key 10', score: Math.fround(1e30) },
    { key: 'key 11', score: Math.fround(1e30) },
  ]);
});

test('queries whose scale float32 cannot hold leave nothing out', () => {
  const keyspace = memory({ pageSize: 4096 }).keyspace('a');
  const direction = Array.from({ length: 16 }, (_, at) => 127 - at);
  keyspace.batch(() => {
    const vector = direction.map((part) => part * 2 ** 50);
    for (let at = 0; at < 3000; at++)
      keyspace.vset(`key ${1000 + ((at * 7 + 1500) % 3000)}`, vector);
  });
  for (let size = 1; size < 60; size += 2) {
    const query = direction.map((part) => part * size * 2 ** -140);
    for (const metric of ['cosine', 'dot'] as const) {
      const hits = keyspace.vsearch(query, { metric, topK: 3 });
      expect(keysOf(hits)).toEqual(['key 1000', 'key 1001', 'key 1002']);
    }
  }
});

test('queries asked together find the same, also where vectors take several rows', () => {
  const keyspace = memory({ pageSize: 4096 }).keyspace('a');
  const wave = (at: number) => Float32Array.from({ length: 2000 }, (_, i) => Math.sin(at * i));
  const base = wave(0.7);
  const vector = (at: number) => wave(at).map((part, i) => (base[i] as number) + part / 2);
  const near = (at: number) => vector(at).map((part, i) => part + (i % 2) * 0.01);
  keyspace.batch(() => {
    for (let at = 0; at < 90; at++) keyspace.vset(`key ${at}`, vector(at));
    for (let at = 0; at < 90; at++) keyspace.vset(`near ${at}`, near(at));
  });
  const queries = [29, 58, 3, 0].map(vector);
  for (const metric of ['cosine', 'l2'] as const) {
    const found = keyspace.vsearchMany(queries, { metric, topK: 1 });
    const keys = found.map((hits) => keysOf(hits)[0]);
    expect(keys).toEqual(['key 29', 'key 58', 'key 3', 'key 0']);
  }
});

test('a search that does not block finds the same, and refuses the same', async () => {
  const { keyspace } = manyVectors();
  const options = { metric: 'l2', includeVectors: true, topK: 30 } as const;
  const query = [700, -700, 1, 2];
  const expected = keyspace.vsearch(query, options);
  const together = [1, 2, 3].map(() => keyspace.vsearchAsync(query, options));
  for (const hits of await Promise.all(together)) expect(hits).toStrictEqual(expected);
  const filter = (key: string): boolean => key.endsWith('7');
  const filtered = await keyspace.vsearchAsync(query, { ...options, filter });
  expect(filtered).toStrictEqual(keyspace.vsearch(query, { ...options, filter }));
  const mismatch = { code: 'ERR_MNEME_DIMENSION_MISMATCH' };
  await expect(keyspace.vsearchAsync([1])).rejects.toMatchObject(mismatch);
  await expect(keyspace.vsearchAsync(query, { topK: -1 })).rejects.toBeInstanceOf(RangeError);
  const failure = new Error('thrown by the filter');
  const failing = (): boolean => {
    throw failure;
  };
  await expect(keyspace.vsearchAsync(query, { filter: failing })).rejects.toBe(failure);
});

test('a search that does not block is of the state in which it was asked for', async () => {
  const { database, keyspace } = manyVectors();
  const query = [0, 0, 0, 0];
  const options = { metric: 'l2', topK: 5000 } as const;
  const expected = keyspace.vsearch(query, options);
  const asked = keyspace.vsearchAsync(query, options);
  keyspace.vset('new', query);
  keyspace.vdel('key 0');
  expect(await asked).toStrictEqual(expected);
  database.close();
  await expect(keyspace.vsearchAsync(query)).rejects.toMatchObject({ code: 'ERR_MNEME_CLOSED' });
});
