/**
 * What a search finds at the edges of the contract, and what may go on while one is under way.
 */
import { expect, test } from 'vitest';
import { memory } from './support.js';

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
