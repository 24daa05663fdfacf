/**
 * All stores by name. A store's module is imported only when it takes part: a process that measures
 * the memory of one store must not hold the code of the others.
 */

import { spawnSync } from 'node:child_process';
import { compiler } from './compiler.mjs';

/** @typedef {import('./store.mjs').Store} Store */

/** @type {Record<string, () => Promise<Store>>} */
const LOADERS = {
  mneme: async () => (await import('./mneme.mjs')).mnemeStore,
  lmdb: async () => (await import('./lmdb.mjs')).lmdbStore,
  'lmdb-writemap': async () => (await import('./lmdb.mjs')).lmdbWriteMapStore,
  'better-sqlite3': async () => (await import('./better-sqlite3.mjs')).betterSqlite3Store,
  'classic-level': async () => (await import('./classic-level.mjs')).classicLevelStore,
  disk: async () => (await import('./disk.mjs')).diskStore,
  redis: async () => (await import('./redis.mjs')).redisStore,
  'sqlite-vec': async () => (await import('./sqlite-vec.mjs')).sqliteVecStore,
  usearch: async () => (await import('./usearch.mjs')).usearchStore,
  hnswlib: async () => (await import('./hnswlib.mjs')).hnswlibStore,
  cpp: async () => (await import('./cpp.mjs')).cppStore,
  fts5: async () => (await import('./fts5.mjs')).fts5Store,
  minisearch: async () => (await import('./minisearch.mjs')).minisearchStore,
  orama: async () => (await import('./orama.mjs')).oramaStore,
  js: async () => (await import('./js.mjs')).jsStore,
  map: async () => (await import('./map.mjs')).mapStore,
};
const isRedisInstalled = spawnSync('redis-server', ['--version']).status === 0;
const STORES_ON_DEMAND = [
  'map',
  ...(isRedisInstalled ? [] : ['redis']),
  ...(compiler() === undefined ? ['cpp'] : []),
];

export const DEFAULT_STORES = Object.keys(LOADERS).filter(
  (name) => !STORES_ON_DEMAND.includes(name),
);

/**
 * @param {string} name
 * @returns {Promise<Store>}
 */
export async function loadStore(name) {
  const load = LOADERS[name];
  if (load === undefined) {
    throw new RangeError(`no store ${name}; there are ${Object.keys(LOADERS).join(', ')}`);
  }
  try {
    return await load();
  } catch (cause) {
    const advice =
      name === 'mneme'
        ? 'build it with "npm run build", or name other stores with --only'
        : 'install the peers with "npm --prefix bench ci"';
    throw new Error(`cannot load ${name}: ${advice}`, { cause });
  }
}
