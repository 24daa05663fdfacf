/**
 * What full text refuses and how, and that nothing has changed then; and what is large and is not
 * refused.
 */
import type { FtKeyspace, FtSearchOptions, Keyspace } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryPath,
  untyped,
} from './support.js';

function filled() {
  const database = memory({ pageSize: 4096 });
  const texts = database.ftKeyspace('texts');
  texts.put('one', 'first words');
  texts.put('two', 'second words');
  return { database, texts };
}

function expectUnchanged(texts: FtKeyspace): void {
  const lengths = { totalDocLen: 4, avgDocLen: 2 };
  expect(texts.stats()).toEqual({ docCount: 2, uniqueTerms: 3, ...lengths, pending: 0 });
  expect([...texts.scan()]).toEqual([
    ['one', 'first words'],
    ['two', 'second words'],
  ]);
  expect(texts.search('first').map(({ key }) => key)).toEqual(['one']);
}

test('ids are refused as keys are', () => {
  const { texts } = filled();
  const calls: ((docId: never) => unknown)[] = [
    (docId) => texts.put(docId, 'text'),
    (docId) =>
      texts.putMany([
        ['new', 'text'],
        [docId, 'text'],
      ]),
    (docId) => texts.get(docId),
    (docId) => texts.del(docId),
    (docId) => texts.exists(docId),
  ];
  for (const call of calls) {
    for (const docId of ['i'.repeat(1025), 'é'.repeat(513), Buffer.alloc(1025, 'i')]) {
      expectCode('ERR_MNEME_KEY_TOO_LARGE', () => call(untyped(docId)));
    }
    for (const docId of ['\ud800', Uint8Array.of(255), 5, undefined, null, {}, ['one']]) {
      expectTypeError(() => call(untyped(docId)));
    }
  }
  for (const prefix of ['\ud800', 5, null, {}]) {
    expectTypeError(() => texts.scan(untyped(prefix)));
    expectTypeError(() => texts.count(untyped(prefix)));
  }
  expectUnchanged(texts);
});

test('what is no text is refused as one, as a query, and by analyze', () => {
  const { database, texts } = filled();
  for (const text of [undefined, null, 5, {}, ['text'], Buffer.from('text')]) {
    expectTypeError(() => texts.put('one', untyped(text)));
    expectTypeError(() =>
      texts.putMany(
        untyped([
          ['new', 'text'],
          ['one', text],
        ]),
      ),
    );
    expectTypeError(() => texts.search(untyped(text)));
    expectTypeError(() => texts.analyze(untyped(text)));
    expectTypeError(() => database.ftKeyspace('none').search(untyped(text)));
  }
  expectTypeError(() => texts.put('one', 'lone \ud800'));
  expectTypeError(() => texts.put('one', '\udc00 lone'));
  expectUnchanged(texts);
});

test('what is no list of documents is refused, and none of them stored', () => {
  const { database, texts } = filled();
  const txnId = database.info().txnId;
  for (const docs of [undefined, null, 5, {}, () => []]) {
    expectTypeError(() => texts.putMany(untyped(docs)));
  }
  for (const wrong of [undefined, null, 5, 'ab', {}, [], ['new']]) {
    expectTypeError(() => texts.putMany(untyped([['new', 'text'], wrong])));
  }
  const failure = new Error('thrown by the documents');
  function* failing(): Generator<[string, string]> {
    yield ['new', 'text'];
    throw failure;
  }
  expect(() => texts.putMany(failing())).toThrow(failure);
  texts.putMany([]);
  expect(database.info().txnId).toBe(txnId);
  expectUnchanged(texts);
});

test('k1 and b out of range are refused, in a search and in a keyspace', () => {
  const { database, texts } = filled();
  const wrong = [{ k1: -0.1 }, { k1: Number.NaN }, { b: -0.1 }, { b: 1.1 }, { b: Number.NaN }];
  for (const options of [...wrong, { b: Number.POSITIVE_INFINITY }]) {
    expectRangeError(() => texts.search('words', options));
    expectRangeError(() => database.ftKeyspace('texts', options));
    expectRangeError(() => database.ftKeyspace('none', options));
    expectRangeError(() => database.ftKeyspace('none').search('words', options));
  }
  for (const value of ['1', null, 1n, {}]) {
    for (const name of ['k1', 'b']) {
      expectTypeError(() => texts.search('words', untyped({ [name]: value })));
      expectTypeError(() => database.ftKeyspace('texts', untyped({ [name]: value })));
    }
  }
  expectUnchanged(texts);
});

