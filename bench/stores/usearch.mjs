/**
 * usearch's exact search over one array of vectors in memory, with one thread.
 *
 * Over vectors of length 1 its inner product gives the order of the cosine and is a tenth faster
 * than its own cosine. It reads a query from the start of the array's buffer, wherever the view
 * begins, so each query gets a buffer of its own.
 */
import usearch from 'usearch';
import { refusals } from './refusals.mjs';
import { NEAREST_COUNT, searchEach } from './vectors.mjs';

const { exactSearch, MetricKind } = usearch;

/** @type {import('./store.mjs').Store} */
export const usearchStore = {
  name: 'usearch',
  family: 'usearch',
  packageName: 'usearch',
  rows: ['vector'],
  open: () => ({ ...refusals('usearch'), close: () => undefined }),
  openVectors,
};

/**
 * @param {import('./vectors.mjs').VectorOptions} options
 * @returns {import('./vectors.mjs').Vectors}
 */
function openVectors({ set }) {
  const { dimension } = set;
  return {
    fill: () => void set.unitVectors,
    search: (first, last) =>
      searchEach(
        first,
        last,
        (index) => set.row(set.unitQueries, index).slice(),
        (query) => {
          const vectors = set.unitVectors;
          const found = exactSearch(vectors, query, dimension, NEAREST_COUNT, MetricKind.IP, 1);
          return Array.from(found.keys, Number);
        },
      ),
    close: () => undefined,
  };
}
