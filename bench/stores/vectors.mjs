/**
 * What the rows on vectors see of a store, and the clock around its single searches.
 */

/**
 * @template T
 * @typedef {T | Promise<T>} Awaitable
 */

export const NEAREST_COUNT = 10;

/**
 * @typedef {object} VectorOptions
 * @property {string} directory exists; the store keeps all its files in it
 * @property {number} cacheSizeBytes
 * @property {import('../vector-sets.mjs').VectorSet} set
 * @property {number} threads that a search may use at most
 * @property {boolean} [isFrugal] memory matters: nothing beyond the cache may be mapped
 */

/**
 * @typedef {object} Searched
 * @property {number[]} milliseconds of each query
 * @property {number[][]} nearest rows of the set, the nearest first
 */

/**
 * Nearest by cosine, exactly. A search uses one thread where it is not told otherwise.
 * @typedef {object} Vectors
 * @property {() => Awaitable<void>} fill holds all vectors of the set afterwards
 * @property {(first: number, last: number) => Awaitable<void>} [insertBatch] rows from `first` up
 *   to `last` in one commit that need not survive a power cut; rows repeat when the set ends
 * @property {(first: number, last: number, threads?: number) => Awaitable<Searched>} search
 *   queries `first` up to `last`, one after the other
 * @property {(first: number, last: number) => Awaitable<Searched>} [searchMany] the same in one
 *   call; `milliseconds` has one figure, for all
 * @property {(bytes: number, times: number) => Awaitable<number[]>} [read] the milliseconds that
 *   plain reading of memory takes
 * @property {() => Awaitable<void>} close
 */

/**
 * @template Query
 * @param {number} first
 * @param {number} last
 * @param {(query: number) => Query} prepare what need not be timed: the query as the store wants it
 * @param {(query: Query) => number[]} find
 * @returns {Searched}
 */
export function searchEach(first, last, prepare, find) {
  /** @type {Searched} */
  const searched = { milliseconds: [], nearest: [] };
  for (let index = first; index < last; index += 1) {
    const query = prepare(index);
    const start = performance.now();
    const nearest = find(query);
    searched.milliseconds.push(performance.now() - start);
    searched.nearest.push(nearest);
  }
  return searched;
}

/**
 * Calls `insert` for the whole set in batches.
 * @param {number} count
 * @param {number} batchCount
 * @param {(first: number, last: number) => void} insert
 */
export function inBatches(count, batchCount, insert) {
  for (let first = 0; first < count; first += batchCount) {
    insert(first, Math.min(first + batchCount, count));
  }
}
