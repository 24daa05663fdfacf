/**
 * Pausing the indexing of full text and rebuilding the index: what is found meanwhile, what is told
 * on the way, and what becomes of a rebuild that does not come to its end.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Database, FtKeyspace, Progress } from 'mneme';
import { expect, test } from 'vitest';
import { openInChild } from './child.js';
import { expectCode, memory, openHere, temporaryPath, thrownBy } from './support.js';

function keysOf(hits: readonly { key: string }[]): string[] {
  return hits.map(({ key }) => key);
}

function expectSound(database: Database): void {
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
}

function paused() {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.put('one', 'old words');
  texts.put('two', 'old other words');
  texts.pauseIndexing();
  return { database, texts };
}

function manyDocuments(count: number): [string, string][] {
  const text = (index: number) => `all w${index % 7} w${index} end`;
  return Array.from({ length: count }, (_, index) => [`id ${10_000 + index}`, text(index)]);
}

test('while indexing is paused documents are stored, and found as the index knows them', () => {
  const { database, texts } = paused();
  const before = texts.search('old words');
  texts.put('two', 'new words');
  texts.put('three', 'new old words');
  expect(texts.get('two')).toBe('new words');
  expect(texts.count()).toBe(3);
  expect([...texts.scan()].map(([id]) => id)).toEqual(['one', 'three', 'two']);
  expect(texts.search('old words')).toEqual(before);
  expect(texts.search('new')).toEqual([]);
  expect(texts.stats()).toMatchObject({ docCount: 2, totalDocLen: 5, pending: 2 });
  expectSound(database);
  texts.rebuildIndex();
  expect(keysOf(texts.search('new'))).toEqual(['two', 'three']);
  expect(texts.stats()).toMatchObject({ docCount: 3, totalDocLen: 7, pending: 0 });
  expectSound(database);
  texts.put('four', 'newer');
  expect(keysOf(texts.search('newer'))).toEqual(['four']);
});

test('a document removed while indexing is paused is not found, though it counts', () => {
  const { database, texts } = paused();
  const [{ score } = { score: 0 }] = texts.search('old', { filter: 'one' });
  expect(texts.del('two')).toBe(true);
  expect(texts.del('two')).toBe(false);
  expect(texts.exists('two')).toBe(false);
  expect(texts.search('old')).toEqual([{ key: 'one', score }]);
  expect(texts.search('other')).toEqual([]);
  expect(texts.search('old', { topK: 1 })).toEqual([{ key: 'one', score }]);
  expect(texts.stats()).toMatchObject({ docCount: 2, totalDocLen: 5, pending: 1 });
  texts.put('two', 'put again');
  expect(keysOf(texts.search('old again'))).toEqual(['one']);
  expectSound(database);
  texts.rebuildIndex();
  expect(keysOf(texts.search('again'))).toEqual(['two']);
  expect(texts.search('other')).toEqual([]);
  expect(texts.stats()).toMatchObject({ docCount: 2, totalDocLen: 4, pending: 0 });
  expectSound(database);
});

test('what is put and removed while indexing is paused leaves nothing pending', () => {
  const { database, texts } = paused();
  texts.put('three', 'short life');
  expect(texts.stats().pending).toBe(1);
  texts.del('three');
  expect(texts.stats().pending).toBe(0);
  texts.rebuildIndex();
  expect(texts.stats()).toMatchObject({ docCount: 2, pending: 0 });
  expectSound(database);
});

test('that indexing is paused outlives a reopen, and is undone with its batch', () => {
  const path = temporaryPath();
  const first = openHere(path);
  first.ftKeyspace('texts').put('one', 'word');
  const failure = new Error('thrown by the callback');
  const undone = () => {
    first.batch(() => {
      first.ftKeyspace('texts').pauseIndexing();
      first.ftKeyspace('texts').put('two', 'word');
      expect(first.ftKeyspace('texts').stats().pending).toBe(1);
      throw failure;
    });
  };
  expect(thrownBy(undone)).toBe(failure);
  first.ftKeyspace('texts').put('three', 'word');
  expect(first.ftKeyspace('texts').search('word')).toHaveLength(2);
  first.ftKeyspace('texts').pauseIndexing();
  first.ftKeyspace('texts').pauseIndexing();
  first.close();
  const database = openHere(path);
  const texts = database.ftKeyspace('texts');
  texts.put('four', 'word');
  expect(texts.search('word')).toHaveLength(2);
  expect(texts.stats().pending).toBe(1);
  texts.rebuildIndex();
  expect(texts.search('word')).toHaveLength(3);
  database.close();
  const again = openHere(path).ftKeyspace('texts');
  again.put('five', 'word');
  expect(again.search('word')).toHaveLength(4);
});

test('a keyspace may be paused before there is anything in it', () => {
  const database = memory();
  const texts = database.ftKeyspace('texts');
  texts.pauseIndexing();
  texts.putMany(manyDocuments(50));
  expect(texts.search('all')).toEqual([]);
  expect(texts.stats()).toMatchObject({ docCount: 0, uniqueTerms: 0, pending: 50 });
  texts.rebuildIndex();
  expect(texts.search('all', { topK: 100 })).toHaveLength(50);
  database.ftKeyspace('none').rebuildIndex();
  expect(database.ftKeyspace('none').count()).toBe(0);
  expectSound(database);
});

test('a rebuild gives the same index, works in commits of 1000 and tells how far it is', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.putMany(manyDocuments(2500));
  const before = { hits: texts.search('all w3', { topK: 3000 }), stats: texts.stats() };
  const told: Progress[] = [];
  const commits: bigint[] = [];
  texts.rebuildIndex({
    onProgress: (progress) => {
      told.push({ ...progress });
      commits.push(database.info().txnId);
      expect(texts.search('all w3', { topK: 3000 })).toEqual(before.hits);
    },
  });
  expect({ hits: texts.search('all w3', { topK: 3000 }), stats: texts.stats() }).toEqual(before);
  const done = told.map((progress) => progress.done);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(done).toEqual(expect.arrayContaining([1000, 2000, 2500]));
  expect(told.every(({ total, phase }) => total === 2500 && typeof phase === 'string')).toBe(true);
  expect(new Set(commits).size).toBeGreaterThanOrEqual(3);
  expectSound(database);
});

test('what is written while the index is rebuilt is in the new index', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.putMany(manyDocuments(3000));
  let calls = 0;
  texts.rebuildIndex({
    onProgress: () => {
      if (calls === 4) return;
      calls++;
      texts.put('id 10001', `changed ${calls}`);
      // The last of those that are indexed by now.
      if (calls === 2) texts.put('id 10999', 'changed');
      texts.put('id 12999', `changed ${calls}`);
      texts.put(`new ${calls}`, 'changed');
      texts.del(`id ${10_000 + 100 * calls}`);
      texts.del(`id ${12_999 - calls}`);
      database.batch(() => texts.del(`new ${calls - 1}`));
      expect(texts.search('w2 changed', { topK: 9999 }).length).toBeGreaterThan(420);
      expectSound(database);
    },
  });
  const added = texts.count('new');
  expect(keysOf(texts.search('changed', { topK: 9999 })).sort()).toEqual(
    ['id 10001', 'id 10999', 'id 12999', ...Array.from(texts.scan('new'), ([id]) => id)].sort(),
  );
  expect(texts.count()).toBe(3000 - 2 * calls + added);
  expect(texts.stats().docCount).toBe(texts.count());
  expect(texts.search('all', { topK: 9999 })).toHaveLength(texts.count() - added - 3);
  expectSound(database);
});

test('a rebuild that ends early leaves the old index, and the next one begins cleanly', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.putMany(manyDocuments(2500));
  texts.pauseIndexing();
  texts.put('id 10000', 'paused');
  texts.del('id 10001');
  const state = () => ({ hits: texts.search('all', { topK: 9999 }), stats: texts.stats() });
  const before = state();
  const failure = new Error('thrown on the way');
  for (const end of [0, 900, 1900]) {
    const onProgress = ({ done }: Progress): void => {
      if (done >= end) throw failure;
    };
    expect(thrownBy(() => texts.rebuildIndex({ onProgress }))).toBe(failure);
    expect(state()).toEqual(before);
    expectSound(database);
  }
  texts.put('id 10002', 'later');
  texts.del('id 10003');
  texts.put('new', 'later');
  expectSound(database);
  texts.rebuildIndex();
  expect(keysOf(texts.search('paused later'))).toEqual(['id 10000', 'id 10002', 'new']);
  expect(texts.search('all', { topK: 9999 })).toHaveLength(2496);
  expect(texts.stats()).toMatchObject({ docCount: 2499, pending: 0 });
  expectSound(database);
});

test('a rebuild within a rebuild, and a keyspace dropped or closed in one, do no harm', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.putMany(manyDocuments(1500));
  let depth = 0;
  const nested = (): void => {
    if (depth > 0) return;
    depth++;
    texts.rebuildIndex();
  };
  texts.rebuildIndex({ onProgress: ({ done }) => (done === 1000 ? nested() : undefined) });
  expect(depth).toBe(1);
  expect(texts.search('all', { topK: 9999 })).toHaveLength(1500);
  expectSound(database);
  const drop = ({ done }: Progress): void => {
    if (done === 1000) database.dropKeyspace('texts');
  };
  texts.rebuildIndex({ onProgress: drop });
  expect(texts.count()).toBe(0);
  expect(texts.search('all')).toEqual([]);
  expectSound(database);
  texts.putMany(manyDocuments(1500));
  expect(texts.search('all', { topK: 9999 })).toHaveLength(1500);
  const close = ({ done }: Progress): void => {
    if (done === 1000) database.close();
  };
  expectCode('ERR_MNEME_CLOSED', () => texts.rebuildIndex({ onProgress: close }));
});

test('a rebuild does not begin again because others go on writing', async () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096, sync: 'none' });
  const texts = database.ftKeyspace('texts');
  texts.putMany(manyDocuments(3000));
  const child = await openInChild(path, { pageSize: 4096, sync: 'none' });
  const written = child.ask('putTexts', 'child', 3000, false);
  while (texts.count('child') < 50) await wait(1);
  const told: number[] = [];
  texts.rebuildIndex({
    onProgress: ({ done }) => {
      told.push(done);
      if (told.length > 300) throw new Error('it does not come to an end');
      texts.put('mine', `word ${told.length}`);
    },
  });
  await written;
  await child.ask('close');
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(texts.search('word', { topK: 9999 })).toHaveLength(3001);
  expect(texts.stats()).toMatchObject({ docCount: 6001, pending: 0 });
  expectSound(database);
});

test('positions are stored from a rebuild on when a keyspace is opened for that', () => {
  const database = memory();
  database.ftKeyspace('texts').putMany([
    ['one', 'red green blue'],
    ['two', 'green red blue'],
  ]);
  const phrase = '"red green"';
  expect(database.ftKeyspace('texts').search(phrase)).toHaveLength(2);
  const texts = database.ftKeyspace('texts', { positions: true, reindex: true });
  expect(keysOf(texts.search(phrase))).toEqual(['one']);
  expect(keysOf(database.ftKeyspace('texts').search(phrase))).toEqual(['one']);
  texts.put('three', 'blue red green');
  expect(keysOf(texts.search(phrase))).toEqual(['one', 'three']);
  expectSound(database);
  const without: FtKeyspace = database.ftKeyspace('texts', { positions: false, reindex: true });
  expect(without.search(phrase)).toHaveLength(3);
  expectSound(database);
});

test('after a process was killed while it rebuilt, the old index serves', async () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.putMany(manyDocuments(2500));
  texts.pauseIndexing();
  texts.put('id 10000', 'changed');
  const state = () => ({ hits: texts.search('all w1', { topK: 9999 }), stats: texts.stats() });
  const before = state();
  for (const done of [0, 1000, 2000]) {
    const child = await openInChild(path, { pageSize: 4096 });
    await child.ask('rebuildUntil', done);
    await child.sendTo('stayInRebuild');
    await child.kill();
    expect(state()).toEqual(before);
    expectSound(database);
  }
  database.close();
  const again = openHere(path);
  const reopened = again.ftKeyspace('texts');
  expect(reopened.search('all w1', { topK: 9999 })).toEqual(before.hits);
  reopened.put('id 10001', 'changed');
  reopened.rebuildIndex();
  expect(keysOf(reopened.search('changed'))).toEqual(['id 10000', 'id 10001']);
  expect(reopened.stats()).toMatchObject({ docCount: 2500, pending: 0 });
  expectSound(again);
});
