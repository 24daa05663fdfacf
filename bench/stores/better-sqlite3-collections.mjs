/**
 * A sorted set and a queue as tables: one with an index by member and one by score, so that a rank
 * is a count over an index that covers it; and one with rising ids.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';

const MAP_SIZE_BYTES = 1024 ** 3;
const KIBIBYTE = 1024;
const LOG_PAGES_BEFORE_CHECKPOINT = 10_000;
const SCHEMA = `
  CREATE TABLE scores (member TEXT PRIMARY KEY NOT NULL, score REAL NOT NULL) WITHOUT ROWID;
  CREATE INDEX by_score ON scores (score, member);
  CREATE TABLE queue (id INTEGER PRIMARY KEY, value TEXT NOT NULL);`;
const ADD = `INSERT INTO scores VALUES (?, ?)
  ON CONFLICT (member) DO UPDATE SET score = excluded.score`;
const RANK = `SELECT (SELECT count(*) FROM scores WHERE score < own.score)
  + (SELECT count(*) FROM scores WHERE score = own.score AND member < own.member)
  FROM scores AS own WHERE member = ?`;
const PAGE = 'SELECT member FROM scores ORDER BY score, member LIMIT 10 OFFSET ?';
const PUSH = 'INSERT INTO queue (value) VALUES (?)';
const POP = 'DELETE FROM queue WHERE id = (SELECT min(id) FROM queue) RETURNING value';

/**
 * @param {import('./store.mjs').OpenOptions} options
 * @returns {import('./collections.mjs').Collections}
 */
export function openSqliteCollections({ directory, cacheSizeBytes }) {
  const database = new Database(join(directory, 'collections.sqlite'));
  database.pragma(`cache_size = ${-Math.floor(cacheSizeBytes / KIBIBYTE)}`);
  database.pragma('synchronous = OFF');
  database.pragma('journal_mode = WAL');
  database.pragma(`wal_autocheckpoint = ${LOG_PAGES_BEFORE_CHECKPOINT}`);
  database.pragma(`mmap_size = ${MAP_SIZE_BYTES}`);
  database.exec(SCHEMA);
  const add = database.prepare(ADD);
  const rank = database.prepare(RANK).pluck();
  const page = database.prepare(PAGE).pluck();
  const push = database.prepare(PUSH);
  const pop = database.prepare(POP).pluck();
  /** @param {import('./collections.mjs').ScoredMembers} batch */
  const addEach = ({ members, scores }) => {
    for (let at = 0; at < members.length; at += 1) add.run(members[at], scores[at]);
  };
  return {
    addBatch: database.transaction(addEach),
    rank: (member) => /** @type {number | undefined} */ (rank.get(member)),
    page: (start) => /** @type {string[]} */ (page.all(start)),
    queue: (values) =>
      values.map((value) => {
        push.run(value);
        return String(pop.get());
      }),
    close: () => void database.close(),
  };
}
