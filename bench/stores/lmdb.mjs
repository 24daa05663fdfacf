/**
 * lmdb, by its synchronous calls.
 *
 * - `overlappingSync: false`: by default lmdb-js may flush after the commit has returned. Without
 *   it a trace of system calls shows fdatasync and an O_DSYNC write of the meta page before
 *   `putSync` returns, and nothing later: durable at return.
 * - `mapSize` large enough from the start spares it from mapping the file again as it grows.
 * - `append` for sorted loads: lmdb's own fast path for a caller who knows the order; it is also
 *   what fills the pages to the brim.
 * - Callbacks have braces: a put inside a transaction returns a thenable, and a transaction whose
 *   callback returns that waits for ever instead of committing.
 * - A commit that fails with MDB_BAD_TXN is repeated. lmdb 3.5 reads an uninitialised length where
 *   its list of free pages has no record, and gives up when that happens to be 0: about once in ten
 *   thousand commits of a small store. The repetition succeeds, and its time counts.
 *
 * `lmdb-writemap` is the same store with MDB_WRITEMAP, its fastest form without sync. Its types
 * call the flag discouraged and it gives up lmdb's protection from stray writes, so it has its own
 * column.
 */
import { join } from 'node:path';
import { open, TransactionFlags } from 'lmdb';

/** @typedef {import('lmdb').RootDatabase<import('../dataset.mjs').Value, string>} Environment */

const MAP_SIZE_MIN = 1024 ** 3;
const MAP_BYTES_PER_RECORD = 1024;
const SYNCHRONOUS_COMMIT = TransactionFlags.SYNCHRONOUS_COMMIT;
const MDB_BAD_TXN = -30782;

/** @type {import('./store.mjs').Store} */
export const lmdbStore = {
  name: 'lmdb',
  family: 'lmdb',
  packageName: 'lmdb',
  open: (options) => openEnvironment(options, false),
};

/** @type {import('./store.mjs').Store} */
export const lmdbWriteMapStore = {
  name: 'lmdb-writemap',
  family: 'lmdb',
  rows: ['put-unsynced', 'batch-unsynced'],
  // The file is loaded without the flag, which would make the load write the whole map.
  open: (options) => openEnvironment(options, options.purpose !== 'bulk'),
};

/**
 * @param {import('./store.mjs').OpenOptions} options
 * @param {boolean} useWritemap
 * @returns {import('./store.mjs').Handle}
 */
function openEnvironment({ directory, valueKind, sync, records }, useWritemap) {
  /** @type {Environment} */
  const database = open(join(directory, 'store.lmdb'), {
    encoding: valueKind === 'text' ? 'string' : 'binary',
    overlappingSync: false,
    noSync: sync === 'none',
    useWritemap,
    mapSize: Math.max(MAP_SIZE_MIN, records * MAP_BYTES_PER_RECORD),
  });
  return { ...readsOf(database), ...writesOf(database), close: () => database.close() };
}

/**
 * @param {Environment} database
 * @returns {Pick<import('./store.mjs').Handle, 'getOne' | 'getEach' | 'scan' | 'countPrefix'>}
 */
function readsOf(database) {
  return {
    getOne: (key) => database.get(key),
    getEach(keys) {
      const tally = { found: 0, valueSizes: 0 };
      for (const key of keys) {
        const value = database.get(key);
        if (value === undefined) continue;
        tally.found += 1;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    scan() {
      const tally = { entries: 0, keySizes: 0, valueSizes: 0 };
      for (const { key, value } of database.getRange()) {
        tally.entries += 1;
        tally.keySizes += key.length;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    // U+10FFFF sorts after every character that keys here have.
    countPrefix: (prefix) => database.getCount({ start: prefix, end: `${prefix}\u{10ffff}` }),
  };
}

/**
 * @param {Environment} database
 * @returns {Pick<import('./store.mjs').Handle, 'putOne' | 'putEach' | 'putBatch' | 'load'>}
 */
function writesOf(database) {
  /** @param {import('../dataset.mjs').Batch} batch */
  const putBatch = ({ keys, values }) =>
    committed(() =>
      database.transactionSync(() => {
        for (let index = 0; index < keys.length; index += 1) {
          database.put(keys[index], values[index]);
        }
      }, SYNCHRONOUS_COMMIT),
    );
  return {
    putOne: (key, value) => committed(() => database.putSync(key, value)),
    putEach({ keys, values }) {
      for (let index = 0; index < keys.length; index += 1) {
        committed(() => database.putSync(keys[index], values[index]));
      }
    },
    putBatch,
    load(batch, order) {
      if (order === 'random') putBatch(batch);
      else appendAll(database, batch);
    },
  };
}

/**
 * @param {Environment} database
 * @param {import('../dataset.mjs').Batch} batch in key order
 */
function appendAll(database, { keys, values }) {
  const putOptions = { append: true };
  database.transactionSync(() => {
    for (let index = 0; index < keys.length; index += 1) {
      database.putSync(keys[index], values[index], putOptions);
    }
  }, SYNCHRONOUS_COMMIT);
}

/**
 * Does it again, once, where lmdb could not commit for no fault of the caller's.
 * @param {() => void} write
 */
function committed(write) {
  try {
    write();
  } catch (failure) {
    if (/** @type {{ code?: number }} */ (failure).code !== MDB_BAD_TXN) throw failure;
    write();
  }
}
