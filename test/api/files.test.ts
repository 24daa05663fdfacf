/**
 * The table "Files, locks, keys, lifetime" of the contract, as far as one process goes: opening.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Database, OpenOptions } from 'mneme';
import { open } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryDirectory,
  temporaryPath,
  untyped,
} from './support.js';

/** A closed file with a little in it. */
function writtenFile(): string {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('a').set('key', 'value');
  database.close();
  return path;
}

test('a missing file is ERR_MNEME_NOT_FOUND with create: false and with readonly', () => {
  const path = temporaryPath();
  expectCode('ERR_MNEME_NOT_FOUND', () => open(path, { create: false }));
  expectCode('ERR_MNEME_NOT_FOUND', () => open(path, { readonly: true }));
  expectCode('ERR_MNEME_NOT_FOUND', () => open(path, { readonly: true, create: true }));
  expect(existsSync(path)).toBe(false);
});

test('a missing file is created by default, alone in its directory', () => {
  const path = temporaryPath();
  const database = openHere(path);
  expect(database.keyspaces()).toStrictEqual([]);
  database.keyspace('a').set('key', 'value');
  expect(readdirSync(dirname(path))).toStrictEqual(['test.mneme']);
  database.close();
  expect(readdirSync(dirname(path))).toStrictEqual(['test.mneme']);
  expect(openHere(path, { create: false }).keyspace('a').get('key')).toBe('value');
});

test('what is not our file is ERR_MNEME_NOT_A_DATABASE and stays as it is', () => {
  const contents = [
    Buffer.alloc(0),
    Buffer.from('x'),
    Buffer.from('SQLite format 3\u0000'.padEnd(4096, 'z')),
    Buffer.alloc(200_000, 0x5a),
    Buffer.alloc(200_000),
  ];
  for (const content of contents) {
    const path = temporaryPath();
    writeFileSync(path, content);
    for (const options of [{}, { readonly: true }, { create: false }]) {
      expectCode('ERR_MNEME_NOT_A_DATABASE', () => open(path, options));
      expect(Buffer.compare(readFileSync(path), content)).toBe(0);
    }
  }
});

test('a directory is no database', () => {
  const path = join(temporaryDirectory(), 'directory');
  mkdirSync(path);
  expect(() => open(path)).toThrow(Error);
  expect(() => open(path, { readonly: true })).toThrow(Error);
});

test('a path may be a URL, and is known to the database', () => {
  const path = temporaryPath();
  const database = openHere(pathToFileURL(path));
  expect(database.path).toBe(path);
  database.keyspace('a').set('key', 'value');
  database.close();
  expect(openHere(path).keyspace('a').get('key')).toBe('value');
});

test('a path that is none and options that are wrong are refused', () => {
  const path = temporaryPath();
  for (const wrong of [undefined, null, 5, {}, true]) expectTypeError(() => open(untyped(wrong)));
  const outOfRange: OpenOptions[] = [
    ...[0, 1000, 2048, 5000, 131_072, -4096, NaN].map((pageSize) => ({ pageSize })),
    ...[0, 2 ** 20 - 1, 4 * 2 ** 30, -1, NaN].map((cacheSize) => ({ cacheSize })),
    ...[0, -1, 1.5, NaN].map((threads) => ({ threads })),
    ...[-1, NaN].map((lockTimeout) => ({ lockTimeout })),
  ];
  for (const options of outOfRange) expectRangeError(() => open(path, options));
  const wrongTypes: Record<string, unknown>[] = [
    ...[{ pageSize: '4096' }, { cacheSize: '1' }, { threads: '1' }, { clock: 5 }],
    ...[{ readonly: 'yes' }, { create: 1 }, { lockTimeout: '5' }],
  ];
  for (const options of wrongTypes) expectTypeError(() => open(path, untyped(options)));
  expect(() => open(path, { sync: untyped('sometimes') })).toThrow(Error);
  expect(existsSync(path)).toBe(false);
});

