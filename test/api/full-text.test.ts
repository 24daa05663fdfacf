/**
 * The section "Full text" of the contract: what is stored, what is found, and with which score.
 */
import type { FtKeyspace } from 'mneme';
import { expect, test } from 'vitest';
import { memory, openHere, temporaryPath } from './support.js';

function keysOf(hits: readonly { key: string }[]): string[] {
  return hits.map(({ key }) => key);
}

const DOCUMENTS = [
  ['cats', 'The cat sat with another cat.'],
  ['dogs', 'A dog and a cat met a dog and a dog.'],
  ['fish', 'Fish swim.'],
] as const;

function filled(): FtKeyspace {
  const texts = memory({ pageSize: 4096 }).ftKeyspace('texts');
  texts.putMany(DOCUMENTS);
  return texts;
}

/** What one word of a query adds: `n` of `N` documents have it, this one `tf` times. */
interface Weighed {
  readonly N: number;
  readonly n: number;
  readonly tf: number;
  readonly length: number;
  readonly average: number;
  readonly k1?: number;
  readonly b?: number;
}

function bm25({ N, n, tf, length, average, k1 = 1.2, b = 0.75 }: Weighed): number {
  const idf = Math.log(1 + (N - n + 0.5) / (n + 0.5));
  return (idf * tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * length) / average));
}

const AVERAGE = (6 + 11 + 2) / 3;

test('what was put comes back, is counted, and is found by its words', () => {
  const texts = filled();
  expect(texts.name).toBe('texts');
  expect(texts.get('cats')).toBe('The cat sat with another cat.');
  expect(texts.get('none')).toBeUndefined();
  expect(texts.exists('fish')).toBe(true);
  expect(texts.exists('none')).toBe(false);
  expect(texts.count()).toBe(3);
  expect(texts.count('c')).toBe(1);
  expect([...texts.scan()]).toEqual(DOCUMENTS);
  expect(texts.scan('d').toArray()).toEqual([DOCUMENTS[1]]);
  expect(keysOf(texts.search('cat'))).toEqual(['cats', 'dogs']);
  expect(keysOf(texts.search('SWIM'))).toEqual(['fish']);
  expect(texts.put('fish', 'Fish fly.')).toBeUndefined();
  expect(texts.del('dogs')).toBe(true);
  expect(texts.del('dogs')).toBe(false);
  expect(keysOf(texts.search('dog swim fly'))).toEqual(['fish']);
  expect(texts.count()).toBe(2);
});

test('a score is the sum of BM25 over the words of the query, each time one stands there', () => {
  const texts = filled();
  const ofAll = { N: 3, average: AVERAGE };
  const cat = bm25({ ...ofAll, n: 2, tf: 2, length: 6 });
  expect(texts.search('cat', { topK: 1 })).toEqual([{ key: 'cats', score: cat }]);
  const dog = bm25({ ...ofAll, n: 1, tf: 3, length: 11 });
  const catOfDogs = bm25({ ...ofAll, n: 2, tf: 1, length: 11 });
  expect(texts.search('cat dog')).toEqual([
    { key: 'dogs', score: catOfDogs + dog },
    { key: 'cats', score: cat },
  ]);
  expect(texts.search('dog cat dog dog')[0]?.score).toBe(dog + catOfDogs + dog + dog);
  expect(texts.search('cat unknown cat')[0]?.score).toBe(cat + cat);
});

test('k1 and b are those of the query, else of the keyspace, else 1.2 and 0.75', () => {
  const database = memory();
  const plain = database.ftKeyspace('plain');
  const texts = database.ftKeyspace('texts', { k1: 0.5, b: 0.25 });
  for (const each of [plain, texts]) each.putMany(DOCUMENTS);
  const fish = { N: 3, n: 1, tf: 1, length: 2, average: AVERAGE };
  const score = (at: FtKeyspace, options?: object) => at.search('fish', options)[0]?.score;
  expect(score(plain)).toBe(bm25(fish));
  expect(score(texts)).toBe(bm25({ ...fish, k1: 0.5, b: 0.25 }));
  expect(score(texts, { k1: 3 })).toBe(bm25({ ...fish, k1: 3, b: 0.25 }));
  expect(score(texts, { b: 1 })).toBe(bm25({ ...fish, k1: 0.5, b: 1 }));
  expect(score(texts, { k1: 0, b: 0 })).toBe(bm25({ ...fish, k1: 0, b: 0 }));
  expect(score(texts, { k1: 1e300, b: 1 })).toBe(bm25({ ...fish, k1: 1e300, b: 1 }));
});

test('k1 and b are stored with the keyspace', () => {
  const path = temporaryPath();
  const database = openHere(path);
  database.ftKeyspace('texts', { k1: 0, b: 0.5 }).putMany(DOCUMENTS);
  const expected = database.ftKeyspace('texts').search('cat dog fish');
  database.close();
  const again = openHere(path).ftKeyspace('texts');
  expect(again.search('cat dog fish')).toEqual(expected);
  expect(again.search('cat dog fish', { k1: 0, b: 0.5 })).toEqual(expected);
  expect(again.search('fish')[0]?.score).toBe(
    bm25({ N: 3, n: 1, tf: 1, length: 2, average: AVERAGE, k1: 0, b: 0.5 }),
  );
});

