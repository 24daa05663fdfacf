/**
 * Searches in larger collections: all of it in the order of the model, and whatever else is asked,
 * by fewer hits, filters, several at once, several threads, another opening, the same bits.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Keyspace, open } from 'mneme';
import { afterAll, expect, test } from 'vitest';
import { announce, PROPERTY_TIMEOUT_MS, SEED, VECTOR_COUNTS } from '../counts.js';
import { randomFrom } from '../crash/crash-states.js';
import { type Metric, NearestHits } from '../model/nearest.js';
import { expectSame } from '../support/compare.js';
import { CollectionChooser, type CollectionSpec, fill } from './collection.js';
import { vectorOf } from './vector-specs.js';

const METRICS: readonly Metric[] = ['cosine', 'dot', 'l2'];
const THREADS = [1, 2, 4, 8] as const;

const directory = mkdtempSync(join(tmpdir(), 'mneme-exactness-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Hit {
  readonly key: string;
  readonly score: number;
}

/** Fails unless both have the same hits, their scores bit by bit. */
function expectBits(actual: readonly Hit[], expected: readonly Hit[], context: string): void {
  const isSame = (at: number): boolean =>
    actual[at]?.key === expected[at]?.key && Object.is(actual[at]?.score, expected[at]?.score);
  const wrong = expected.findIndex((_, at) => !isSame(at));
  if (actual.length === expected.length && wrong < 0) return;
  const at = wrong < 0 ? expected.length : wrong;
  expect({ at, hit: actual[at], length: actual.length }, context).toStrictEqual({
    at,
    hit: expected[at],
    length: expected.length,
  });
}

interface Question {
  readonly query: Float32Array;
  readonly metric: Metric;
  readonly context: string;
}

class Collection {
  readonly #keyspace: Keyspace;
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  readonly #chooser: CollectionChooser;

  constructor(
    keyspace: Keyspace,
    vectors: ReadonlyMap<string, Float32Array>,
    chooser: CollectionChooser,
  ) {
    this.#keyspace = keyspace;
    this.#vectors = vectors;
    this.#chooser = chooser;
  }

  /** Asks for everything, and returns it. */
  everything({ query, metric, context }: Question): Hit[] {
    const topK = this.#vectors.size + 5;
    const all = this.#keyspace.vsearch(query, { metric, topK, includeVectors: true });
    const search = { vectors: this.#vectors, keys: 'text', query, metric, topK } as const;
    expectSame(all, new NearestHits({ ...search, includeVectors: true }), context);
    return all.map(({ key, score }) => ({ key, score }));
  }

  /** Asks for parts of everything in many ways; seldom for large ones, which cost most. */
  parts({ query, metric, context }: Question, all: readonly Hit[]): void {
    const keyspace = this.#keyspace;
    for (const topK of [0, 1, 2, 10, 100, this.#large(all.length)]) {
      const found = keyspace.vsearch(query, { metric, topK });
      expectBits(found, all.slice(0, topK), `${context}: ${topK}`);
    }
    for (const threads of THREADS) {
      const found = keyspace.vsearch(query, { metric, topK: 3, threads });
      expectBits(found, all.slice(0, 3), `${context}: with ${threads} threads`);
    }
    const digit = String(this.#chooser.below(10));
    const filters = [
      ['b', (key: string) => key.startsWith('b')],
      ['a0000', (key: string) => key.startsWith('a0000')],
      ['z', () => false],
      [(key: string) => key.endsWith(digit), (key: string) => key.endsWith(digit)],
    ] as const;
    for (const [filter, accepts] of filters) {
      const left = all.filter(({ key }) => accepts(key));
      for (const topK of [1, 10, this.#large(left.length)]) {
        const found = keyspace.vsearch(query, { metric, topK, filter });
        expectBits(found, left.slice(0, topK), `${context}: ${topK} with filter ${filter}`);
      }
    }
  }

  /** Now and then any count of hits, else a small one. */
  #large(count: number): number {
    const chooser = this.#chooser;
    if (chooser.below(8) > 0) return 3;
    return chooser.one([count, Math.max(0, count - 1), chooser.below(count + 1)]);
  }

  /** Asks several questions together. */
  together(questions: readonly Question[], found: readonly Hit[][]): void {
    const { metric, context } = questions[0] as Question;
    const queries = questions.map(({ query }) => query);
    for (const topK of [1, 10, this.#large(this.#vectors.size)]) {
      const many = this.#keyspace.vsearchMany(queries, { metric, topK });
      expect(many.length).toBe(queries.length);
      many.forEach((hits, index) => {
        const expected = (found[index] as Hit[]).slice(0, topK);
        expectBits(hits, expected, `${context}: ${topK}, query ${index} of several`);
      });
    }
  }
}

function searchCollection(spec: CollectionSpec, chooser: CollectionChooser, title: string): void {
  const path = join(directory, 'collection.mneme');
  rmSync(path, { force: true });
  const { pageSize, dimension } = spec;
  const database = open(path, { pageSize, cacheSize: 2 ** 20, threads: 8, sync: 'none' });
  const keyspace = database.keyspace('vectors');
  const vectors = fill(keyspace, spec, chooser);
  const collection = new Collection(keyspace, vectors, chooser);
  const queries = Array.from({ length: VECTOR_COUNTS.queries }, () => chooser.query(spec));
  const answers: [Question, Hit[]][] = [];
  for (const metric of METRICS) {
    const questions = queries.map((query): Question => {
      const context = `${title}, ${metric}, query ${JSON.stringify(query)}`;
      return { query: vectorOf(query, dimension), metric, context };
    });
    const found = questions.map((question) => {
      const all = collection.everything(question);
      collection.parts(question, all);
      answers.push([question, all]);
      return all;
    });
    collection.together(questions, found);
  }
  expect(database.verify().problems, title).toEqual([]);
  database.close();
  using again = open(path, { readonly: true, threads: 2 });
  for (const [{ query, metric, context }, all] of answers) {
    const found = again.keyspace('vectors').vsearch(query, { metric, topK: 10 });
    expectBits(found, all.slice(0, 10), `${context}: opened again`);
  }
}

test('searches find what a full comparison finds, and the same bits however they are asked', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  announce('vectors, collections', VECTOR_COUNTS.collections);
  for (let run = 0; run < VECTOR_COUNTS.collections; run++) {
    const chooser = new CollectionChooser(randomFrom(SEED + run));
    const spec = chooser.collection();
    searchCollection(spec, chooser, `MNEME_SEED=${SEED}, ${run}: ${JSON.stringify(spec)}`);
  }
});
