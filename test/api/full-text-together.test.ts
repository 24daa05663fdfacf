/**
 * Full text together with everything else: in one batch with values, vectors, sorted sets and
 * lists, in snapshots, from other threads and from other processes.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Database, FtKeyspace } from 'mneme';
import { expect, onTestFinished, test } from 'vitest';
import { openInChild } from './child.js';
import { expectCode, memory, openHere, temporaryPath, thrownBy } from './support.js';

const THREAD = new URL('./children/attached-thread.mjs', import.meta.url);

function keysOf(hits: readonly { key: string }[]): string[] {
  return hits.map(({ key }) => key);
}

function expectSound(database: Database): void {
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
}

/** Everything that a database holds, as it is told. */
function everything(database: Database): unknown {
  const [texts, memories] = [database.ftKeyspace('texts'), database.keyspace('memories')];
  return {
    names: database.keyspaces(),
    texts: texts.scan().toArray(),
    stats: texts.stats(),
    hits: texts.search('cat dog replaced', { topK: 100 }),
    values: memories.range().toArray(),
    vectors: memories.vsearch([1, 0], { includeVectors: true }),
    recent: memories.sortedSet('recent').rangeByRank(0, -1),
    log: memories.list('log').range(),
  };
}

function writeAll(database: Database, name: string, text: string): void {
  const memories = database.keyspace('memories');
  database.ftKeyspace('texts').put(name, text);
  memories.set(name, text.length);
  memories.vset(name, [text.length, 1]);
  memories.sortedSet('recent').add(text.length, name);
  memories.list('log').rpush(name, text);
}

test('a batch takes texts, values, vectors, sorted sets and lists, all or none', () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096 });
  const before = database.info().txnId;
  database.batch(() => {
    writeAll(database, 'one', 'a cat');
    writeAll(database, 'two', 'a dog and a cat');
    expect(keysOf(database.ftKeyspace('texts').search('cat'))).toEqual(['one', 'two']);
  });
  expect(database.info().txnId).toBe(before + 1n);
  const kept = everything(database);
  const failure = new Error('thrown by the callback');
  const failing = () =>
    database.batch((tx) => {
      writeAll(database, 'one', 'replaced');
      writeAll(database, 'three', 'a third cat');
      tx.ftKeyspace('texts').del('two');
      expect(keysOf(tx.ftKeyspace('texts').search('cat replaced'))).toEqual(['one', 'three']);
      expect(tx.ftKeyspace('texts').stats()).toMatchObject({ docCount: 2 });
      tx.ftKeyspace('others').put('new', 'text');
      tx.dropKeyspace('memories');
      throw failure;
    });
  expect(thrownBy(failing)).toBe(failure);
  expect(everything(database)).toStrictEqual(kept);
  expectSound(database);
  database.close();
  const again = openHere(path);
  expect(everything(again)).toStrictEqual(kept);
  expectSound(again);
});

test('a nested batch that fails is undone, and the one around it goes on', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.put('kept', 'old word');
  const failure = new Error('thrown by the callback');
  database.batch(() => {
    texts.put('one', 'word outside');
    const inner = () =>
      database.batch(() => {
        texts.put('one', 'inside');
        texts.put('two', 'word inside');
        texts.del('kept');
        texts.pauseIndexing();
        expect(keysOf(texts.search('inside'))).toEqual(['one', 'two']);
        throw failure;
      });
    expect(thrownBy(inner)).toBe(failure);
    expect(keysOf(texts.search('word inside'))).toEqual(['kept', 'one']);
    texts.put('three', 'word');
  });
  expect(keysOf(texts.search('word'))).toEqual(['three', 'kept', 'one']);
  expect(texts.stats()).toMatchObject({ docCount: 3, uniqueTerms: 3, totalDocLen: 5, pending: 0 });
  expectSound(database);
});

test('what a handle has read in a batch, it reads in a nested one too', () => {
  const database = memory();
  const [keyspace, texts] = [database.keyspace('a'), database.ftKeyspace('texts')];
  database.batch(() => {
    keyspace.set('key', 'value');
    texts.put('one', 'word');
    expect(keyspace.get('key')).toBe('value');
    expect(texts.get('one')).toBe('word');
    database.batch(() => {
      expect(database.keyspaces()).toEqual(['a', 'texts']);
      expect(keyspace.get('key')).toBe('value');
      expect(keyspace.count('k')).toBe(1);
      expect(texts.get('one')).toBe('word');
    });
    expect(keyspace.get('key')).toBe('value');
    expect(texts.search('word')).toHaveLength(1);
  });
  expectSound(database);
});

