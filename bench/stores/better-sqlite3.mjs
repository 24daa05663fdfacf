/**
 * SQLite through better-sqlite3: one table WITHOUT ROWID, so that a get walks one tree.
 *
 * Of what was tried, the fastest: the write-ahead log for reads and small commits (with a rollback
 * journal a durable put takes five times as long), a log of 10000 pages before a checkpoint, the
 * file mapped for reading. A load into a new file uses the rollback journal, which has nothing to
 * save there and writes each page once, where the log would write it twice.
 *
 * Left alone, better-sqlite3 loads its native code in the first `new Database`, which takes 1.8 ms.
 * The others load theirs when they are imported, so here it is loaded then, too, and handed over.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openSqliteCollections } from './better-sqlite3-collections.mjs';

const requireNative = createRequire(import.meta.url);
export const nativeBinding = requireNative('better-sqlite3/build/Release/better_sqlite3.node');

const MAP_SIZE_BYTES = 1024 ** 3;
const KIBIBYTE = 1024;
const LOG_PAGES_BEFORE_CHECKPOINT = 10_000;
const SCHEMA = 'CREATE TABLE records (key TEXT PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID';

/** @type {import('./store.mjs').Store} */
export const betterSqlite3Store = {
  name: 'better-sqlite3',
  family: 'better-sqlite3',
  packageName: 'better-sqlite3',
  open({ directory, sync, purpose, cacheSizeBytes }) {
    const database = new Database(join(directory, 'store.sqlite'), { nativeBinding });
    database.pragma(`cache_size = ${-Math.floor(cacheSizeBytes / KIBIBYTE)}`);
    database.pragma(`synchronous = ${sync === 'full' ? 'FULL' : 'OFF'}`);
    if (purpose === 'bulk') {
      database.exec(SCHEMA);
    } else {
      database.pragma('journal_mode = WAL');
      database.pragma(`wal_autocheckpoint = ${LOG_PAGES_BEFORE_CHECKPOINT}`);
      if (purpose !== 'frugal') database.pragma(`mmap_size = ${MAP_SIZE_BYTES}`);
    }
    return { ...readsOf(database), ...writesOf(database), close: () => void database.close() };
  },
  openCollections: openSqliteCollections,
};

/**
 * Prepares a statement when it is first needed, so that opening does not pay for those that are
 * not.
 * @param {import('better-sqlite3').Database} database
 * @param {string} source
 */
function lazily(database, source) {
  /** @type {import('better-sqlite3').Statement | undefined} */
  let statement;
  return () => {
    statement ??= database.prepare(source);
    return statement;
  };
}

/**
 * @param {import('better-sqlite3').Database} database
 * @returns {Pick<import('./store.mjs').Handle, 'getOne' | 'getEach' | 'scan' | 'countPrefix'>}
 */
function readsOf(database) {
  const selectValue = lazily(database, 'SELECT value FROM records WHERE key = ?');
  const everything = lazily(database, 'SELECT key, value FROM records ORDER BY key');
  const countBetween = lazily(database, 'SELECT count(*) FROM records WHERE key >= ? AND key < ?');
  return {
    getOne: (key) => selectValue().pluck().get(key),
    getEach(keys) {
      const tally = { found: 0, valueSizes: 0 };
      const statement = selectValue().pluck();
      for (const key of keys) {
        const value = /** @type {import('../dataset.mjs').Value | undefined} */ (
          statement.get(key)
        );
        if (value === undefined) continue;
        tally.found += 1;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    scan() {
      const tally = { entries: 0, keySizes: 0, valueSizes: 0 };
      const rows = /** @type {IterableIterator<[string, import('../dataset.mjs').Value]>} */ (
        everything().raw().iterate()
      );
      for (const [key, value] of rows) {
        tally.entries += 1;
        tally.keySizes += key.length;
        tally.valueSizes += value.length;
      }
      return tally;
    },
    countPrefix: (prefix) => Number(countBetween().pluck().get(prefix, `${prefix}\u{10ffff}`)),
  };
}

/**
 * @param {import('better-sqlite3').Database} database
 * @returns {Pick<import('./store.mjs').Handle, 'putOne' | 'putEach' | 'putBatch' | 'load'>}
 */
function writesOf(database) {
  const replace = lazily(database, 'REPLACE INTO records VALUES (?, ?)');
  /** @param {import('../dataset.mjs').Batch} batch */
  const putEach = ({ keys, values }) => {
    const statement = replace();
    for (let index = 0; index < keys.length; index += 1) statement.run(keys[index], values[index]);
  };
  const putBatch = database.transaction(putEach);
  return {
    putOne: (key, value) => void replace().run(key, value),
    putEach,
    putBatch: (batch) => putBatch(batch),
    load: (batch) => putBatch(batch),
  };
}
