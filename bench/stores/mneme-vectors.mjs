/**
 * mneme's vectors as its users reach them. Keys are names in row order.
 */
import { join } from 'node:path';
import { open } from 'mneme';
import { BATCH_COUNT } from '../vector-sets.mjs';
import { inBatches, NEAREST_COUNT, searchEach } from './vectors.mjs';

const KEY_HEAD = 'vector:';
const KEY_DIGITS = 8;

/** @param {number} row */
const keyOf = (row) => KEY_HEAD + String(row).padStart(KEY_DIGITS, '0');

/** @param {import('mneme').VectorHit<string>[]} hits */
const rowsOf = (hits) => hits.map(({ key }) => Number(key.slice(KEY_HEAD.length)));

/**
 * @param {import('./vectors.mjs').VectorOptions} options
 * @returns {import('./vectors.mjs').Vectors}
 */
export function openMnemeVectors({ directory, cacheSizeBytes, set, threads: threadsMax }) {
  const path = join(directory, 'vectors.mneme');
  const options = { sync: /** @type {const} */ ('none'), cacheSize: cacheSizeBytes };
  const database = open(path, { ...options, threads: threadsMax });
  const keyspace = database.keyspace('bench');
  /** @param {number} first @param {number} last */
  const insertBatch = (first, last) =>
    database.batch(() => {
      for (let row = first; row < last; row += 1) {
        keyspace.vset(keyOf(row), set.row(set.vectors, row % set.count));
      }
    });
  return {
    fill: () => inBatches(set.count, BATCH_COUNT, insertBatch),
    insertBatch,
    search: (first, last, threads = 1) =>
      searchEach(
        first,
        last,
        (index) => set.query(index),
        (query) => rowsOf(keyspace.vsearch(query, { topK: NEAREST_COUNT, threads })),
      ),
    searchMany(first, last) {
      const queries = Array.from({ length: last - first }, (_, at) => set.query(first + at));
      const start = performance.now();
      const hits = keyspace.vsearchMany(queries, { topK: NEAREST_COUNT, threads: 1 });
      const milliseconds = [performance.now() - start];
      return { milliseconds, nearest: hits.map(rowsOf) };
    },
    close: () => database.close(),
  };
}
