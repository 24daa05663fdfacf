/**
 * What encryption costs. Of mneme alone a keyspace that is encrypted by one that is not, in one
 * database and in the same round; then beside SQLite with ciphers, at equal durability.
 *
 * The texts and numbers are of no meaning: a page costs what it costs, whatever is on it.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import Database from 'better-sqlite3-multiple-ciphers';
import { open } from 'mneme';
import { interleave } from '../measure.mjs';

const RECORDS = 100_000;
const QUICK_RECORDS = 20_000;
const GETS = 20_000;
const PUTS = 100;
const SEARCHES = 20;
const VECTORS = 10_000;
const DIMENSION = 128;
const TOP_K = 10;
const PAGE_BYTES = 4096;
const NONCE_BYTES = 24;
const KEY_BYTES = 32;
const FACTOR = 0x9e3779b1;
const SMALL_CACHE_BYTES = 2 ** 20;

/** @param {number} index */
const keyAt = (index) => `key:${String(index).padStart(8, '0')}`;
/** @param {number} index */
const valueAt = (index) => `value ${index} `.padEnd(100, 'abcdefgh');
/** @param {number} count @param {number} seed */
const shuffled = (count, seed) =>
  Array.from({ length: GETS }, (_, at) => (Math.imul(at + seed * GETS, FACTOR) >>> 0) % count);