test('many documents are one commit, the last of an id counts, and all come or none', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.put('first', 'word');
  const before = database.info().txnId;
  function* documents(): Generator<readonly [string | Uint8Array, string]> {
    for (let index = 0; index < 3000; index++) yield [`id ${index % 2900}`, `word w${index}`];
    yield [Buffer.from('first'), 'bytes'];
  }
  texts.putMany(documents());
  expect(database.info().txnId).toBe(before + 1n);
  expect(texts.count()).toBe(2901);
  expect(texts.get('id 5')).toBe('word w2905');
  expect(texts.search('w5')).toEqual([]);
  expect(keysOf(texts.search('w2905 bytes')).sort()).toEqual(['first', 'id 5']);
  expect(texts.stats()).toMatchObject({ docCount: 2901, totalDocLen: 5801 });
  texts.putMany(new Map([['map', 'word']]));
  expect(texts.get('map')).toBe('word');
  expectSound(database);
});

test('a document’s id is used again, and nothing of the old one is left', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  for (let round = 0; round < 30; round++) {
    database.batch(() => {
      for (let index = 0; index < 20; index++) texts.put(`id ${index}`, `word r${round} w${index}`);
      for (let index = round % 3; index < 20; index += 3) texts.del(`id ${index}`);
    });
    const left = texts.count();
    expect(texts.search('word', { topK: 100 })).toHaveLength(left);
    expect(texts.search(`r${round - 1}`)).toEqual([]);
    if (round % 10 === 9) expectSound(database);
  }
  database.batch(() => {
    for (const [id] of texts.scan()) texts.del(id);
  });
  expect(texts.stats()).toMatchObject({ docCount: 0, uniqueTerms: 0, totalDocLen: 0 });
  expectSound(database);
});

test('a snapshot shows documents, index and statistics as they were', () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096 });
  const texts = database.ftKeyspace('texts', { positions: true });
  texts.putMany(Array.from({ length: 500 }, (_, at) => [`id ${at}`, `the word w${at % 7}`]));
  const told = (reader: Pick<FtKeyspace, 'search' | 'stats' | 'scan' | 'count' | 'get'>) => ({
    hits: reader.search('word w3', { topK: 1000 }),
    phrases: reader.search('"word w3" w*', { topK: 1000 }),
    stats: reader.stats(),
    documents: [...reader.scan()],
    more: [reader.count('id 1'), reader.get('id 1'), reader.get('new')],
  });
  const before = told(texts);
  const snapshot = database.snapshot();
  texts.putMany(Array.from({ length: 500 }, (_, at) => [`id ${at * 2}`, `changed w${at % 5}`]));
  texts.pauseIndexing();
  texts.del('id 1');
  texts.put('new', 'word');
  expect(told(snapshot.ftKeyspace('texts'))).toEqual(before);
  texts.rebuildIndex();
  expect(told(snapshot.ftKeyspace('texts'))).toEqual(before);
  database.dropKeyspace('texts');
  expect(told(snapshot.ftKeyspace('texts'))).toEqual(before);
  expect(database.ftKeyspace('texts').count()).toBe(0);
  database.ftKeyspace('texts').put('other', 'word');
  expect(told(snapshot.ftKeyspace('texts'))).toEqual(before);
  expect(snapshot.ftKeyspace('texts').exists('other')).toBe(false);
  expect(snapshot.ftKeyspace('none').search('word')).toEqual([]);
  snapshot.close();
  expectSound(database);
});

test('a dropped keyspace is empty, and its handle begins it anew', () => {
  const database = memory();
  const texts = database.ftKeyspace('texts', { k1: 0, positions: true });
  texts.put('one', 'word word');
  texts.pauseIndexing();
  expect(database.dropKeyspace('texts')).toBe(true);
  expect(texts.search('word')).toEqual([]);
  expect(texts.get('one')).toBeUndefined();
  expect(texts.stats()).toMatchObject({ docCount: 0, pending: 0 });
  expect(database.keyspaces()).toEqual([]);
  texts.put('two', 'word word');
  expect(texts.search('"word word"')).toEqual(texts.search('word'));
  expect(texts.search('word')).toEqual([{ key: 'two', score: Math.log(1 + 0.5 / 1.5) }]);
  const failure = new Error('thrown by the callback');
  const undone = () =>
    database.batch(() => {
      database.dropKeyspace('texts');
      texts.put('three', 'other');
      expect(texts.search('word')).toEqual([]);
      throw failure;
    });
  expect(thrownBy(undone)).toBe(failure);
  expect(keysOf(texts.search('word other'))).toEqual(['two']);
  expectSound(database);
});

