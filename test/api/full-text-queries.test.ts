/**
 * Phrases and prefixes in queries, snippets, searches that do not block, and what may go on while a
 * search or a scan is under way.
 */
import type { FtKeyspace } from 'mneme';
import { expect, test } from 'vitest';
import { expectCode, memory, thrownBy } from './support.js';

function keysOf(hits: readonly { key: string }[]): string[] {
  return hits.map(({ key }) => key);
}

function placed(): FtKeyspace {
  const texts = memory({ pageSize: 4096 }).ftKeyspace('texts', { positions: true });
  texts.putMany([
    ['one', 'the quick brown fox'],
    ['two', 'the brown quick fox, quick'],
    ['three', 'quick brown quick brown foxes'],
    ['four', 'nothing of it'],
  ]);
  return texts;
}

/** What one part of a query adds, by the formula of the contract. */
function bm25(documents: number, n: number, tf: number, length: number, average: number): number {
  const idf = Math.log(1 + (documents - n + 0.5) / (n + 0.5));
  return (idf * tf * (1.2 + 1)) / (tf + 1.2 * (1 - 0.75 + (0.75 * length) / average));
}
const AVERAGE = (4 + 5 + 5 + 3) / 4;

test('a phrase finds its words in their order, and scores as one word', () => {
  const texts = placed();
  expect(texts.search('"quick brown"')).toEqual([
    { key: 'three', score: bm25(4, 2, 2, 5, AVERAGE) },
    { key: 'one', score: bm25(4, 2, 1, 4, AVERAGE) },
  ]);
  expect(keysOf(texts.search('"BROWN, quick"'))).toEqual(['three', 'two']);
  expect(keysOf(texts.search('"the quick brown fox"'))).toEqual(['one']);
  expect(texts.search('"fox the"')).toEqual([]);
  expect(texts.search('"quick unknown"')).toEqual([]);
  expect(texts.search('"fox"')).toEqual(texts.search('fox'));
  expect(texts.search('"" fox ""')).toEqual(texts.search('fox'));
  const both = bm25(4, 2, 1, 5, AVERAGE) + bm25(4, 2, 1, 5, AVERAGE);
  const ofTwo = texts.search('"brown quick" fox', { filter: 'two' });
  expect(ofTwo).toEqual([{ key: 'two', score: both }]);
  expect(keysOf(texts.search('"quick brown" the', { operator: 'and' }))).toEqual(['one']);
});

test('the matches of a phrase may overlap', () => {
  const texts = memory().ftKeyspace('texts', { positions: true });
  texts.put('one', 'a a a a');
  texts.put('two', 'a b a');
  expect(texts.search('"a a"')).toEqual([{ key: 'one', score: bm25(2, 1, 3, 4, 3.5) }]);
  expect(texts.search('"a a a a"')).toEqual([{ key: 'one', score: bm25(2, 1, 1, 4, 3.5) }]);
  expect(texts.search('"a a a a a"')).toEqual([]);
  expect(keysOf(texts.search('"a b a"'))).toEqual(['two']);
});

test('a prefix finds all words that begin like it, and scores as one word', () => {
  const texts = placed();
  expect(texts.search('fox*')).toEqual([
    { key: 'one', score: bm25(4, 3, 1, 4, AVERAGE) },
    { key: 'three', score: bm25(4, 3, 1, 5, AVERAGE) },
    { key: 'two', score: bm25(4, 3, 1, 5, AVERAGE) },
  ]);
  expect(texts.search('Q*')[0]).toEqual({ key: 'three', score: bm25(4, 3, 2, 5, AVERAGE) });
  expect(keysOf(texts.search('not* foxe*'))).toEqual(['four', 'three']);
  expect(keysOf(texts.search('b* the', { operator: 'and' }))).toEqual(['one', 'two']);
  expect(texts.search('z*')).toEqual([]);
  expect(keysOf(texts.search('fox'))).toEqual(['one', 'two']);
});

