/**
 * What is published on node:diagnostics_channel: what happened, once each, and nothing of what is
 * stored.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fc from 'fast-check';
import type { CacheMessage, CommitMessage, Keyspace, SearchMessage } from 'mneme';
import { generateKeyPair } from 'mneme/crypto';
import { expect, onTestFinished, test } from 'vitest';
import { memory, openHere, temporaryPath, thrownBy } from './support.js';

/** Gathers what a channel publishes until the test ends, or until it is called. */
function listen<T>(name: string, hear: (message: T) => void = () => undefined): T[] {
  const heard: T[] = [];
  const listener = (message: unknown) => {
    heard.push(message as T);
    hear(message as T);
  };
  subscribe(name, listener);
  onTestFinished(() => void unsubscribe(name, listener));
  return heard;
}

test('each transaction that is acknowledged is told of once', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const commits = listen<CommitMessage>('mneme:commit');
  const users = database.keyspace('users');
  users.set('ada', 'Countess');
  users.incr('visits');
  users.batch((writer) => {
    for (const key of ['a', 'b', 'c']) writer.set(key, 1);
    users.batch((inner) => inner.del('a'));
  });
  users.set('long', 'x'.repeat(400_000));
  database.batch(() => undefined);
  thrownBy(() => users.batch(() => expect.fail('on purpose')));
  thrownBy(() => users.incr('ada'));
  users.get('ada');
  users.count();
  expect(commits.map(({ operations }) => operations)).toEqual([1, 1, 4, 1]);
  expect(commits.map(({ txnId }) => txnId)).toEqual([2n, 3n, 4n, 5n]);
  expect(commits[0]).toMatchObject({ path, sync: 'full', durable: true, pageCount: 34 });
  expect(commits[0]?.bytes).toBe('ada'.length + 'Countess'.length + 1);
  expect(commits[3]?.bytes).toBeGreaterThan(400_000);
  expect(commits.every(({ durationMs }) => durationMs > 0)).toBe(true);
  database.dropKeyspace('users');
  expect(commits).toHaveLength(5);
});

test('what is gathered without a sync has no transaction id yet', () => {
  const database = openHere(temporaryPath(), { sync: 'none' });
  const commits = listen<CommitMessage>('mneme:commit');
  const users = database.keyspace('users');
  users.set('ada', 1);
  users.batch((writer) => writer.set('alan', 2));
  expect(commits[0]).toMatchObject({ operations: 1, sync: 'none', durable: false });
  expect(commits[1]).toMatchObject({ operations: 1, sync: 'none', durable: false });
  expect(commits[1]?.txnId).toBe(database.info().txnId);
});

test('searches tell how many were found and how', async () => {
  const database = memory();
  const texts = database.ftKeyspace('notes');
  texts.putMany([
    ['pond', 'ducks on a pond'],
    ['road', 'a goose on a road'],
  ]);
  const vectors = database.keyspace('vectors');
  vectors.vset('pond', [1, 0]);
  vectors.vset('road', [0, 1]);
  const searches = listen<SearchMessage>('mneme:search');
  texts.search('goose');
  texts.search('a', { topK: 1, filter: 'p', snippet: {} });
  await texts.searchAsync('ducks');
  vectors.vsearch([1, 0], { topK: 1 });
  vectors.vsearchMany([[1, 0], new Float32Array([0, 1])], { filter: () => true });
  await vectors.vsearchAsync([1, 0]);
  const text = { keyspace: texts, query: 'goose' };
  database.hybridSearch({ text, vector: { keyspace: vectors, query: [1, 0] } });
  thrownBy(() => vectors.vsearch([1, 2, 3]));
  await expect(vectors.vsearchAsync([1, 2, 3])).rejects.toThrow();
  const told = searches.map(({ kind, keyspace, queries, topK, hits, filtered, async }) => {
    return [kind, keyspace, queries, topK, hits, filtered, async];
  });
  expect(told).toEqual([
    ['text', 'notes', 1, 10, 1, false, false],
    ['text', 'notes', 1, 1, 1, true, false],
    ['text', 'notes', 1, 10, 1, false, true],
    ['vector', 'vectors', 1, 1, 1, false, false],
    ['vector', 'vectors', 2, 10, 4, true, false],
    ['vector', 'vectors', 1, 10, 2, false, true],
    ['text', 'notes', 1, 100, 1, false, false],
    ['vector', 'vectors', 1, 100, 2, false, false],
    ['hybrid', 'notes', 1, 10, 2, false, false],
  ]);
  expect(searches.every(({ durationMs, path }) => durationMs > 0 && path === ':memory:')).toBe(
    true,
  );
});

