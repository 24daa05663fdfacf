/**
 * What has to be measured in a process of its own: the first answer of a file of documents.
 *
 * Called with one JSON argument, answers with one JSON line. Imports the code of one store only;
 * the time of that import is not counted.
 */
import assert from 'node:assert/strict';
import { loadStore } from './stores/list.mjs';
import { HIT_COUNT } from './stores/texts.mjs';

/**
 * @typedef {object} Request
 * @property {string} storeName
 * @property {string} directory holds the store, filled
 * @property {number} cacheSizeBytes
 * @property {string} query
 */

/** @type {Request} */
const { storeName, directory, cacheSizeBytes, query } = JSON.parse(process.argv[2]);
const { openTexts } = await loadStore(storeName);
assert.ok(openTexts, `${storeName} has no full text`);
const start = performance.now();
const texts = await openTexts({ directory, cacheSizeBytes, threads: 1 });
const { hits } = await texts.search([query], false);
const elapsed = performance.now() - start;
assert.equal(hits[0].length, HIT_COUNT, `${storeName} lost documents`);
await texts.close();
console.log(JSON.stringify(elapsed));