test('signs that belong to no phrase and no prefix are no failure', () => {
  const texts = placed();
  for (const query of ['"', '""', '*', '"*"', '**', '" *', '"quick', 'quick"', 'qu*ck', '*quick']) {
    for (const operator of ['or', 'and'] as const) {
      expect(Array.isArray(texts.search(query, { operator })), query).toBe(true);
    }
  }
  expect(keysOf(texts.search('"brown fox')).sort()).toEqual(['one', 'three', 'two']);
});

test('without positions quotes and stars are signs like others', () => {
  const texts = memory().ftKeyspace('texts');
  texts.put('one', 'quick brown');
  texts.put('two', 'brown quick');
  expect(texts.search('"quick brown"')).toEqual(texts.search('quick brown'));
  expect(texts.search('bro*')).toEqual([]);
  expect(texts.search('brown*')).toEqual(texts.search('brown'));
});

test('phrases are found in Chinese and Japanese, and across much of a text', () => {
  const texts = memory().ftKeyspace('texts', { positions: true });
  texts.put('zh', '数据库管理系统');
  texts.put('ja', '日本の首都は東京です');
  texts.put('long', `${'filler '.repeat(50_000)}needle in ${'hay '.repeat(50_000)}`);
  expect(keysOf(texts.search('"管理系统"'))).toEqual(['zh']);
  expect(texts.search('"系统管理"')).toEqual([]);
  expect(keysOf(texts.search('"首都は東京"'))).toEqual(['ja']);
  expect(keysOf(texts.search('"filler needle in hay"'))).toEqual(['long']);
  expect(texts.search('"needle hay"')).toEqual([]);
  texts.put('long', 'short needle hay');
  expect(keysOf(texts.search('"needle hay"'))).toEqual(['long']);
});

test('a snippet shows the words that were found between marks', () => {
  const texts = memory().ftKeyspace('texts', { positions: true });
  texts.put('short', 'The Quick, brown fox!');
  const far = `${'filler '.repeat(200)}a quick look at foxes ${'more '.repeat(200)}`;
  texts.put('long', far);
  const snippetOf = (query: string, filter: string, snippet = {}) =>
    texts.search(query, { filter, snippet })[0]?.snippet;
  expect(snippetOf('quick fox', 'short')).toBe('The <b>Quick</b>, brown <b>fox</b>!');
  expect(snippetOf('brown', 'short', { before: '[', after: ']' })).toBe('The Quick, [brown] fox!');
  expect(snippetOf('"quick brown"', 'short')).toBe('The <b>Quick</b>, <b>brown</b> fox!');
  expect(snippetOf('fo*', 'short', { before: '', after: '' })).toBe('The Quick, brown fox!');
  expect(snippetOf('quick foxes', 'long', { words: 6 })).toContain(
    '<b>quick</b> look at <b>foxes</b>',
  );
  const shown = snippetOf('foxes', 'long', { words: 3, before: '', after: '' }) as string;
  expect(shown).toMatch(/^….*foxes.*…$/u);
  expect(shown.match(/[a-z]+/gu)).toHaveLength(3);
  const [hit] = texts.search('quick', { topK: 1, snippet: {} });
  expect(Object.keys(hit as object).sort()).toEqual(['key', 'score', 'snippet']);
  const plain = texts.search('quick');
  const scores = texts.search('quick', { snippet: {} }).map(({ key, score }) => ({ key, score }));
  expect(scores).toEqual(plain);
});

test('a snippet goes by the analyzer of the keyspace', () => {
  const database = memory();
  const english = database.ftKeyspace('english', { analyzerName: 'english' });
  english.put('one', 'He was running away.');
  expect(english.search('runs', { snippet: {} })[0]?.snippet).toBe('He was <b>running</b> away.');
  const plain = database.ftKeyspace('plain');
  plain.put('one', '今日は東京に行く');
  const [hit] = plain.search('東京', { snippet: { before: '[', after: ']' } });
  expect(hit?.snippet).toContain('[東京]');
});