test('other threads of the process put and find documents at once', async () => {
  const database = openHere(temporaryPath(), { pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.put('one', 'a word of the first thread');
  const workers = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const worker = new Worker(THREAD, { workerData: { shared: database.share() } });
      onTestFinished(async () => {
        await worker.terminate();
      });
      await once(worker, 'message');
      const ask = async (task: string, details: object): Promise<{ value?: unknown }> => {
        const reply = once(worker, 'message');
        worker.postMessage({ task, ...details });
        return (await reply)[0];
      };
      return { name, ask };
    }),
  );
  const [first] = workers as [(typeof workers)[number]];
  const found = await first.ask('searchText', { query: 'word' });
  expect(found).toEqual({ value: texts.search('word') });
  await first.ask('putText', { docId: 'two', text: 'another word' });
  expect(keysOf(texts.search('word'))).toEqual(['two', 'one']);
  const put = workers.map(({ name, ask }) => ask('putTexts', { name, count: 150 }));
  for (let look = 0; look < 30; look++) {
    const snapshot = database.snapshot();
    const seen = snapshot.ftKeyspace('texts');
    expect(seen.search('word', { topK: 1000 })).toHaveLength(seen.count());
    expect(seen.stats().docCount).toBe(seen.count());
    snapshot.close();
    texts.put('three', `look${look}`.repeat(1 + (look % 3)));
    texts.del('three');
  }
  const kept = Array.from({ length: 150 }, (_, at) => at % 4).filter((rest) => rest !== 0).length;
  expect(await Promise.all(put)).toEqual([{ value: kept }, { value: kept }]);
  expect(texts.search('replaced', { topK: 1000, filter: 'b ' })).toHaveLength(37);
  expect(texts.stats().docCount).toBe(2 + 2 * kept);
  expectSound(database);
});

test('other processes put and find documents at once', async () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.put('one', 'some word');
  const [child, reader] = await Promise.all([
    openInChild(path, { pageSize: 4096 }),
    openInChild(path, { readonly: true }),
  ]);
  expect(await child.ask('searchText', 'word')).toEqual(texts.search('word'));
  await child.ask('putText', 'two', 'a word of another process');
  expect(keysOf(texts.search('process word'))).toEqual(['two', 'one']);
  expect(await reader.ask('searchText', 'process')).toEqual(texts.search('process'));
  const written = child.ask('putTexts', 'child', 300, false);
  for (let round = 0; round < 60; round++) {
    const [count, indexed, found] = (await reader.ask('countTexts')) as number[];
    expect([indexed, found]).toEqual([count, count]);
    texts.put(`mine ${round}`, `word w${round}`);
  }
  await written;
  await child.ask('putTexts', 'many', 2000, true);
  expect(await reader.ask('countTexts')).toEqual([2362, 2362, 2362]);
  expect(texts.search('word', { topK: 9999 })).toHaveLength(2362);
  expect(await child.ask('verify')).toMatchObject({ ok: true, problems: [] });
  await reader.expectCode('ERR_MNEME_READONLY', 'putText', 'three', 'text');
});

test('a batch of texts that is killed leaves nothing', async () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.putMany(Array.from({ length: 300 }, (_, at) => [`id ${at}`, `word w${at}`]));
  const before = everything(database);
  for (let round = 0; round < 3; round++) {
    const child = await openInChild(path, { pageSize: 4096 });
    await child.sendTo('stayInTexts');
    await child.kill();
    expect(everything(database)).toStrictEqual(before);
    expectSound(database);
  }
  texts.put('after', 'cat');
  expect(keysOf(texts.search('cat half'))).toEqual(['after']);
  database.close();
  expectCode('ERR_MNEME_CLOSED', () => texts.search('cat'));
  expect(keysOf(openHere(path).ftKeyspace('texts').search('cat half'))).toEqual(['after']);
});

test('what a nested batch has put and lost is in no index', () => {
  const database = openHere(temporaryPath(), { sync: 'none' });
  const texts = database.ftKeyspace('texts');
  database.batch(() => {
    texts.put('one', 'first words');
    expect(
      thrownBy(() =>
        database.batch(() => {
          texts.put('two', 'second words');
          texts.put('one', 'other things');
          throw new Error('never mind');
        }),
      ),
    ).toMatchObject({ message: 'never mind' });
    texts.put('three', 'third words');
  });
  expect(texts.search('words').map(({ key }) => key)).toEqual(['one', 'three']);
  expect(texts.search('second other things')).toEqual([]);
  expect(texts.stats()).toMatchObject({ docCount: 2, uniqueTerms: 3, totalDocLen: 4 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});
