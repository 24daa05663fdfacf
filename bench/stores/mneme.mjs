/**
 * mneme as its users reach it: through the package's public entry, with its defaults.
 */
import { join } from 'node:path';
import { open } from 'mneme';
import { openMnemeCollections } from './mneme-collections.mjs';
import { openMnemeTexts } from './mneme-texts.mjs';
import { openMnemeVectors } from './mneme-vectors.mjs';

/** @type {import('./store.mjs').Store} */
export const mnemeStore = {
  name: 'mneme',
  family: 'mneme',
  packageName: 'mneme',
  open({ directory, sync, cacheSizeBytes }) {
    const database = open(join(directory, 'store.mneme'), { sync, cacheSize: cacheSizeBytes });
    return handleOf(database, database.keyspace('records'));
  },
  openCollections: openMnemeCollections,
  openVectors: openMnemeVectors,
  openTexts: openMnemeTexts,
};

/**
 * @param {import('mneme').Database} database
 * @param {import('mneme').Keyspace} keyspace
 * @returns {import('./store.mjs').Handle}
 */
function handleOf(database, keyspace) {
  /** @param {import('../dataset.mjs').Batch} batch */
  const putBatch = ({ keys, values }) =>
    keyspace.batch((writer) => {
      for (let index = 0; index < keys.length; index += 1) writer.set(keys[index], values[index]);
    });
  return {
    getOne: (key) => keyspace.get(key),
    getEach(keys) {
      const tally = { found: 0, valueSizes: 0 };
      for (const key of keys) {
        const value = /** @type {import('../dataset.mjs').Value | undefined} */ (keyspace.get(key));
        if (value === undefined) continue;
        tally.found += 1;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    scan() {
      const tally = { entries: 0, keySizes: 0, valueSizes: 0 };
      for (const [key, value] of keyspace.range()) {
        tally.entries += 1;
        tally.keySizes += key.length;
        tally.valueSizes += /** @type {import('../dataset.mjs').Value} */ (value).length;
      }
      return tally;
    },
    countPrefix: (prefix) => keyspace.count(prefix),
    putOne: (key, value) => keyspace.set(key, value),
    putEach({ keys, values }) {
      for (let index = 0; index < keys.length; index += 1) keyspace.set(keys[index], values[index]);
    },
    putBatch,
    load: putBatch,
    close: () => database.close(),
  };
}
