/**
 * LevelDB through classic-level: synchronous gets, asynchronous everything else (it has no other).
 *
 * Of what was tried, the fastest: chained batches, loads in batches of 10000 with a sync on the
 * last, and `nextv` with a high water mark that lets one trip to its thread fetch thousands of
 * entries.
 */
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';

/** @typedef {ClassicLevel<string, import('../dataset.mjs').Value>} Level */

const LOAD_BATCH_COUNT = 10_000;
const ENTRIES_PER_TRIP = 10_000;
const BYTES_PER_TRIP = 1024 * 1024;

/** @type {import('./store.mjs').Store} */
export const classicLevelStore = {
  name: 'classic-level',
  family: 'classic-level',
  packageName: 'classic-level',
  async open({ directory, valueKind, sync, cacheSizeBytes }) {
    /** @type {Level} */
    const database = new ClassicLevel(join(directory, 'store.level'), {
      keyEncoding: 'utf8',
      valueEncoding: valueKind === 'text' ? 'utf8' : 'buffer',
      cacheSize: cacheSizeBytes,
    });
    await database.open();
    const isSynced = sync === 'full';
    return {
      ...readsOf(database),
      ...writesOf(database, isSynced),
      close: () => database.close(),
    };
  },
};

/**
 * @param {Level} database
 * @returns {Pick<import('./store.mjs').Handle, 'getOne' | 'getEach' | 'scan' | 'countPrefix'>}
 */
function readsOf(database) {
  const trip = { highWaterMarkBytes: BYTES_PER_TRIP };
  return {
    getOne: (key) => database.getSync(key),
    getEach(keys) {
      const tally = { found: 0, valueSizes: 0 };
      for (const key of keys) {
        const value = database.getSync(key);
        if (value === undefined) continue;
        tally.found += 1;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    async scan() {
      const tally = { entries: 0, keySizes: 0, valueSizes: 0 };
      const iterator = database.iterator(trip);
      for (;;) {
        const entries = await iterator.nextv(ENTRIES_PER_TRIP);
        if (entries.length === 0) break;
        for (const [key, value] of entries) {
          tally.entries += 1;
          tally.keySizes += key.length;
          tally.valueSizes += value.length;
        }
      }
      await iterator.close();
      return tally;
    },
    async countPrefix(prefix) {
      const iterator = database.keys({ gte: prefix, lt: `${prefix}\u{10ffff}`, ...trip });
      let count = 0;
      for (;;) {
        const keys = await iterator.nextv(ENTRIES_PER_TRIP);
        if (keys.length === 0) break;
        count += keys.length;
      }
      await iterator.close();
      return count;
    },
  };
}

/**
 * @param {Level} database
 * @param {boolean} sync
 * @returns {Pick<import('./store.mjs').Handle, 'putOne' | 'putEach' | 'putBatch' | 'load'>}
 */
function writesOf(database, sync) {
  /**
   * @param {import('../dataset.mjs').Batch} records
   * @param {number} start
   * @param {number} end
   * @param {boolean} isSynced
   */
  const write = (records, start, end, isSynced) => {
    const batch = database.batch();
    for (let index = start; index < end; index += 1) {
      batch.put(records.keys[index], records.values[index]);
    }
    return batch.write({ sync: isSynced });
  };
  return {
    putOne: (key, value) => database.put(key, value, { sync }),
    async putEach({ keys, values }) {
      for (let index = 0; index < keys.length; index += 1) {
        await database.put(keys[index], values[index], { sync });
      }
    },
    putBatch: (batch) => write(batch, 0, batch.keys.length, sync),
    async load(batch) {
      const count = batch.keys.length;
      for (let start = 0; start < count; start += LOAD_BATCH_COUNT) {
        const end = Math.min(start + LOAD_BATCH_COUNT, count);
        await write(batch, start, end, end === count);
      }
    },
  };
}
