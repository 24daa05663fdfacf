/**
 * SQLite's FTS5 through better-sqlite3, with its own tokenizer unicode61 and detail=full, as it is
 * by default. `ORDER BY rank` is its fastest way to the best few.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { nativeBinding } from './better-sqlite3.mjs';
import { refusals } from './refusals.mjs';
import { HIT_COUNT, searchEachText } from './texts.mjs';

const KIBIBYTE = 1024;
const MAP_SIZE_BYTES = 4 * 1024 ** 3;
const SCHEMA = 'CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(key UNINDEXED, text)';
const BEST = `SELECT key, -rank AS score FROM texts WHERE texts MATCH ? ORDER BY rank
  LIMIT ${HIT_COUNT}`;

/** @type {import('./store.mjs').Store} */
export const fts5Store = {
  name: 'fts5',
  family: 'fts5',
  packageName: 'better-sqlite3',
  rows: ['text'],
  open: () => ({ ...refusals('fts5'), close: () => undefined }),
  openTexts,
};

/**
 * @param {import('./texts.mjs').TextOptions} options
 * @returns {import('./texts.mjs').Texts}
 */
function openTexts({ directory, cacheSizeBytes }) {
  const database = new Database(join(directory, 'texts.sqlite'), { nativeBinding });
  database.pragma(`cache_size = ${-Math.floor(cacheSizeBytes / KIBIBYTE)}`);
  database.pragma('synchronous = OFF');
  database.pragma('journal_mode = WAL');
  database.pragma(`mmap_size = ${MAP_SIZE_BYTES}`);
  database.exec(SCHEMA);
  const insert = database.prepare('INSERT INTO texts (key, text) VALUES (?, ?)');
  const select = database.prepare(BEST);
  const insertAll = database.transaction(
    (/** @type {readonly import('../text-sets.mjs').TextDocument[]} */ documents) => {
      for (const [key, text] of documents) insert.run(key, text);
    },
  );
  return {
    fill(documents) {
      insertAll(documents);
      database.pragma('wal_checkpoint(TRUNCATE)');
    },
    put(documents) {
      for (const [key, text] of documents) insert.run(key, text);
    },
    search: (queries, all) =>
      searchEachText(queries, (query) => {
        const words = query.split(' ').map((word) => `"${word}"`);
        const match = words.join(all ? ' AND ' : ' OR ');
        return /** @type {import('./texts.mjs').TextHit[]} */ (select.all(match));
      }),
    close: () => void database.close(),
  };
}