test('equal scores are ordered by the bytes of the ids', () => {
  const texts = memory().ftKeyspace('texts');
  const ids = ['b', '\u{10000}', 'a', '\uffff', 'aa', '', 'é', 'Z', 'a\u0000'];
  for (const id of ids) texts.put(id, 'the same');
  const sorted = ids.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  expect(keysOf(texts.search('same the'))).toEqual(sorted);
  expect(keysOf(texts.search('the', { topK: 4 }))).toEqual(sorted.slice(0, 4));
  expect([...texts.scan()].map(([id]) => id)).toEqual(sorted);
});

test('hits have a score above 0, also of a word that all documents have', () => {
  const texts = memory().ftKeyspace('texts');
  for (let index = 0; index < 500; index++) texts.put(`${index}`, 'always');
  const hits = texts.search('always', { topK: 1000 });
  expect(hits).toHaveLength(500);
  expect(hits.every(({ score }) => score > 0)).toBe(true);
  for (const hit of hits) expect(Object.keys(hit)).toEqual(['key', 'score']);
});

test('nothing is found by an empty query or by words that are unknown', () => {
  const texts = filled();
  for (const query of ['', ' ', '.,;!', 'unknown', 'unknown words', '\u0000', '\u0301']) {
    expect(texts.search(query)).toEqual([]);
    expect(texts.search(query, { operator: 'and' })).toEqual([]);
  }
  expect(memory().ftKeyspace('none').search('cat')).toEqual([]);
});

test('an empty text counts as a document of length 0', () => {
  const texts = memory().ftKeyspace('texts');
  texts.put('empty', '');
  expect(texts.get('empty')).toBe('');
  expect(texts.exists('empty')).toBe(true);
  const nothing = { uniqueTerms: 0, avgDocLen: 0, totalDocLen: 0, pending: 0 };
  expect(texts.stats()).toEqual({ docCount: 1, ...nothing });
  expect(texts.search('word')).toEqual([]);
  texts.put('full', 'a word');
  texts.put('signs', '!?');
  expect(texts.search('word')).toEqual([
    { key: 'full', score: bm25({ N: 3, n: 1, tf: 1, length: 2, average: 2 / 3 }) },
  ]);
  expect(texts.del('empty')).toBe(true);
  expect(texts.search('word')).toEqual([
    { key: 'full', score: bm25({ N: 2, n: 1, tf: 1, length: 2, average: 1 }) },
  ]);
});

test('all words of an "and" have to be there', () => {
  const texts = filled();
  expect(keysOf(texts.search('cat dog', { operator: 'and' }))).toEqual(['dogs']);
  expect(keysOf(texts.search('cat cat', { operator: 'and' }))).toEqual(['cats', 'dogs']);
  expect(texts.search('cat unknown', { operator: 'and' })).toEqual([]);
  expect(texts.search('fish cat', { operator: 'and' })).toEqual([]);
  const both = texts.search('cat dog', { operator: 'and' });
  expect(both).toEqual(texts.search('cat dog', { operator: 'or', topK: 1 }));
});

test('topK is 10 unless it is given', () => {
  const texts = memory().ftKeyspace('texts');
  for (let index = 0; index < 40; index++) texts.put(`${100 + index}`, 'word');
  expect(texts.search('word')).toHaveLength(10);
  expect(texts.search('word', { topK: 0 })).toEqual([]);
  expect(texts.search('word', { topK: 1 })).toHaveLength(1);
  expect(texts.search('word', { topK: Number.MAX_SAFE_INTEGER })).toHaveLength(40);
});

test('a filter leaves as many hits as fit it, whether a prefix or a function', () => {
  const texts = memory().ftKeyspace('texts');
  for (let index = 0; index < 400; index++) {
    texts.put(
      `${index % 50 === 7 ? 'few' : 'many'} ${1000 + index}`,
      'word '.repeat(1 + (index % 9)),
    );
  }
  const all = texts.search('word', { topK: 400 });
  const few = all.filter(({ key }) => key.startsWith('few'));
  expect(few).toHaveLength(8);
  for (const topK of [1, 3, 8, 100]) {
    const expected = few.slice(0, topK);
    expect(texts.search('word', { topK, filter: 'few' })).toEqual(expected);
    expect(texts.search('word', { topK, filter: Buffer.from('few') })).toEqual(expected);
    const filter = (docId: string) => docId.startsWith('few');
    expect(texts.search('word', { topK, filter })).toEqual(expected);
  }
  expect(texts.search('word', { filter: '' })).toEqual(all.slice(0, 10));
  expect(texts.search('word', { filter: 'none' })).toEqual([]);
  expect(texts.search('word', { filter: () => false })).toEqual([]);
});