function many(): FtKeyspace {
  const texts = memory({ pageSize: 4096, cacheSize: 2 ** 20 }).ftKeyspace('texts');
  texts.putMany(
    Array.from({ length: 2000 }, (_, index) => [
      `id ${10_000 + index}`,
      `all w${index % 9} w${index}`,
    ]),
  );
  return texts;
}

test('a search that does not block finds the same', async () => {
  const texts = many();
  const filter = (docId: string) => docId.endsWith('7');
  for (const options of [
    {},
    { topK: 3000 },
    { topK: 0 },
    { k1: 0.3, b: 0.1, operator: 'and' },
    { filter: 'id 101' },
    { filter, topK: 50 },
    { snippet: { words: 2 } },
  ] as const) {
    const expected = texts.search('w3 w12 all w500', options);
    const asked = [1, 2, 3].map(() => texts.searchAsync('w3 w12 all w500', options));
    for (const hits of await Promise.all(asked)) expect(hits).toStrictEqual(expected);
  }
  expect(await texts.searchAsync('')).toEqual([]);
  const failure = new Error('thrown by the filter');
  const failing = () => {
    throw failure;
  };
  await expect(texts.searchAsync('all', { filter: failing })).rejects.toBe(failure);
  const phrases = placed();
  const expected = phrases.search('"quick brown" fo*');
  expect(await phrases.searchAsync('"quick brown" fo*')).toStrictEqual(expected);
});

test('a search that does not block is of the state in which it was asked for', async () => {
  const texts = many();
  const expected = texts.search('all w5', { topK: 3000 });
  const asked = texts.searchAsync('all w5', { topK: 3000 });
  texts.put('new', 'all w5');
  texts.del('id 10005');
  texts.rebuildIndex();
  expect(await asked).toStrictEqual(expected);
  expect(texts.search('all w5', { topK: 3000 })).not.toEqual(expected);
});

test('a filter that throws ends its search and nothing else', () => {
  const texts = many();
  const failure = new Error('thrown by the filter');
  let calls = 0;
  const filter = () => {
    if (calls++ === 100) throw failure;
    return false;
  };
  const before = texts.search('all w5');
  expect(thrownBy(() => texts.search('all w5', { filter }))).toBe(failure);
  expect(texts.search('all w5')).toEqual(before);
});

test('a filter may use the database: its search goes on in the state of its beginning', () => {
  const database = memory({ pageSize: 4096, cacheSize: 2 ** 20 });
  const texts = database.ftKeyspace('texts');
  const text = (index: number) => `all w${index % 9} w${index}`;
  texts.putMany(Array.from({ length: 2000 }, (_, at) => [`id ${10_000 + at}`, text(at)]));
  const run = () => {
    const before = texts.search('all w5', { topK: 3000 });
    let calls = 0;
    const filter = (docId: string): boolean => {
      if (calls++ % 100 === 0) {
        texts.put(`new ${calls}`, 'all w5 w5');
        texts.del(docId);
        texts.put('id 11500', `${calls}`);
        expect(texts.search('w5', { filter: 'new' }).length).toBeGreaterThan(0);
      }
      return true;
    };
    expect(texts.search('all w5', { topK: 3000, filter })).toStrictEqual(before);
    expect(calls).toBeGreaterThanOrEqual(before.length);
  };
  run();
  database.batch(run);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  const close = (): boolean => {
    database.close();
    return false;
  };
  expectCode('ERR_MNEME_CLOSED', () => texts.search('all', { filter: close, topK: 1 }));
});

test('a scan goes on in the state of its beginning', () => {
  const texts = many();
  const seen: string[] = [];
  for (const [id, text] of texts.scan('id 100')) {
    seen.push(id);
    expect(text).toContain('all');
    texts.del(id);
    texts.put(`${id} new`, 'new');
  }
  expect(seen).toHaveLength(100);
  expect(texts.count('id 100')).toBe(100);
  expect(texts.scan('id 100').take(1).toArray()).toEqual([['id 10000 new', 'new']]);
  const added = texts.scan().filter(([, text]) => text === 'new');
  expect(added.toArray()).toHaveLength(100);
});