test('the cache tells of hits, misses and what made room', () => {
  const path = temporaryPath();
  const filled = openHere(path);
  filled.keyspace('many').batch((writer) => {
    for (let index = 0; index < 20_000; index++) writer.set(`key ${index}`, 'v'.repeat(200));
  });
  filled.close();
  const database = openHere(path, { cacheSize: 2 ** 20 });
  const heard = listen<CacheMessage>('mneme:cache');
  const many = database.keyspace('many');
  for (let index = 0; index < 20_000; index++) many.get(`key ${index}`);
  expect(heard).toEqual([]); // reads tell nothing: they take less time than that would
  many.set('one more', 1);
  const { cache } = database.stats();
  expect(heard).toHaveLength(1);
  const [message] = heard as [CacheMessage];
  expect(message).toMatchObject({ path, framesMax: 256, frames: 256 });
  expect(message.hits).toBeLessThanOrEqual(cache.hits);
  expect(message.misses).toBeGreaterThan(1000);
  expect(message.evictions).toBeGreaterThan(message.misses / 2);
});

test('who listens may use the database, and its errors are its own', () => {
  const database = memory();
  const counters = database.keyspace('counters');
  const log = database.keyspace('log');
  const commits = listen<CommitMessage>('mneme:commit', () => {
    if (commits.length % 2 === 1) log.incr('commits', 1000);
  });
  expect(counters.incr('key', 7)).toBe(7);
  expect(counters.batch((writer) => writer.incr('key'))).toBe(8);
  expect(log.get('commits')).toBe(2000);
  expect(commits).toHaveLength(4);
});

test('no message holds anything of what is stored or asked for', () => {
  const { seed } = generateKeyPair();
  const database = openHere(temporaryPath(), { encryption: { seed } });
  const heard = ['commit', 'search', 'cache'].map((name) => listen<unknown>(`mneme:${name}`));
  const secret = 'marzipan';
  database.keyspace('values', { encrypted: true }).set(`key ${secret}`, `value ${secret}`);
  const notes = database.ftKeyspace('notes', { encrypted: true });
  notes.put(`id ${secret}`, `all about ${secret}`);
  expect(notes.search(secret, { snippet: {} })).toHaveLength(1);
  expect(heard.every((messages) => messages.length > 0)).toBe(true);
  const text = JSON.stringify(heard, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  expect(text).not.toContain(secret);
});

/** Transactions as what they are made of: whether one fails, and how many changes of how many. */
const transactions = fc.array(
  fc.record({ fails: fc.boolean(), isBatch: fc.boolean(), keys: fc.array(fc.nat(5)) }),
);

test('commits are told as they were made, for any transactions', () => {
  fc.assert(
    fc.property(transactions, fc.constantFrom('full', 'none'), (steps, sync) => {
      const database = memory({ sync });
      const keyspace = database.keyspace('a');
      const heard: CommitMessage[] = [];
      const listener = (message: unknown) => void heard.push(message as CommitMessage);
      subscribe('mneme:commit', listener);
      const expected: number[] = [];
      for (const { fails, isBatch, keys } of steps) {
        if (isBatch) {
          const isLost = attemptBatch(keyspace, keys, fails);
          if (!isLost && keys.length > 0) expected.push(keys.length);
        } else {
          for (const key of keys) keyspace.set(`${key}`, key);
          expected.push(...keys.map(() => 1));
        }
      }
      unsubscribe('mneme:commit', listener);
      expect(heard.map(({ operations }) => operations)).toEqual(expected);
      const ids = heard.flatMap(({ txnId }) => (txnId === undefined ? [] : [txnId]));
      expect(ids).toEqual([...ids].sort((a, b) => Number(a - b)));
      if (sync === 'full') expect(new Set(ids).size).toBe(heard.length);
      database.close();
    }),
    { numRuns: 25 },
  );
});

/** True when it failed, as it was to. */
function attemptBatch(keyspace: Keyspace, keys: readonly number[], fails: boolean): boolean {
  try {
    keyspace.batch((writer) => {
      for (const key of keys) writer.set(`${key}`, key);
      if (fails) throw new Error('on purpose');
    });
    return false;
  } catch {
    return true;
  }
}
