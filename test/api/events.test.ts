/**
 * What a database tells through diagnostics channels and NODE_DEBUG, and that nothing told holds a
 * key, a value or a query.
 */
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { MnemeError } from 'mneme';
import { expect, onTestFinished, test } from 'vitest';
import type { CacheEvent, CommitEvent, SearchEvent } from '../../dist/api/events.js';
import { expectCode, memory, openHere, temporaryPath } from './support.js';

const SECRETS = ['hidden key', 'hidden value', 'hidden query'];

/** What a channel tells until the test ends; a function is called with each event too. */
function listen<T>(name: string, visit: (event: T) => void = () => undefined): T[] {
  const events: T[] = [];
  const take = (event: unknown) => {
    events.push(event as T);
    visit(event as T);
  };
  subscribe(name, take);
  onTestFinished(() => void unsubscribe(name, take));
  return events;
}

function expectNoSecrets(events: readonly unknown[]): void {
  const text = JSON.stringify(events, (_, item) => (typeof item === 'bigint' ? `${item}` : item));
  for (const secret of SECRETS) expect(text).not.toContain(secret);
}

test('each commit is told once, with its transaction, and nothing that is undone is', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const users = database.keyspace('users');
  users.set('before', 1);
  const events = listen<CommitEvent>('mneme:commit');
  users.set('hidden key', 'hidden value');
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ path, batch: false, sync: 'full', gathered: false });
  expect(events[0]?.txnId).toBe(database.info().txnId);
  expect(events[0]?.durationMs).toBeGreaterThan(0);
  const small = events[0]?.bytes ?? 0;
  expect(small).toBeGreaterThan('hidden keyhidden value'.length);
  database.batch((tx) => {
    for (let key = 0; key < 100; key++) tx.keyspace('users').set(`${key}`, 'hidden value');
    tx.keyspace('users').get('1');
  });
  expect(events).toHaveLength(2);
  expect(events[1]).toMatchObject({ batch: true, txnId: database.info().txnId });
  expect(events[1]?.bytes).toBeGreaterThan(20 * small);
  expect(() =>
    database.batch((tx) => {
      tx.keyspace('users').set('undone', 1);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(users.get('hidden key')).toBe('hidden value');
  expect([...users.range()]).not.toHaveLength(0);
  expect(events).toHaveLength(2);
  expect(users.del('hidden key')).toBe(true);
  expect(users.incr('n', 5)).toBe(5);
  users.list('l').rpush('hidden value');
  expect(users.list('l').rpop()).toBe('hidden value');
  expect(database.dropKeyspace('users')).toBe(true);
  expect(events.map(({ batch }) => batch)).toEqual([
    false,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  expectNoSecrets(events);
});

test('commits that are gathered say so, and each tells of its own opening', () => {
  const events = listen<CommitEvent>('mneme:commit');
  const lazy = memory({ sync: 'none' });
  lazy.keyspace('a').set('k', 1);
  lazy.keyspace('a').set('k', 2);
  expect(events.map(({ sync, path }) => [sync, path])).toEqual([
    ['none', ':memory:'],
    ['none', ':memory:'],
  ]);
  expect(events.some(({ gathered }) => gathered)).toBe(true);
  const path = temporaryPath();
  openHere(path).keyspace('a').set('k', 1);
  expect(events.at(-1)).toMatchObject({ path, gathered: false });
});

test('a subscriber that calls the writer is refused, and the operation is as it was', () => {
  const database = memory();
  const users = database.keyspace('users');
  users.set('n', 1);
  const refusals: unknown[] = [];
  const found: unknown[] = [];
  listen('mneme:commit', () => {
    found.push(users.get('n'));
    try {
      users.set('other', 1);
    } catch (error) {
      refusals.push(error instanceof MnemeError ? error.code : error);
    }
  });
  expect(users.incr('n', 4)).toBe(5);
  expect(found).toEqual([5]);
  expect(refusals).toEqual(['ERR_MNEME_BATCH_ACTIVE']);
  expect(users.incr('n', 4)).toBe(9);
  expect(users.exists('other')).toBe(false);
});

test('a subscriber reads what is not committed yet too, and does not close', () => {
  const database = memory({ sync: 'none' });
  const users = database.keyspace('users');
  const texts = database.ftKeyspace('texts');
  texts.put('a', 'hidden query');
  const found: unknown[] = [];
  const look = () => {
    found.push(users.get('n'));
    expectCode('ERR_MNEME_BATCH_ACTIVE', () => database.close());
  };
  listen('mneme:commit', look);
  listen('mneme:search', look);
  expect(users.incr('n', 4)).toBe(4);
  expect(users.list('l').rpush('a', 'b')).toBe(2);
  database.batch(() => {
    users.set('n', 9);
    expect(texts.search('query')).toHaveLength(1);
    expect(users.incr('n', 1)).toBe(10);
  });
  expect(found).toEqual([4, 4, 9, 10]);
  expect(database.isOpen).toBe(true);
});

test('searches are told when they are over, on whichever thread they ran', async () => {
  const database = memory({ threads: 2 });
  const vectors = database.keyspace('vectors');
  vectors.vset('a', [1, 0]);
  vectors.vset('b', [0, 1]);
  const texts = database.ftKeyspace('texts');
  texts.put('a', 'hidden query and more');
  const events = listen<SearchEvent>('mneme:search');
  texts.search('hidden query');
  vectors.vsearch([1, 0]);
  vectors.vsearchMany([
    [1, 0],
    [0, 1],
  ]);
  await texts.searchAsync('hidden query');
  await vectors.vsearchAsync([1, 1], { topK: 1 });
  database.hybridSearch({
    text: { keyspace: texts, query: 'hidden query' },
    vector: { keyspace: vectors, query: [1, 0] },
  });
  expect(() => vectors.vsearch([1])).toThrow();
  await expect(vectors.vsearchAsync([1])).rejects.toThrow();
  expect(events.map(({ kind, keyspace, hits }) => [kind, keyspace, hits])).toEqual([
    ['text', 'texts', 1],
    ['vector', 'vectors', 2],
    ['vector', 'vectors', 4],
    ['text', 'texts', 1],
    ['vector', 'vectors', 1],
    ['text', 'texts', 1],
    ['vector', 'vectors', 2],
    ['hybrid', 'texts', 2],
  ]);
  for (const { durationMs } of events) expect(durationMs).toBeGreaterThan(0);
  expectNoSecrets(events);
});

test('reads that go to the file are told, and those that find all in memory are not', () => {
  const path = temporaryPath();
  const writer = openHere(path);
  writer.batch((tx) => {
    for (let key = 0; key < 3000; key++) tx.keyspace('a').set(`${key}`, 'x'.repeat(100));
  });
  writer.close();
  const reader = openHere(path, { readonly: true });
  const values = reader.keyspace('a');
  const events = listen<CacheEvent>('mneme:cache');
  expect(values.get('7')).toBe('x'.repeat(100));
  expect(events).toHaveLength(1);
  expect(events[0]?.pagesRead).toBeGreaterThan(1);
  values.get('7');
  expect(events).toHaveLength(1);
  expect(values.range().toArray()).toHaveLength(3000);
  const read = events.reduce((sum, { pagesRead }) => sum + pagesRead, 0);
  const { misses, bytes } = reader.stats().cache;
  expect(events.at(-1)).toMatchObject({ path, misses, bytes });
  expect(read).toBe(misses);
  expect(events.at(-1)?.evictions).toBe(0);
});

test('pages that made room for others are counted', () => {
  const path = temporaryPath();
  const writer = openHere(path);
  writer.batch((tx) => {
    for (let key = 0; key < 20_000; key++) tx.keyspace('a').set(`${key}`, 'x'.repeat(200));
  });
  writer.close();
  const reader = openHere(path, { readonly: true, cacheSize: 2 ** 20 });
  const events = listen<CacheEvent>('mneme:cache');
  expect(reader.keyspace('a').range().toArray()).toHaveLength(20_000);
  const { misses = 0, evictions = 0, bytes } = events.at(-1) ?? {};
  expect(bytes).toBe(2 ** 20);
  expect(evictions).toBeGreaterThan(0);
  expect(evictions).toBeLessThan(misses);
});

test('NODE_DEBUG=mneme says what happens, in lines without secrets', () => {
  const program = `
    import { open } from 'mneme';
    const database = open(${JSON.stringify(temporaryPath())});
    database.keyspace('users').set('hidden key', 'hidden value');
    database.ftKeyspace('texts').put('hidden key', 'hidden value');
    database.ftKeyspace('texts').search('hidden query');
    database.close();
  `;
  const cwd = new URL('../..', import.meta.url);
  const run = (NODE_DEBUG: string) => {
    const words = ['--input-type=module', '--eval', program];
    const env = { ...process.env, NODE_DEBUG };
    const { stderr, status } = spawnSync(process.execPath, words, { cwd, env, encoding: 'utf8' });
    expect(status).toBe(0);
    return stderr;
  };
  const lines = run('mneme');
  const said = ['opened at 1', 'starts the writer', 'commit 2,', 'text search, 1 hits', 'closes'];
  for (const text of said) expect(lines).toContain(text);
  expectNoSecrets([lines]);
  expect(run('')).toBe('');
});
