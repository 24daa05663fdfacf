/**
 * Analyzers as a keyspace knows them: the name that is stored, what still works without them, and
 * what comes of those that fail. What the built-in ones make of a text is in test/text/.
 */
import type { Analyzer, FtKeyspace, FtOptions } from 'mneme';
import { expect, test } from 'vitest';
import { expectCode, memory, openHere, temporaryPath, thrownBy, untyped } from './support.js';

/** Splits at dashes. */
const dashes: Analyzer = (text) => text.split('-');
const DASHES: FtOptions = { analyzer: dashes, analyzerName: 'dashes@1' };

function keysOf(hits: readonly { key: string }[]): string[] {
  return hits.map(({ key }) => key);
}

function expectEmptyIndex(texts: FtKeyspace): void {
  const lengths = { avgDocLen: 0, totalDocLen: 0 };
  expect(texts.stats()).toEqual({ docCount: 0, uniqueTerms: 0, ...lengths, pending: 0 });
}

test('a built-in analyzer is chosen by its name, standard when there is none', () => {
  const database = memory();
  const text = 'The RUNNING cats, running';
  expect(database.ftKeyspace('a').analyze(text)).toEqual(['the', 'running', 'cats', 'running']);
  const named = (analyzerName: string) => database.ftKeyspace(analyzerName, { analyzerName });
  expect(named('standard').analyze(text)).toEqual(['the', 'running', 'cats', 'running']);
  expect(named('whitespace').analyze(text)).toEqual(['The', 'RUNNING', 'cats,', 'running']);
  expect(named('english').analyze(text)).toEqual(['the', 'run', 'cat', 'run']);
  named('english').put('one', 'He runs with a cat');
  expect(keysOf(named('english').search('running cats'))).toEqual(['one']);
  named('standard').put('one', 'ﬁne ÉCOLE ２');
  expect(keysOf(named('standard').search('fine école 2', { operator: 'and' }))).toEqual(['one']);
});

test('Chinese, Japanese and Thai are found without any setup', () => {
  const texts = memory().ftKeyspace('texts');
  texts.putMany([
    ['zh', '数据库是按照数据结构来组织、存储和管理数据的仓库。'],
    ['ja', '東京都は日本の首都です。データベースを使います。'],
    ['th', 'ภาษาไทยไม่มีช่องว่างระหว่างคำ ฐานข้อมูล'],
    ['ko', '데이터베이스는 자료의 집합이다'],
    ['en', 'plain words'],
  ]);
  const all = { operator: 'and' } as const;
  for (const [query, id] of [
    ...[
      ['数据库', 'zh'],
      ['存储', 'zh'],
      ['管理数据', 'zh'],
      ['首都', 'ja'],
      ['データベース', 'ja'],
    ],
    ...[
      ['日本の首都', 'ja'],
      ['ภาษาไทย', 'th'],
      ['ข้อมูล', 'th'],
      ['데이터베이스는', 'ko'],
      ['PLAIN', 'en'],
    ],
  ] as [string, string][]) {
    expect(keysOf(texts.search(query, all)), query).toEqual([id]);
  }
  expect(texts.search('据数')).toEqual([]);
});

test('a function is an analyzer of its name, and any iterable will do', () => {
  const texts = memory().ftKeyspace('texts', DASHES);
  texts.put('one', 'a-B- c-a');
  expect(texts.analyze('a-B- c')).toEqual(['a', 'B', ' c']);
  expect(texts.stats()).toMatchObject({ uniqueTerms: 3, totalDocLen: 4 });
  expect(keysOf(texts.search('B'))).toEqual(['one']);
  expect(keysOf(texts.search(' c'))).toEqual(['one']);
  expect(texts.search('b-c')).toEqual([]);
  const analyzer = function* (text: string): Generator<string> {
    for (const word of text.split(' ')) yield word;
  };
  const generated = memory().ftKeyspace('texts', { analyzer, analyzerName: 'generator' });
  generated.put('one', 'a b');
  expect(keysOf(generated.search('b'))).toEqual(['one']);
  const set = memory().ftKeyspace('set', { analyzer: (text) => new Set(text), analyzerName: 's' });
  set.put('one', 'aab');
  expect(set.stats()).toMatchObject({ totalDocLen: 2, uniqueTerms: 2 });
});

