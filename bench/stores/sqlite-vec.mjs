/**
 * sqlite-vec in better-sqlite3: its virtual table vec0, which scans in chunks; a plain table with
 * `ORDER BY vec_distance_cosine` takes twice as long.
 *
 * It holds vectors of length 1 and compares by L2, which gives the order of the cosine and is a few
 * per cent faster than `distance_metric=cosine`. The file is mapped, and the write-ahead log takes
 * as many pages before a checkpoint as in better-sqlite3.mjs.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { load } from 'sqlite-vec';
import { BATCH_COUNT } from '../vector-sets.mjs';
import { nativeBinding } from './better-sqlite3.mjs';
import { refusals } from './refusals.mjs';
import { inBatches, NEAREST_COUNT, searchEach } from './vectors.mjs';

const MAP_SIZE_BYTES = 4 * 1024 ** 3;
const KIBIBYTE = 1024;
const LOG_PAGES_BEFORE_CHECKPOINT = 10_000;
const NEAREST = `SELECT rowid FROM vectors WHERE embedding MATCH ? AND k = ${NEAREST_COUNT}
  ORDER BY distance`;

/** @type {import('./store.mjs').Store} */
export const sqliteVecStore = {
  name: 'sqlite-vec',
  family: 'sqlite-vec',
  packageName: 'sqlite-vec',
  rows: ['vector'],
  open: () => ({ ...refusals('sqlite-vec'), close: () => undefined }),
  openVectors,
};

/**
 * @param {import('./vectors.mjs').VectorOptions} options
 * @returns {import('./vectors.mjs').Vectors}
 */
function openVectors({ directory, cacheSizeBytes, set, isFrugal = false }) {
  const database = new Database(join(directory, 'vectors.sqlite'), { nativeBinding });
  load(database);
  database.pragma(`cache_size = ${-Math.floor(cacheSizeBytes / KIBIBYTE)}`);
  database.pragma('synchronous = OFF');
  database.pragma('journal_mode = WAL');
  database.pragma(`wal_autocheckpoint = ${LOG_PAGES_BEFORE_CHECKPOINT}`);
  if (!isFrugal) database.pragma(`mmap_size = ${MAP_SIZE_BYTES}`);
  const columns = `embedding float[${set.dimension}]`;
  database.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING vec0(${columns})`);
  const select = database.prepare(NEAREST).pluck();
  const insert = database.prepare('INSERT INTO vectors (rowid, embedding) VALUES (?, ?)');
  const insertBatch = database.transaction(
    (/** @type {number} */ first, /** @type {number} */ last) => {
      for (let row = first; row < last; row += 1) {
        insert.run(BigInt(row), set.row(set.unitVectors, row % set.count));
      }
    },
  );
  return {
    fill: () => inBatches(set.count, BATCH_COUNT, insertBatch),
    insertBatch,
    search: (first, last) =>
      searchEach(
        first,
        last,
        (index) => set.row(set.unitQueries, index),
        (query) => /** @type {number[]} */ (select.all(query)),
      ),
    close: () => void database.close(),
  };
}