test('every page size works, and only creation decides it', () => {
  for (const pageSize of [4096, 8192, 16_384, 32_768, 65_536]) {
    const path = temporaryPath();
    const database = openHere(path, { pageSize, cacheSize: 2 ** 20 });
    expect(database.info().pageSize).toBe(pageSize);
    const keyspace = database.keyspace('a');
    keyspace.batch((writer) => {
      for (let index = 0; index < 3000; index++) writer.set(`${index}`, 'v'.repeat(index % 700));
    });
    expect(database.verify()).toMatchObject({ ok: true, problems: [] });
    database.close();
    const reopened = openHere(path, { pageSize: 4096 });
    expect(reopened.info().pageSize).toBe(pageSize);
    expect(reopened.keyspace('a').count()).toBe(3000);
  }
});

test('info tells of the file, and one commit raises its transaction by one', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const first = database.info();
  expect(first).toMatchObject({ encrypted: false, keySlots: 0 });
  expect(first.createdAt).toBeInstanceOf(Date);
  expect(Number.isInteger(first.formatVersion)).toBe(true);
  database.keyspace('a').set('key', 1);
  expect(database.info().txnId).toBe(first.txnId + 1n);
  database.keyspace('a').set('key', 2);
  expect(database.info().txnId).toBe(first.txnId + 2n);
  database.close();
  const reopened = openHere(path).info();
  expect(reopened.createdAt).toStrictEqual(first.createdAt);
  expect(reopened.txnId >= first.txnId + 2n).toBe(true);
  expect(reopened.formatVersion).toBe(first.formatVersion);
});

test('stats tell of the file', () => {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('a').set('key', 'x'.repeat(100_000));
  database.keyspace('b').set('key', 'value');
  const stats = database.stats();
  expect(stats.keyspaces).toBe(2);
  expect(stats.fileSize).toBe(statSync(path).size);
  expect(stats.livePages).toBeGreaterThan(20);
  expect(stats.pageCount).toBeGreaterThanOrEqual(stats.livePages);
  expect(stats.bloatRatio).toBeCloseTo(stats.pageCount / stats.livePages, 9);
  expect(stats.retiredPages).toBeGreaterThanOrEqual(0);
  expect(stats.reclaimablePages).toBeGreaterThanOrEqual(0);
  expect(stats.cache.bytes).toBeGreaterThan(0);
  const before = database.stats().cache;
  database.keyspace('a').get('key');
  const after = database.stats().cache;
  expect(after.hits + after.misses).toBeGreaterThan(before.hits + before.misses);
});