test('options of a search of the wrong type or range are refused', async () => {
  const { texts } = filled();
  const outOfRange: FtSearchOptions[] = [
    ...[-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY].map((topK) => ({ topK })),
    ...[-1, 1.5, Number.NaN].map((words) => ({ snippet: { words } })),
  ];
  const wrong = [
    ...['3', null, 3n].map((topK) => ({ topK })),
    ...['', 'not', 'AND', 5, null].map((operator) => ({ operator })),
    ...[5, null, true, {}, ['one'], /one/].map((filter) => ({ filter })),
    ...[5, null, true, 'b'].map((snippet) => ({ snippet })),
    ...[{ before: 5 }, { after: null }, { words: '3' }].map((snippet) => ({ snippet })),
  ];
  for (const options of outOfRange) {
    expectRangeError(() => texts.search('words', options));
    await expect(texts.searchAsync('words', options)).rejects.toBeInstanceOf(RangeError);
  }
  for (const options of wrong) {
    expectTypeError(() => texts.search('words', untyped(options)));
    await expect(texts.searchAsync('words', untyped(options))).rejects.toBeInstanceOf(TypeError);
  }
  for (const options of [null, 5, 'or']) {
    expectTypeError(() => texts.search('words', untyped(options)));
  }
  expectUnchanged(texts);
});

test('options of a keyspace of the wrong type are refused', () => {
  const { database } = filled();
  const wrong = [
    ...[5, null, 'standard', {}].map((analyzer) => ({ analyzer, analyzerName: 'a' })),
    ...[5, null, {}, '\ud800'].map((analyzerName) => ({ analyzerName })),
    ...['positions', 'reindex', 'encrypted'].map((name) => ({ [name]: 'yes' })),
  ];
  for (const options of [...wrong, null, 5, 'standard']) {
    expectTypeError(() => database.ftKeyspace('texts', untyped(options)));
    expectTypeError(() => database.ftKeyspace('none', untyped(options)));
  }
  expectTypeError(() => database.ftKeyspace('none', { analyzer: (text) => [text] }));
  expectRangeError(() => database.ftKeyspace('none', { analyzerName: '' }));
  expectRangeError(() => database.ftKeyspace('none', { analyzerName: 'n'.repeat(256) }));
  expectCode('ERR_MNEME_KEY_REQUIRED', () => database.ftKeyspace('none', { encrypted: true }));
  const encrypted = { encrypted: true };
  expectCode('ERR_MNEME_ENCRYPTION_MISMATCH', () => database.ftKeyspace('texts', encrypted));
  for (const name of [5, undefined, null, '\ud800']) {
    expectTypeError(() => database.ftKeyspace(untyped(name)));
  }
  expectRangeError(() => database.ftKeyspace(''));
  expectRangeError(() => database.ftKeyspace('n'.repeat(256)));
  expect(database.keyspaces()).toEqual(['texts']);
});

test('a keyspace is of full text or it is not', () => {
  const { database, texts } = filled();
  const values = database.keyspace('values');
  const [early, earlyTexts] = [database.keyspace('later'), database.ftKeyspace('later')];
  values.set('key', 'value');
  const mismatch = (action: () => unknown) => expectCode('ERR_MNEME_TYPE_MISMATCH', action);
  const snapshot = database.snapshot();
  mismatch(() => database.keyspace('texts'));
  mismatch(() => database.keyspace('texts', { keys: 'bytes' }));
  mismatch(() => database.ftKeyspace('values'));
  mismatch(() => snapshot.keyspace('texts'));
  mismatch(() => snapshot.ftKeyspace('values'));
  mismatch(() => database.batch((tx) => tx.keyspace('texts')));
  mismatch(() => database.batch((tx) => tx.ftKeyspace('values')));
  snapshot.close();
  earlyTexts.put('one', 'words');
  mismatch(() => early.set('key', 'value'));
  mismatch(() => early.get('one'));
  mismatch(() => early.count());
  database.dropKeyspace('later');
  early.set('key', 'value');
  mismatch(() => earlyTexts.put('one', 'words'));
  mismatch(() => earlyTexts.search('words'));
  mismatch(() => earlyTexts.stats());
  expect(early.get('key')).toBe('value');
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expectUnchanged(texts);
});

