/**
 * What one writes without a library: a loop over one Float32Array of vectors of length 1, unrolled
 * over four sums, and a short sorted list. A yardstick, not a peer.
 */
import { refusals } from './refusals.mjs';
import { NEAREST_COUNT, searchEach } from './vectors.mjs';

const UNROLLED = 4;

/** @type {import('./store.mjs').Store} */
export const jsStore = {
  name: 'js',
  family: 'js',
  isYardstick: true,
  rows: ['vector-20k', 'vector-1k'],
  open: () => ({ ...refusals('js'), close: () => undefined }),
  openVectors,
};

/**
 * @param {import('./vectors.mjs').VectorOptions} options
 * @returns {import('./vectors.mjs').Vectors}
 */
function openVectors({ set }) {
  return {
    fill: () => void set.unitVectors,
    search: (first, last) =>
      searchEach(
        first,
        last,
        (index) => set.row(set.unitQueries, index),
        (query) => nearest(set.unitVectors, set.count, query),
      ),
    close: () => undefined,
  };
}

/**
 * @param {Float32Array} vectors
 * @param {number} count
 * @param {Float32Array} query whose length is a multiple of UNROLLED
 */
function nearest(vectors, count, query) {
  const dimension = query.length;
  const similarities = new Float64Array(NEAREST_COUNT).fill(-Infinity);
  const rows = new Array(NEAREST_COUNT).fill(-1);
  for (let row = 0, from = 0; row < count; row += 1, from += dimension) {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let at = 0; at < dimension; at += UNROLLED) {
      a += vectors[from + at] * query[at];
      b += vectors[from + at + 1] * query[at + 1];
      c += vectors[from + at + 2] * query[at + 2];
      d += vectors[from + at + 3] * query[at + 3];
    }
    const similarity = a + b + (c + d);
    if (similarity <= similarities[NEAREST_COUNT - 1]) continue;
    let place = NEAREST_COUNT - 1;
    for (; place > 0 && similarities[place - 1] < similarity; place -= 1) {
      similarities[place] = similarities[place - 1];
      rows[place] = rows[place - 1];
    }
    similarities[place] = similarity;
    rows[place] = row;
  }
  return rows;
}
