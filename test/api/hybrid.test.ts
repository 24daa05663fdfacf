/**
 * Hybrid search: two lists of hits become one by the reciprocals of their ranks.
 */
import type { Database, HybridHit, HybridQuery } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  expectRangeError,
  expectTypeError,
  memory,
  openHere,
  temporaryPath,
  thrownBy,
  untyped,
} from './support.js';

const VECTOR = [1, 0, 0.5];

function filled(database: Database = memory({ pageSize: 4096 })) {
  const texts = database.ftKeyspace('texts');
  const vectors = database.keyspace('vectors');
  database.batch(() => {
    for (let index = 0; index < 300; index++) {
      const id = `${'abc'.charAt(index % 3)} ${1000 + index}`;
      if (index % 5 !== 0) texts.put(id, `word w${index % 11} ${'more '.repeat(index % 7)}`);
      if (index % 4 !== 0) vectors.vset(id, [Math.sin(index), Math.cos(index), (index % 9) / 9]);
    }
  });
  const query: HybridQuery = {
    text: { keyspace: texts, query: 'word w3 more' },
    vector: { keyspace: vectors, query: VECTOR },
  };
  return { database, texts, vectors, query };
}

/** The same by the formula, from the hits of the two searches. */
function fused({ text, vector, topK = 10, depth = 100, k = 60, filter }: HybridQuery): HybridHit[] {
  const options = { topK: depth, ...(filter === undefined ? {} : { filter }) };
  const metric = vector.metric ?? 'cosine';
  const found = new Map<string, HybridHit>();
  text.keyspace.search(text.query, options).forEach(({ key, score: textScore }, index) => {
    const textRank = index + 1;
    const score = (text.weight ?? 1) / (k + textRank);
    found.set(key, { key, score, textRank, textScore });
  });
  const nearest = vector.keyspace.vsearch(vector.query, { ...options, metric });
  nearest.forEach(({ key, score: vectorScore }, index) => {
    const vectorRank = index + 1;
    const before = found.get(key);
    const score = (before?.score ?? 0) + (vector.weight ?? 1) / (k + vectorRank);
    found.set(key, { ...before, key, score, vectorRank, vectorScore });
  });
  const hits = [...found.values()];
  hits.sort((one, other) => other.score - one.score || (one.key < other.key ? -1 : 1));
  return hits.slice(0, topK);
}

test('a hit has the sum of the reciprocals of its ranks, both ranks and both scores', () => {
  const { database, query } = filled();
  const hits = database.hybridSearch(query);
  expect(hits).toEqual(fused(query));
  expect(hits).toHaveLength(10);
  const { text, vector } = query;
  const best = { textRank: 1, vectorRank: 1 };
  const texts = database.ftKeyspace('small');
  const vectors = database.keyspace('small vectors');
  texts.put('both', 'word');
  vectors.vset('both', [1, 0]);
  vectors.vset('near', [1, 1]);
  const small = database.hybridSearch({
    text: { ...text, keyspace: texts, query: 'word' },
    vector: { ...vector, keyspace: vectors, query: [1, 0] },
  });
  expect(small).toHaveLength(2);
  expect(small[0]).toMatchObject({ key: 'both', score: 1 / 61 + 1 / 61, ...best, vectorScore: 0 });
  expect(small[1]).toMatchObject({ key: 'near', score: 1 / 62, vectorRank: 2 });
  expect(Object.keys(small[1] as object).sort()).toEqual([
    ...['key', 'score', 'vectorRank', 'vectorScore'],
  ]);
});

test.each([
  {},
  { topK: 0 },
  { topK: 1 },
  { topK: 1000 },
  { depth: 0 },
  { depth: 1 },
  { depth: 3, topK: 5 },
  { depth: 1000, topK: 1000 },
  { k: 0 },
  { k: 1.5 },
  { k: 1e6, topK: 300 },
  { filter: 'b' },
  { filter: Buffer.from('c 10'), topK: 50 },
  { filter: 'none' },
  { filter: '' },
])('the two lists are fused by the formula with %o', (options) => {
  const { database, query } = filled();
  for (const metric of ['cosine', 'dot', 'l2'] as const) {
    for (const [textWeight, vectorWeight] of [
      [1, 1],
      [2, 0.5],
      [0, 1],
      [1, 0],
    ] as const) {
      const asked: HybridQuery = {
        ...options,
        text: { ...query.text, weight: textWeight },
        vector: { ...query.vector, metric, weight: vectorWeight },
      };
      expect(database.hybridSearch(asked)).toEqual(fused(asked));
    }
  }
});

