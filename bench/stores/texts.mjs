/**
 * What the rows on full text see of a store, and the clock around its single searches.
 */

/**
 * @template T
 * @typedef {T | Promise<T>} Awaitable
 */

export const HIT_COUNT = 10;

/**
 * @typedef {object} TextOptions
 * @property {string} directory exists; the store keeps all its files in it
 * @property {number} cacheSizeBytes
 * @property {number} threads that may work at one thing
 */

/** @typedef {{ key: string, score: number }} TextHit */

/**
 * @typedef {object} TextSearched
 * @property {number[]} milliseconds of each query
 * @property {TextHit[][]} hits of each query, the best first
 */

/**
 * @typedef {object} Texts
 * @property {(documents: readonly import('../text-sets.mjs').TextDocument[]) => Awaitable<void>}
 *   fill all documents in one transaction
 * @property {(documents: readonly import('../text-sets.mjs').TextDocument[]) => Awaitable<void>}
 *   [put] each in a commit of its own, without sync
 * @property {(queries: readonly string[], all: boolean) => Awaitable<TextSearched>} search
 *   documents with any, or all, of the words
 * @property {() => Awaitable<void>} close
 */

/**
 * @param {readonly string[]} queries
 * @param {(query: string) => TextHit[]} search
 * @returns {TextSearched}
 */
export function searchEachText(queries, search) {
  const milliseconds = [];
  const hits = [];
  for (const query of queries) {
    const start = performance.now();
    hits.push(search(query));
    milliseconds.push(performance.now() - start);
  }
  return { milliseconds, hits };
}