test.each([
  ['no options', {}],
  ['the name alone', { analyzerName: 'dashes@1' }],
] as const)('reopened with %s, all works that needs no analyzer', (_title, options) => {
  const path = temporaryPath();
  const first = openHere(path);
  first.ftKeyspace('texts', DASHES).put('one', 'a-b');
  first.ftKeyspace('texts', DASHES).put('two', 'b-c');
  first.close();
  const database = openHere(path);
  const texts = database.ftKeyspace('texts', options);
  expect(texts.get('one')).toBe('a-b');
  expect(texts.exists('two')).toBe(true);
  expect([...texts.scan()]).toEqual([
    ['one', 'a-b'],
    ['two', 'b-c'],
  ]);
  expect(texts.count()).toBe(2);
  expect(texts.stats()).toMatchObject({ docCount: 2, uniqueTerms: 3 });
  const calls = [
    () => texts.put('one', 'new'),
    () => texts.putMany([['one', 'new']]),
    () => texts.search('a'),
    () => texts.rebuildIndex(),
    () => texts.analyze('a'),
  ];
  for (const call of calls) {
    const { details } = expectCode('ERR_MNEME_ANALYZER_MISSING', call);
    expect(Object.values(details)).toContain('dashes@1');
  }
  expect(texts.del('one')).toBe(true);
  expect(texts.stats()).toMatchObject({ docCount: 1, uniqueTerms: 2 });
  const again = database.ftKeyspace('texts', DASHES);
  expect(keysOf(again.search('b'))).toEqual(['two']);
  expect(again.search('a')).toEqual([]);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('an unknown name is a missing analyzer, also where nothing is stored', async () => {
  const texts = memory().ftKeyspace('texts', { analyzerName: 'nobody' });
  expectCode('ERR_MNEME_ANALYZER_MISSING', () => texts.put('one', 'text'));
  expectCode('ERR_MNEME_ANALYZER_MISSING', () => texts.analyze('text'));
  expect(texts.get('one')).toBeUndefined();
  expect(texts.count()).toBe(0);
  expect(texts.del('one')).toBe(false);
});

test('another analyzer than the stored one is a mismatch, unless all is indexed anew', () => {
  const path = temporaryPath();
  const first = openHere(path);
  first.ftKeyspace('texts', DASHES).put('one', 'a-b c');
  first.ftKeyspace('plain').put('one', 'running cats');
  first.close();
  const database = openHere(path);
  const mismatch = (name: string, options: FtOptions) =>
    expectCode('ERR_MNEME_ANALYZER_MISMATCH', () => database.ftKeyspace(name, options));
  mismatch('texts', { analyzerName: 'standard' });
  mismatch('texts', { analyzer: dashes, analyzerName: 'dashes@2' });
  mismatch('plain', { analyzerName: 'english' });
  mismatch('plain', DASHES);
  expect(database.ftKeyspace('plain').search('cat')).toEqual([]);
  const options = { analyzerName: 'english', reindex: true };
  expect(keysOf(database.ftKeyspace('plain', options).search('cat run'))).toEqual(['one']);
  expect(keysOf(database.ftKeyspace('plain').search('cat'))).toEqual(['one']);
  mismatch('plain', { analyzerName: 'standard' });
  const spaces: Analyzer = (text) => text.split(' ');
  const second = { analyzer: spaces, analyzerName: 'spaces@1', reindex: true };
  const texts = database.ftKeyspace('texts', second);
  expect(keysOf(texts.search('a-b'))).toEqual(['one']);
  expect(texts.search('a')).toEqual([]);
  mismatch('texts', DASHES);
  database.close();
  const { reindex: _, ...kept } = second;
  const again = openHere(path);
  expect(keysOf(again.ftKeyspace('texts', kept).search('c'))).toEqual(['one']);
  expect(keysOf(again.ftKeyspace('plain').search('run'))).toEqual(['one']);
  expect(again.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a handle from before another analyzer was chosen does not write by the old one', () => {
  const database = memory();
  const old = database.ftKeyspace('texts', { analyzerName: 'standard' });
  old.put('one', 'running');
  database.ftKeyspace('texts', { analyzerName: 'english', reindex: true });
  expectCode('ERR_MNEME_ANALYZER_MISMATCH', () => old.put('two', 'running'));
  expectCode('ERR_MNEME_ANALYZER_MISMATCH', () => old.putMany([['two', 'running']]));
  expectCode('ERR_MNEME_ANALYZER_MISMATCH', () => old.search('running'));
  expectCode('ERR_MNEME_ANALYZER_MISMATCH', () => old.rebuildIndex());
  expect(old.exists('two')).toBe(false);
  expect(keysOf(database.ftKeyspace('texts').search('runs'))).toEqual(['one']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('old index entries go by what was stored, not by analysing again', () => {
  const path = temporaryPath();
  const first = openHere(path);
  const texts = first.ftKeyspace('texts', DASHES);
  texts.putMany([
    ['one', 'a-b'],
    ['two', 'b-c'],
  ]);
  first.close();
  const database = openHere(path);
  let calls = 0;
  const analyzer: Analyzer = (text) => {
    calls++;
    return text.split('');
  };
  const changed = database.ftKeyspace('texts', { analyzer, analyzerName: 'dashes@1' });
  changed.put('one', 'xyz');
  expect(calls).toBe(1);
  expect(changed.del('two')).toBe(true);
  expect(calls).toBe(1);
  expect(changed.stats()).toMatchObject({ docCount: 1, uniqueTerms: 3, totalDocLen: 3 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(changed.del('one')).toBe(true);
  expectEmptyIndex(changed);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

const FAILURE = new Error('thrown by the analyzer');
const FAILING: readonly (readonly [string, Analyzer])[] = [
  ['throws', () => raise()],
  ['throws on its way', (text) => (text.includes('bad') ? lateFailure() : text.split(' '))],
  ['gives a number', untyped(() => ['a', 5])],
  ['gives nothing', untyped(() => undefined)],
  ['gives null for a term', untyped(() => ['a', null])],
  ['gives bytes', untyped(() => [Buffer.from('a')])],
  ['gives a promise', untyped(async () => ['a'])],
];

function raise(): never {
  throw FAILURE;
}

function* lateFailure(): Generator<string> {
  yield 'before';
  throw FAILURE;
}

test.each(FAILING)('of an analyzer that %s nothing is stored', (title, analyzer) => {
  const path = temporaryPath();
  const database = openHere(path);
  const good = { analyzer: (text: string) => text.split(' '), analyzerName: 'a' };
  database.ftKeyspace('texts', good).put('one', 'good text');
  const texts = database.ftKeyspace('texts', { analyzer, analyzerName: 'a' });
  const calls = [
    () => texts.put('one', 'bad text'),
    () => texts.put('new', 'bad text'),
    () => texts.putMany([['new', 'bad text']]),
    () => texts.search('bad text'),
    () => texts.analyze('bad text'),
    () => database.batch(() => texts.put('new', 'bad text')),
  ];
  for (const call of calls) {
    const error = expectCode('ERR_MNEME_ANALYZER_FAILED', call);
    if (title.startsWith('throws')) expect(error.cause).toBe(FAILURE);
    else expect(error.cause).toBeInstanceOf(TypeError);
  }
  expect([...texts.scan()]).toEqual([['one', 'good text']]);
  const index = { docCount: 1, uniqueTerms: 2, totalDocLen: 2 };
  expect(texts.stats()).toMatchObject(index);
  expect(keysOf(database.ftKeyspace('texts', good).search('good'))).toEqual(['one']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a rebuild that an analyzer fails leaves the old index', () => {
  const database = memory();
  let isBad = false;
  const analyzer: Analyzer = (text) => (isBad ? raise() : text.split(' '));
  const texts = database.ftKeyspace('texts', { analyzer, analyzerName: 'a' });
  texts.put('one', 'some text');
  const before = texts.search('text');
  texts.pauseIndexing();
  texts.put('two', 'more text');
  isBad = true;
  const error = expectCode('ERR_MNEME_ANALYZER_FAILED', () => texts.rebuildIndex());
  expect(error.cause).toBe(FAILURE);
  const again = { analyzer, analyzerName: 'b', reindex: true };
  expectCode('ERR_MNEME_ANALYZER_FAILED', () => database.ftKeyspace('texts', again));
  isBad = false;
  expect(texts.search('text')).toEqual(before);
  expect(texts.stats()).toMatchObject({ docCount: 1, pending: 1 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  texts.rebuildIndex();
  expect(keysOf(texts.search('text'))).toEqual(['one', 'two']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('in a batch a document that fails is not stored, and the batch goes on', () => {
  const database = memory();
  const analyzer: Analyzer = (text) => (text.includes('bad') ? lateFailure() : text.split(' '));
  const texts = database.ftKeyspace('texts', { analyzer, analyzerName: 'a' });
  database.batch(() => {
    texts.put('one', 'good text');
    expectCode('ERR_MNEME_ANALYZER_FAILED', () => texts.put('two', 'bad text'));
    const documents = [
      ['three', 'more text'],
      ['four', 'bad text'],
    ] as const;
    expectCode('ERR_MNEME_ANALYZER_FAILED', () => texts.putMany(documents));
    texts.put('five', 'last text');
  });
  expect(keysOf(texts.search('text'))).toEqual(['five', 'one']);
  expect(texts.stats()).toMatchObject({ docCount: 2, uniqueTerms: 3, totalDocLen: 4 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('an analyzer may use the database, and other analyzers', () => {
  const database = memory();
  const words = database.keyspace('words');
  const log = database.ftKeyspace('log');
  const english = database.ftKeyspace('english', { analyzerName: 'english' });
  const analyzer: Analyzer = function* (text) {
    log.put(`log ${log.count()}`, `somebody was looking at é: ${text.length} characters`);
    for (const word of english.analyze(text)) {
      words.incr(word);
      yield word;
      log.search('somebody else');
    }
  };
  const texts = database.ftKeyspace('texts', { analyzer, analyzerName: 'logging' });
  texts.put('one', 'cats run');
  texts.put('two', 'runs of é');
  database.batch(() => texts.put('three', 'running cats'));
  expect([...texts.scan()]).toEqual([
    ['one', 'cats run'],
    ['three', 'running cats'],
    ['two', 'runs of é'],
  ]);
  expect(log.count()).toBe(3);
  expect(log.get('log 1')).toBe('somebody was looking at é: 9 characters');
  expect(words.get('run')).toBe(3);
  expect(keysOf(texts.search('é'))).toEqual(['two']);
  expect(texts.stats()).toMatchObject({ docCount: 3, uniqueTerms: 4, totalDocLen: 7 });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('an analyzer that closes the database ends its call with a code', () => {
  for (const call of [
    (texts: FtKeyspace) => texts.put('one', 'text'),
    (texts: FtKeyspace) => texts.putMany([['one', 'text']]),
    (texts: FtKeyspace) => texts.search('text'),
    (texts: FtKeyspace) => texts.search('text', { filter: () => true }),
    (texts: FtKeyspace) => texts.rebuildIndex(),
  ]) {
    const database = memory();
    let closes = false;
    const analyzer: Analyzer = (text) => {
      if (closes) database.close();
      return [text];
    };
    const texts = database.ftKeyspace('texts', { analyzer, analyzerName: 'closing' });
    texts.put('zero', 'text');
    closes = true;
    const error = thrownBy(() => call(texts)) as { code: string; cause?: { code: string } };
    // Closing is refused in a batch, and then that is what the analyzer fails by.
    const code = error.code === 'ERR_MNEME_ANALYZER_FAILED' ? error.cause?.code : error.code;
    expect(code).toMatch(/^ERR_MNEME_(CLOSED|BATCH_ACTIVE)$/u);
  }
});

test('an analyzer may drop its keyspace, and what is put then is alone in it', () => {
  const database = memory();
  let drops = true;
  const analyzer: Analyzer = (text) => {
    if (drops) database.dropKeyspace('texts');
    return [text];
  };
  const texts = database.ftKeyspace('texts', { analyzer, analyzerName: 'dropping' });
  texts.put('one', 'text');
  texts.put('two', 'text');
  expect([...texts.scan()]).toEqual([['two', 'text']]);
  texts.putMany([
    ['three', 'text'],
    ['four', 'text'],
  ]);
  expect([...texts.scan()]).toEqual([['four', 'text']]);
  expect(texts.search('text')).toEqual([]);
  expect(texts.count()).toBe(0);
  drops = false;
  texts.put('five', 'text');
  expect(keysOf(texts.search('text'))).toEqual(['five']);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});
