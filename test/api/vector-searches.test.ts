/**
 * What a search finds at the edges of the contract, and what may go on while one is under way.
 */
import type { Key } from 'mneme';
import { expect, test } from 'vitest';
import { memory } from './support.js';

function keysOf<K extends Key>(hits: readonly { key: K }[]): K[] {
  return hits.map(({ key }) => key);
}

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