/** @param {() => unknown} work */
function seconds(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/**
 * How long something takes for all of some items.
 * @template Item
 * @param {readonly Item[]} items
 * @param {(item: Item, index: number) => void} work
 */
function secondsOf(items, work) {
  return seconds(() => items.forEach(work));
}

/**
 * Two keyspaces with the same content, and what is measured of one of them.
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {(database: import('mneme').Database, name: 'plain' | 'sealed', round: number) => number}
 *   rate calls a second
 * @param {{ cacheSize?: number }} [more]
 */
async function sealedByPlain(workbench, rate, more = {}) {
  await workbench.release();
  const directory = join(workbench.directory, `encrypted-${randomBytes(4).toString('hex')}`);
  mkdirSync(directory);
  const path = join(directory, 'store.mneme');
  const encryption = { seed: randomBytes(KEY_BYTES) };
  fillMneme(path, encryption, workbench.options.quick ? QUICK_RECORDS : RECORDS);
  const database = open(path, { encryption, ...more });
  const samples = await interleave({
    participants: workbench.stores.filter(({ name }) => name === 'mneme'),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async (_, round) => {
      const order = round % 2 === 0 ? ['plain', 'sealed'] : ['sealed', 'plain'];
      const rates = Object.fromEntries(order.map((name) => [name, rate(database, name, round)]));
      return rates.sealed / rates.plain;
    },
  });
  database.close();
  return samples;
}

/** @param {string} path @param {{ seed: Uint8Array }} encryption @param {number} records */
function fillMneme(path, encryption, records) {
  const database = open(path, { encryption, sync: 'none' });
  for (const name of ['plain', 'sealed']) {
    const encrypted = name === 'sealed';
    const keyspace = database.keyspace(name, { encrypted });
    database.batch(() => {
      for (let index = 0; index < records; index++) keyspace.set(keyAt(index), valueAt(index));
      for (let index = 0; index < VECTORS; index++) keyspace.vset(keyAt(index), vectorAt(index));
    });
    const texts = database.ftKeyspace(`${name} texts`, { encrypted });
    texts.putMany(Array.from({ length: VECTORS }, (_, index) => [keyAt(index), wordsAt(index)]));
  }
  database.close();
}

/** @param {number} index */
function vectorAt(index) {
  return Float32Array.from({ length: DIMENSION }, (_, at) => Math.sin(index * 31 + at * at));
}

/** @param {number} index */
function wordsAt(index) {
  return Array.from(
    { length: 12 },
    (_, at) => `w${Math.imul(index * 12 + at, FACTOR) >>> 22}`,
  ).join(' ');
}

/** @param {import('mneme').Database} database @param {string} name @param {number} round */
function gets(database, name, round) {
  const keyspace = database.keyspace(name);
  const keys = shuffled(keyspace.count(), round).map(keyAt);
  return GETS / secondsOf(keys, (key) => void keyspace.get(key));
}

/** @param {import('mneme').Database} database @param {string} name */
function scans(database, name) {
  const keyspace = database.keyspace(name);
  let length = 0;
  const took = seconds(() => {
    for (const [, value] of keyspace.range()) length += value.length;
  });
  return length / took;
}

/** @param {import('mneme').Database} database @param {string} name @param {number} round */
function vectorSearches(database, name, round) {
  const keyspace = database.keyspace(name);
  const queries = Array.from({ length: SEARCHES }, (_, at) => vectorAt(round * SEARCHES + at));
  return SEARCHES / secondsOf(queries, (query) => void keyspace.vsearch(query, { topK: TOP_K }));
}

/** @param {import('mneme').Database} database @param {string} name @param {number} round */
function textSearches(database, name, round) {
  const texts = database.ftKeyspace(`${name} texts`);
  const queries = Array.from({ length: SEARCHES * 10 }, (_, at) =>
    wordsAt(round + at).slice(0, 16),
  );
  return SEARCHES / secondsOf(queries, (query) => void texts.search(query, { topK: TOP_K }));
}

/** @param {import('mneme').Database} database @param {string} name @param {number} round */
function durablePuts(database, name, round) {
  const keyspace = database.keyspace(name);
  const keys = shuffled(keyspace.count(), round).slice(0, PUTS).map(keyAt);
  return PUTS / secondsOf(keys, (key, at) => keyspace.set(key, valueAt(at + round)));
}

/**
 * Pages opened a second, by those of the plain cipher: random gets with a cache that holds nearly
 * nothing, so that each reads and opens a page. What reading the file takes counts against mneme.
 * @param {import('../workbench.mjs').Workbench} workbench
 */
async function coldPages(workbench) {
  const page = new Uint8Array(PAGE_BYTES);
  const cipher = () => xchacha20poly1305(new Uint8Array(KEY_BYTES), new Uint8Array(NONCE_BYTES));
  const sealed = cipher().encrypt(page);
  const rate = (
    /** @type {import('mneme').Database} */ database,
    /** @type {string} */ name,
    /** @type {number} */ round,
  ) => {
    if (name === 'plain') {
      const pages = 300;
      return (
        pages /
        seconds(() => {
          for (let at = 0; at < pages; at++) cipher().decrypt(sealed);
        })
      );
    }
    const keyspace = database.keyspace('sealed');
    const keys = shuffled(keyspace.count(), round).map(keyAt);
    const before = database.stats().cache.misses;
    const took = secondsOf(keys, (key) => void keyspace.get(key));
    return (database.stats().cache.misses - before) / took;
  };
  return sealedByPlain(workbench, rate, { cacheSize: SMALL_CACHE_BYTES });
}

/**
 * An encrypted keyspace by an encrypted table, calls a second.
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {'get' | 'scan'} call
 */
async function bySqlite(workbench, call) {
  const path = join(workbench.directory, `ciphers-${randomBytes(4).toString('hex')}.sqlite`);
  const sqlite = new Database(path);
  sqlite.pragma("cipher = 'chacha20'");
  sqlite.pragma(`key = "x'${randomBytes(KEY_BYTES).toString('hex')}'"`);
  sqlite.pragma(`cache_size = ${-Math.floor(workbench.options.cacheSizeBytes / 1024)}`);
  sqlite.exec('CREATE TABLE records (key TEXT PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID');
  const insert = sqlite.prepare('INSERT INTO records VALUES (?, ?)');
  const count = workbench.options.quick ? QUICK_RECORDS : RECORDS;
  sqlite.transaction(() => {
    for (let index = 0; index < count; index++) insert.run(keyAt(index), valueAt(index));
  })();
  const get = sqlite.prepare('SELECT value FROM records WHERE key = ?').pluck();
  const all = sqlite.prepare('SELECT key, value FROM records').raw();
  const rate = (
    /** @type {import('mneme').Database} */ database,
    /** @type {string} */ name,
    /** @type {number} */ round,
  ) => {
    if (name === 'sealed')
      return call === 'get' ? gets(database, name, round) : scans(database, name);
    if (call === 'get') {
      const keys = shuffled(count, round).map(keyAt);
      return GETS / secondsOf(keys, (key) => void get.get(key));
    }
    let length = 0;
    const took = seconds(() => {
      for (const [, value] of all.iterate()) length += value.length;
    });
    return length / took;
  };
  const samples = await sealedByPlain(workbench, rate);
  sqlite.close();
  return samples;
}

/**
 * @param {string} id @param {string} title @param {number} bound
 * @param {(workbench: import('../workbench.mjs').Workbench) =>
 *   Promise<import('../measure.mjs').Samples>} measure
 * @returns {import('./row.mjs').Row}
 */
function ratioRow(id, title, bound, measure) {
  return { id, title, unit: 'x', better: 'higher', goal: { bound }, measure };
}

export const encryptedRows = [
  ratioRow('encrypted-get', 'warm get, encrypted by plain', 0.95, (it) => sealedByPlain(it, gets)),
  ratioRow('encrypted-scan', 'warm scan, encrypted by plain', 0.95, (it) =>
    sealedByPlain(it, scans),
  ),
  ratioRow('encrypted-vector', 'warm vector search, encrypted by plain', 0.95, (it) =>
    sealedByPlain(it, vectorSearches),
  ),
  ratioRow('encrypted-text', 'warm text search, encrypted by plain', 0.95, (it) =>
    sealedByPlain(it, textSearches),
  ),
  ratioRow('encrypted-put', 'durable put, encrypted by plain', 0.8, (it) =>
    sealedByPlain(it, durablePuts),
  ),
  ratioRow('encrypted-cold', 'cold pages, by @noble/ciphers alone', 5, coldPages),
  ratioRow('encrypted-get-sqlite', 'encrypted get, by SQLite with ciphers', 1, (it) =>
    bySqlite(it, 'get'),
  ),
  ratioRow('encrypted-scan-sqlite', 'encrypted scan, by SQLite with ciphers', 1, (it) =>
    bySqlite(it, 'scan'),
  ),
];