test('ids are texts or their bytes, and come back as texts', () => {
  const texts = memory().ftKeyspace('texts');
  texts.put(Buffer.from('é'), 'from bytes');
  texts.put('é', 'from text');
  texts.put(new Uint8Array(0), 'of no id');
  expect(texts.count()).toBe(2);
  expect(texts.get(Buffer.from('é'))).toBe('from text');
  expect(texts.get('')).toBe('of no id');
  expect([...texts.scan()]).toEqual([
    ['', 'of no id'],
    ['é', 'from text'],
  ]);
  expect(texts.exists(Buffer.from('é'))).toBe(true);
  expect(texts.count(Buffer.from('é').subarray(0, 1))).toBe(1);
  expect(texts.search('from')[0]?.key).toBe('é');
  expect(texts.del(Buffer.from('é'))).toBe(true);
  const longest = 'k'.repeat(1024);
  texts.put(longest, '');
  texts.put(longest, 'long id');
  texts.put(longest, '');
  texts.put(longest, 'long id again');
  expect(keysOf(texts.search('id', { filter: longest }))).toEqual([longest]);
});

test('statistics are those of a recount after every put and delete', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  const expectStats = (docCount: number, uniqueTerms: number, totalDocLen: number) => {
    const avgDocLen = docCount === 0 ? 0 : totalDocLen / docCount;
    const expected = { docCount, uniqueTerms, totalDocLen, avgDocLen, pending: 0 };
    expect(texts.stats()).toEqual(expected);
    expect(database.verify().problems).toEqual([]);
  };
  expectStats(0, 0, 0);
  texts.put('1', 'one two two');
  expectStats(1, 2, 3);
  texts.put('2', 'two three');
  expectStats(2, 3, 5);
  texts.put('1', 'four');
  expectStats(2, 3, 3);
  texts.put('1', 'four');
  expectStats(2, 3, 3);
  texts.del('2');
  expectStats(1, 1, 1);
  texts.put('1', '');
  expectStats(1, 0, 0);
  texts.del('1');
  expectStats(0, 0, 0);
});

test('lengths and frequencies of any size are exact', () => {
  const texts = memory().ftKeyspace('texts');
  const counts = [1, 254, 255, 256, 257, 65_535, 65_536, 70_000];
  for (const count of counts) texts.put(`${count}`, `${'word '.repeat(count)}end`);
  const total = counts.reduce((sum, count) => sum + count + 1, 0);
  expect(texts.stats()).toMatchObject({ totalDocLen: total, uniqueTerms: 2 });
  const average = total / counts.length;
  const hits = texts.search('word', { k1: 50, b: 0.5 });
  expect(hits).toHaveLength(8);
  for (const { key, score } of hits) {
    const tf = Number(key);
    expect(score).toBe(bm25({ N: 8, n: 8, tf, length: tf + 1, average, k1: 50, b: 0.5 }));
  }
});

test('giants among short documents are found as others are', () => {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  const short = (name: string, count: number) =>
    Array.from({ length: count }, (_, at): [string, string] => [`${name} ${at}`, 'word other']);
  texts.putMany(short('before', 100));
  texts.put('giant', 'word '.repeat(70_000));
  texts.put('giant of others', `word ${'other '.repeat(70_000)}`);
  texts.putMany(short('behind', 400));
  expect(texts.search('word', { topK: 1000 })).toHaveLength(502);
  expect(texts.search('word', { topK: 1, k1: 1e6 })[0]?.key).toBe('giant');
  expect(texts.search('other', { topK: 1, k1: 1e6 })[0]?.key).toBe('giant of others');
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('texts come back as they were, however long, and any character in them', () => {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: 4096 });
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('');
  const stored = new Map([
    ['all', all],
    ['long', 'ä long text, '.repeat(40_000)],
    ['mark', '\ufeffwith a mark'],
    ['zero', '\u0000'],
  ]);
  const texts = database.ftKeyspace('texts');
  for (const [id, text] of stored) texts.put(id, text);
  for (const [id, text] of stored) expect(texts.get(id) === text).toBe(true);
  expect(keysOf(texts.search('mark with'))).toEqual(['mark']);
  expect(texts.search('ä')[0]?.key).toBe('long');
  database.close();
  const again = openHere(path);
  for (const [id, text] of again.ftKeyspace('texts').scan()) {
    expect(stored.get(id) === text).toBe(true);
  }
  expect(again.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a term longer than 255 bytes is cut, and found by all that begins like it', () => {
  const texts = memory().ftKeyspace('texts');
  texts.put('long', `${'ä'.repeat(127)}äb`);
  texts.put('short', 'ä'.repeat(127));
  texts.put('less', 'ä'.repeat(126));
  expect(keysOf(texts.search('ä'.repeat(127)))).toEqual(['long', 'short']);
  expect(keysOf(texts.search('ä'.repeat(4000)))).toEqual(['long', 'short']);
  expect(texts.stats().uniqueTerms).toBe(2);
});
