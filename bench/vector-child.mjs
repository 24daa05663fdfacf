/**
 * What has to be measured in a process of its own: the first answer of a file of vectors, and the
 * memory that searching leaves resident.
 *
 * Called with one JSON argument, answers with one JSON line. Imports the code of one store only;
 * the time of that import is not counted.
 */
import assert from 'node:assert/strict';
import { collectGarbage } from './measure.mjs';
import { loadStore } from './stores/list.mjs';
import { NEAREST_COUNT } from './stores/vectors.mjs';
import { VectorSet } from './vector-sets.mjs';

/**
 * @typedef {object} Request
 * @property {'open' | 'memory'} measure
 * @property {string} storeName
 * @property {string} directory holds the store, filled
 * @property {number} cacheSizeBytes
 * @property {import('./vector-sets.mjs').Shape} shape
 */

const SEARCHES = 5;

/** @type {Request} */
const { measure, storeName, directory, cacheSizeBytes, shape } = JSON.parse(process.argv[2]);
const { openVectors } = await loadStore(storeName);
assert.ok(openVectors, `${storeName} has no vectors`);
const set = new VectorSet(shape);
// Made now, off the clock, in every form that a store might ask for.
assert.equal(set.queries.length, set.unitQueries.length);
const options = { directory, cacheSizeBytes, set, threads: 1, isFrugal: measure === 'memory' };

/** @param {import('./stores/vectors.mjs').Searched} searched */
function check({ nearest }) {
  for (const rows of nearest) assert.equal(rows.length, NEAREST_COUNT, `${storeName} lost vectors`);
}

function residentBytes() {
  collectGarbage('major');
  return process.memoryUsage.rss();
}

async function millisecondsToFirstAnswer() {
  const start = performance.now();
  const vectors = await /** @type {NonNullable<typeof openVectors>} */ (openVectors)(options);
  const searched = await vectors.search(0, 1);
  const elapsed = performance.now() - start;
  check(searched);
  await vectors.close();
  return elapsed;
}

async function residentBytesPerVector() {
  const vectors = await /** @type {NonNullable<typeof openVectors>} */ (openVectors)(options);
  const before = residentBytes();
  check(await vectors.search(0, SEARCHES));
  const growth = residentBytes() - before;
  await vectors.close();
  return growth / shape.count;
}

const figure = measure === 'open' ? millisecondsToFirstAnswer : residentBytesPerVector;
console.log(JSON.stringify(await figure()));
