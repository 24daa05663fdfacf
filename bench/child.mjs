/**
 * What has to be measured in a process of its own: the first get, and memory.
 *
 * Called with one JSON argument, answers with one JSON line. Imports the code of one store only;
 * the time of that import is not counted.
 */
import assert from 'node:assert/strict';
import { randomInt, randomLcg } from 'd3-random';
import { keyAt } from './dataset.mjs';
import { loadStore } from './stores/list.mjs';

/**
 * @typedef {object} Request
 * @property {'open' | 'memory'} measure
 * @property {string} storeName
 * @property {import('./stores/store.mjs').OpenOptions} openOptions
 * @property {number} gets
 * @property {number} seed
 */

const KEYS_AT_A_TIME = 10_000;
const BYTES_PER_MEGABYTE = 1_000_000;
const MICROSECONDS_PER_MS = 1000;

/** @param {Request} request */
async function microsecondsToFirstGet({ storeName, openOptions, seed }) {
  const store = await loadStore(storeName);
  const key = keyAt(seed % openOptions.records);
  const start = performance.now();
  const handle = await store.open(openOptions);
  const value = await handle.getOne(key);
  const elapsed = (performance.now() - start) * MICROSECONDS_PER_MS;
  assert.notEqual(value, undefined, `${storeName} lost ${key}`);
  await handle.close();
  return elapsed;
}

/** @param {Request} request */
async function residentMegabytes({ storeName, openOptions, gets, seed }) {
  const store = await loadStore(storeName);
  const handle = await store.open(openOptions);
  const randomIndex = randomInt.source(randomLcg(seed))(0, openOptions.records);
  for (let done = 0; done < gets; done += KEYS_AT_A_TIME) {
    const keys = Array.from({ length: KEYS_AT_A_TIME }, () => keyAt(randomIndex()));
    const { found } = await handle.getEach(keys);
    assert.equal(found, keys.length, `${storeName} lost records`);
  }
  const resident = process.memoryUsage.rss() / BYTES_PER_MEGABYTE;
  await handle.close();
  return resident;
}

/** @type {Request} */
const request = JSON.parse(process.argv[2]);
const measure = request.measure === 'open' ? microsecondsToFirstGet : residentMegabytes;
console.log(JSON.stringify(await measure(request)));