const READS: ((texts: FtKeyspace) => unknown)[] = [
  (texts) => texts.get('one'),
  (texts) => texts.exists('one'),
  (texts) => texts.search('words'),
  (texts) => texts.scan().next(),
  (texts) => texts.count(),
  (texts) => texts.stats(),
];
const WRITES: ((texts: FtKeyspace) => unknown)[] = [
  (texts) => texts.put('new', 'text'),
  (texts) => texts.del('one'),
  (texts) => texts.putMany([['new', 'text']]),
  (texts) => texts.pauseIndexing(),
  (texts) => texts.rebuildIndex(),
];

test('nothing is written through snapshots and read-only openings', () => {
  const path = temporaryPath();
  const database = openHere(path);
  const texts = database.ftKeyspace('texts');
  texts.put('one', 'first words');
  texts.put('two', 'second words');
  const held = database.snapshot().ftKeyspace('texts') as FtKeyspace;
  const readonly = openHere(path, { readonly: true }).ftKeyspace('texts');
  for (const reader of [held, readonly]) {
    for (const write of WRITES) expectCode('ERR_MNEME_READONLY', () => write(reader));
    expectUnchanged(reader);
  }
  expectUnchanged(texts);
});

test('what is closed says so', async () => {
  const { database, texts } = filled();
  const snapshot = database.snapshot();
  const held = snapshot.ftKeyspace('texts') as FtKeyspace;
  let kept: FtKeyspace | undefined;
  database.batch((tx) => {
    kept = tx.ftKeyspace('texts');
    expect(kept.search('first')).toHaveLength(1);
  });
  const began = held.scan();
  snapshot.close();
  for (const call of [...READS, ...WRITES.slice(0, 4)]) {
    expectCode('ERR_MNEME_CLOSED', () => call(held));
    expectCode('ERR_MNEME_BATCH_CLOSED', () => call(kept as FtKeyspace));
  }
  expectCode('ERR_MNEME_CLOSED', () => began.next());
  expectCode('ERR_MNEME_CLOSED', () => snapshot.ftKeyspace('texts'));
  database.close();
  for (const call of [...READS, ...WRITES]) expectCode('ERR_MNEME_CLOSED', () => call(texts));
  expectCode('ERR_MNEME_CLOSED', () => database.ftKeyspace('texts'));
  await expect(texts.searchAsync('words')).rejects.toMatchObject({ code: 'ERR_MNEME_CLOSED' });
});

test('an index is not rebuilt in a batch', () => {
  const { database, texts } = filled();
  database.batch(() => {
    texts.put('new', 'text');
    expectCode('ERR_MNEME_BATCH_ACTIVE', () => texts.rebuildIndex());
    texts.del('new');
  });
  expectTypeError(() => texts.rebuildIndex(untyped({ onProgress: 5 })));
  expectTypeError(() => texts.rebuildIndex(untyped(5)));
  expectUnchanged(texts);
});

test('a document of a million words is stored and found', () => {
  const { database, texts } = filled();
  const words = Array.from({ length: 1_000_000 }, (_, index) => `w${index % 250_000}`);
  const text = words.join(' ');
  texts.put('long', text);
  expect(texts.stats()).toMatchObject({ uniqueTerms: 250_003, totalDocLen: 1_000_004 });
  expect(texts.search('w249999 first').map(({ key }) => key)).toEqual(['one', 'long']);
  expect(texts.get('long') === text).toBe(true);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  texts.put('long', 'short');
  texts.del('long');
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  expectUnchanged(texts);
});

test('a query of ten thousand words is answered', () => {
  const { texts } = filled();
  texts.putMany(
    Array.from({ length: 2000 }, (_, index) => [`${index}`, `w${index} w${index + 1} all`]),
  );
  const words = Array.from({ length: 10_000 }, (_, index) => `w${index}`);
  const hits = texts.search(words.join(' '), { topK: 3000 });
  expect(hits).toHaveLength(2000);
  expect(texts.search(words.join(' '), { operator: 'and' })).toEqual([]);
  const single = texts.search('all', { topK: 1 })[0];
  let sum = 0;
  for (let left = 10_000; left > 0; left--) sum += single?.score as number;
  const repeated = texts.search('all '.repeat(10_000), { topK: 1 });
  expect(repeated).toEqual([{ key: single?.key, score: sum }]);
  expect(texts.search('unknown '.repeat(10_000))).toEqual([]);
});

test('what plain keyspaces have is not there for one of full text', () => {
  const { database } = filled();
  expect(database.keyspaces()).toEqual(['texts']);
  expect(database.dropKeyspace('texts')).toBe(true);
  expect(database.dropKeyspace('texts')).toBe(false);
  const values: Keyspace = database.keyspace('texts');
  values.set('key', 'value');
  expect(values.get('key')).toBe('value');
});
