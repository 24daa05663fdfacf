/**
 * The brute-force index of hnswlib-node: a copy of all vectors in memory, one thread. It takes and
 * gives plain arrays. npm compiles it for any processor of this kind, not for this one.
 */
import hnswlib from 'hnswlib-node';
import { refusals } from './refusals.mjs';
import { NEAREST_COUNT, searchEach } from './vectors.mjs';

/** @type {import('./store.mjs').Store} */
export const hnswlibStore = {
  name: 'hnswlib',
  family: 'hnswlib',
  packageName: 'hnswlib-node',
  rows: ['vector'],
  open: () => ({ ...refusals('hnswlib'), close: () => undefined }),
  openVectors,
};

/**
 * @param {import('./vectors.mjs').VectorOptions} options
 * @returns {import('./vectors.mjs').Vectors}
 */
function openVectors({ set }) {
  const index = new hnswlib.BruteforceSearch('cosine', set.dimension);
  index.initIndex(set.count);
  return {
    fill() {
      for (let row = 0; row < set.count; row += 1) {
        index.addPoint(Array.from(set.row(set.vectors, row)), row);
      }
    },
    search: (first, last) =>
      searchEach(
        first,
        last,
        (query) => Array.from(set.query(query)),
        // It answers the furthest first.
        (query) => index.searchKnn(query, NEAREST_COUNT).neighbors,
      ),
    close: () => undefined,
  };
}