test('pages that are rewritten again and again are used again', () => {
  const database = openHere(temporaryPath(), { pageSize: 4096, cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('a');
  for (let round = 0; round < 300; round++) {
    keyspace.batch((writer) => {
      for (let index = 0; index < 50; index++) writer.set(`${index}`, `${round}`.repeat(200));
    });
  }
  expect(database.stats().fileSize).toBeLessThan(4 * 2 ** 20);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a file opened for reading refuses every write and does not change', () => {
  const path = writtenFile();
  const before = readFileSync(path);
  const database = openHere(path, { readonly: true });
  expect(database.readonly).toBe(true);
  const keyspace = database.keyspace('a');
  const writes: (() => unknown)[] = [
    () => keyspace.set('key', 'new'),
    () => keyspace.setBytes('key', 'new'),
    () => keyspace.setInteger('key', 1),
    () => keyspace.setFloat('key', 1),
    () => keyspace.del('key'),
    () => keyspace.delRange({}),
    () => keyspace.incr('counter'),
    () => keyspace.decr('counter'),
    () => keyspace.expire('key', 5),
    () => keyspace.persist('key'),
    () => keyspace.purgeExpired(),
    () => keyspace.batch((writer) => writer.set('key', 'new')),
    () => database.batch((transaction) => transaction.keyspace('a').set('key', 'new')),
    () => database.purgeExpired(),
    () => database.dropKeyspace('a'),
  ];
  for (const write of writes) expectCode('ERR_MNEME_READONLY', write);
  expect(keyspace.get('key')).toBe('value');
  expect(keyspace.range().toArray()).toStrictEqual([['key', 'value']]);
  expect(database.keyspace('missing').count()).toBe(0);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  database.close();
  expect(Buffer.compare(readFileSync(path), before)).toBe(0);
});

test('a database that may write says so', () => {
  const database = memory();
  expect(database.readonly).toBe(false);
  expect(database.path).toBe(':memory:');
});

test('databases in memory are apart, and leave nothing behind', () => {
  const one = memory();
  const other = memory();
  one.keyspace('a').set('key', 1);
  expect(other.keyspace('a').get('key')).toBeUndefined();
  one.close();
  expect(memory().keyspaces()).toStrictEqual([]);
  expect(existsSync(':memory:')).toBe(false);
});

test('sync none loses nothing when the database is closed', () => {
  const path = temporaryPath();
  const database = openHere(path, { sync: 'none' });
  const keyspace = database.keyspace('a');
  for (let index = 0; index < 2000; index++) {
    keyspace.set(`${index}`, index);
    if (index === 1000) database.sync();
  }
  database.close();
  const reopened = openHere(path, { readonly: true });
  expect(reopened.keyspace('a').count()).toBe(2000);
  expect(reopened.keyspace('a').get('1999')).toBe(1999);
  expect(reopened.verify()).toMatchObject({ ok: true, problems: [] });
});

test('after close every call is ERR_MNEME_CLOSED, and closing twice is fine', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('key', 'value');
  expect(database.isOpen).toBe(true);
  database.close();
  expect(database.isOpen).toBe(false);
  for (const call of callsOf(database, keyspace)) expectCode('ERR_MNEME_CLOSED', call);
  database.close();
  database[Symbol.dispose]();
  expect(database.isOpen).toBe(false);
});

function callsOf(
  database: Database,
  keyspace: ReturnType<Database['keyspace']>,
): (() => unknown)[] {
  return [
    () => database.info(),
    () => database.stats(),
    () => database.keyspace('a'),
    () => database.keyspaces(),
    () => database.dropKeyspace('a'),
    () => database.batch(() => undefined),
    () => database.verify(),
    () => database.sync(),
    () => database.purgeExpired(),
    () => keyspace.get('key'),
    () => keyspace.getMany(['key']),
    () => keyspace.exists('key'),
    () => keyspace.typeOf('key'),
    () => keyspace.ttl('key'),
    () => keyspace.range().toArray(),
    () => keyspace.count(),
    () => keyspace.stats(),
    () => keyspace.set('key', 1),
    () => keyspace.setBytes('key', 'b'),
    () => keyspace.setInteger('key', 1),
    () => keyspace.setFloat('key', 1),
    () => keyspace.del('key'),
    () => keyspace.delRange({}),
    () => keyspace.incr('key'),
    () => keyspace.decr('key'),
    () => keyspace.expire('key', 5),
    () => keyspace.persist('key'),
    () => keyspace.purgeExpired(),
    () => keyspace.batch(() => undefined),
  ];
}

test('disposing closes', () => {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('a').set('key', 'value');
  database[Symbol.dispose]();
  expect(database.isOpen).toBe(false);
  expectCode('ERR_MNEME_CLOSED', () => database.info());
  expect(openHere(path).keyspace('a').get('key')).toBe('value');
});

test('a file may be opened and closed again and again', () => {
  const path = temporaryPath();
  for (let round = 0; round < 12; round++) {
    const database = openHere(path);
    expect(database.keyspace('a').incr('rounds')).toBe(round + 1);
    database.close();
  }
});

test('verify reports its progress and counts pages', () => {
  const database = openHere(temporaryPath());
  const keyspace = database.keyspace('a');
  keyspace.batch((writer) => {
    for (let index = 0; index < 5000; index++) writer.set(`${index}`, 'v'.repeat(50));
  });
  const seen: { done: number; total: number; phase: string }[] = [];
  const report = database.verify({ onProgress: (progress) => seen.push({ ...progress }) });
  expect(report).toMatchObject({ ok: true, problems: [] });
  expect(report.pagesChecked).toBeGreaterThan(50);
  expect(seen.length).toBeGreaterThan(0);
  for (const { done, total, phase } of seen) {
    expect(done).toBeLessThanOrEqual(total);
    expect(phase.length).toBeGreaterThan(0);
  }
  expect(memory().verify()).toMatchObject({ ok: true, problems: [] });
});