test('equal scores are ordered by key, and either list may be empty', () => {
  const { database, texts, vectors, query } = filled();
  const nothing = { ...query.text, query: 'unknown' };
  const onlyNear = database.hybridSearch({ ...query, text: nothing });
  expect(onlyNear.map(({ key }) => key)).toEqual(vectors.vsearch(VECTOR).map(({ key }) => key));
  const empty = database.keyspace('empty');
  const onlyTexts = database.hybridSearch({
    ...query,
    vector: { ...query.vector, keyspace: empty },
  });
  expect(onlyTexts.map(({ textScore }) => textScore)).toEqual(
    texts.search(query.text.query).map(({ score }) => score),
  );
  const ties = database.ftKeyspace('ties');
  ties.put('\uffff', 'word');
  const tied = database.keyspace('tied');
  tied.vset('\u{10000}', [1]);
  const hits = database.hybridSearch({
    text: { keyspace: ties, query: 'word' },
    vector: { keyspace: tied, query: [1] },
  });
  expect(hits.map(({ key }) => key)).toEqual(['\uffff', '\u{10000}']);
});

test('a batch and a snapshot are searched as they are', () => {
  const { database, texts, vectors, query } = filled(openHere(temporaryPath()));
  const snapshot = database.snapshot();
  const before = database.hybridSearch(query);
  const failure = new Error('thrown by the callback');
  const failing = () =>
    database.batch((tx) => {
      texts.put('new', 'word w3 more');
      vectors.vset('new', VECTOR);
      const hits = database.hybridSearch(query);
      expect(hits).toEqual(fused(query));
      expect(hits.map(({ key }) => key)).toContain('new');
      const text = { ...query.text, keyspace: tx.ftKeyspace('texts') };
      const vector = { ...query.vector, keyspace: tx.keyspace('vectors') };
      expect(database.hybridSearch({ text, vector })).toEqual(hits);
      throw failure;
    });
  expect(thrownBy(failing)).toBe(failure);
  expect(database.hybridSearch(query)).toEqual(before);
  texts.put('new', 'word w3 more');
  expect(database.hybridSearch(query)).not.toEqual(before);
  const seen: HybridQuery = {
    text: { ...query.text, keyspace: untyped(snapshot.ftKeyspace('texts')) },
    vector: { ...query.vector, keyspace: untyped(snapshot.keyspace('vectors')) },
  };
  expect(database.hybridSearch(seen)).toEqual(before);
  snapshot.close();
  expectCode('ERR_MNEME_CLOSED', () => database.hybridSearch(seen));
  database.close();
  expectCode('ERR_MNEME_CLOSED', () => database.hybridSearch(query));
});

test('what a hybrid search cannot do is refused', () => {
  const { database, texts, vectors, query } = filled();
  const other = memory();
  const { text, vector } = query;
  const wrong: unknown[] = [
    ...[undefined, null, 5, 'word', {}, { text }, { vector }],
    ...[texts, null, { ...text, keyspace: vectors }, { ...text, keyspace: undefined }].map(
      (each) => ({
        ...query,
        text: each,
      }),
    ),
    ...[{ ...vector, keyspace: texts }, { ...vector, metric: 'none' }, null].map((each) => ({
      ...query,
      vector: each,
    })),
    { ...query, text: { ...text, keyspace: other.ftKeyspace('texts') } },
    { ...query, vector: { ...vector, keyspace: other.keyspace('vectors') } },
    { ...query, vector: { ...vector, keyspace: database.keyspace('bytes', { keys: 'bytes' }) } },
    { ...query, text: { ...text, query: 5 } },
    { ...query, vector: { ...vector, query: 'abc' } },
    ...['1', null, 1n].flatMap((value) => [
      ...[
        { ...query, topK: value },
        { ...query, depth: value },
        { ...query, k: value },
      ],
      { ...query, text: { ...text, weight: value } },
      { ...query, vector: { ...vector, weight: value } },
    ]),
    ...[5, null, true, {}].map((filter) => ({ ...query, filter })),
  ];
  for (const each of wrong) expectTypeError(() => database.hybridSearch(untyped(each)));
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const name of ['topK', 'depth', 'k']) {
      expectRangeError(() => database.hybridSearch({ ...query, [name]: value }));
    }
    const weight = { weight: value };
    expectRangeError(() => database.hybridSearch({ ...query, text: { ...text, ...weight } }));
    expectRangeError(() => database.hybridSearch({ ...query, vector: { ...vector, ...weight } }));
  }
  expectRangeError(() => database.hybridSearch({ ...query, topK: 1.5 }));
  expectRangeError(() => database.hybridSearch({ ...query, depth: 1.5 }));
  expectCode('ERR_MNEME_DIMENSION_MISMATCH', () =>
    database.hybridSearch({ ...query, vector: { ...vector, query: [1] } }),
  );
  expect(database.hybridSearch(query)).toEqual(fused(query));
});
