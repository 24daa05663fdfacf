/**
 * Searches in larger collections: all of it as the model ranks it, bit by bit, and whatever else is
 * asked, by fewer hits, filters, another opening, on a reader or in a snapshot, the same bits.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FtKeyspace, type FtOptions, open } from 'mneme';
import { afterAll, expect, test } from 'vitest';
import { announce, PROPERTY_TIMEOUT_MS, SEED, TEXT_COUNTS } from '../counts.js';
import { randomFrom } from '../crash/crash-states.js';
import { expectSame } from '../support/compare.js';
import { type CorpusSpec, CorpusWriter, corpusSpec, openedWith } from './corpus.js';
import type { Hit, NaiveText, SearchOptions, TextReader } from './naive-text.js';
import { Chooser, queryOf } from './words.js';

const directory = mkdtempSync(join(tmpdir(), 'mneme-text-'));
afterAll(() => rmSync(directory, { recursive: true }));

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
  readonly query: string;
  readonly options: SearchOptions;
  readonly context: string;
}

class Collection {
  readonly #model: NaiveText;
  readonly #chooser: Chooser;
  readonly #spec: CorpusSpec;
  readonly #title: string;

  constructor(model: NaiveText, chooser: Chooser, spec: CorpusSpec, title: string) {
    this.#model = model;
    this.#chooser = chooser;
    this.#spec = spec;
    this.#title = title;
  }

  question(): Question {
    const { positions, vocabulary } = this.#spec;
    const query = queryOf(this.#chooser, { vocabulary, positions });
    const options: SearchOptions = {};
    const k1 = this.#chooser.one([undefined, undefined, 0, 1.2, 100, 1e9]);
    const b = this.#chooser.one([undefined, undefined, 0, 0.75, 1]);
    if (k1 !== undefined) options.k1 = k1;
    if (b !== undefined) options.b = b;
    if (this.#chooser.chance(0.4)) options.operator = this.#chooser.one(['or', 'and', 'and']);
    const context = `${this.#title}: ${JSON.stringify({ query, ...options })}`;
    return { query, options, context };
  }

  /** Asks one question in many ways; returns what a plain search of everything gives. */
  ask(reader: TextReader, { query, options, context }: Question): Hit[] {
    const all = this.#model.ranked(query, options);
    for (const topK of [0, 1, 2, 10, 1000]) {
      const found = reader.search(query, { ...options, topK });
      expectBits(found, all.slice(0, topK), `${context}, ${topK}`);
    }
    expectBits(reader.search(query, options), all.slice(0, 10), context);
    const digit = String(this.#chooser.below(10));
    const filters = [
      ['b', (key: string) => key.startsWith('b')],
      ['a0000', (key: string) => key.startsWith('a0000')],
      ['z', () => false],
      [(key: string) => key.endsWith(digit), (key: string) => key.endsWith(digit)],
    ] as const;
    for (const [filter, isAccepted] of filters) {
      const left = all.filter(({ key }) => isAccepted(key));
      for (const topK of [1, 10, 1000]) {
        const found = reader.search(query, { ...options, topK, filter });
        expectBits(found, left.slice(0, topK), `${context}, ${topK} with filter ${filter}`);
      }
    }
    return all;
  }

  /** What else there is to say of the documents. */
  describe(reader: TextReader, context: string): void {
    const describe = (subject: TextReader): unknown => ({
      stats: subject.stats(),
      counts: [subject.count(), subject.count('a'), subject.count('b0000'), subject.count('z')],
      documents: [...subject.scan()],
      some: [...subject.scan('c0000')],
    });
    expectSame(describe(reader), describe(this.#model), `${this.#title}, ${context}`);
  }
}

async function askElsewhere(real: FtKeyspace, { query, options, context }: Question, all: Hit[]) {
  const found = await real.searchAsync(query, options);
  expectBits(found, all.slice(0, 10), `${context}, on a reader`);
}

/** The parts of a score make it up, to the bit, for the hits that a search has. */
function expectExplained(real: FtKeyspace, { query, options, context }: Question, all: Hit[]) {
  const explained = real.explain(query, options);
  const hits = (explained?.hits ?? []).map(({ id, parts }): Hit => {
    let score = 0;
    for (const part of parts) if (part !== undefined) score += part.score;
    return { key: Buffer.from(id).toString(), score };
  });
  expectBits(hits, all.slice(0, 10), `${context}, explained`);
  for (const { id, length, parts } of explained?.hits ?? []) {
    const words = real.analyze(real.get(Buffer.from(id)) ?? '').length;
    expectSame(length, words, `${context}: the length of a document`);
    const isPossible = parts.every((part) => part === undefined || part.frequency <= length);
    expectSame(isPossible, true, `${context}: frequencies`);
  }
}

interface Search {
  readonly question: Question;
  readonly all: Hit[];
}

function searchAgain(path: string, options: FtOptions, answers: readonly Search[]): void {
  using again = open(path, { readonly: true, threads: 2 });
  const reader = again.ftKeyspace('texts', options);
  for (const { question, all } of answers) {
    const { query, options: asked, context } = question;
    expectBits(reader.search(query, asked), all.slice(0, 10), `${context}, opened again`);
  }
}

async function searchCollection(spec: CorpusSpec, chooser: Chooser, title: string) {
  const path = join(directory, 'collection.mneme');
  rmSync(path, { force: true });
  const { pageSize } = spec;
  const database = open(path, { pageSize, cacheSize: 2 ** 20, threads: 2, sync: 'none' });
  const { options, model } = openedWith(spec);
  const real = database.ftKeyspace('texts', options);
  const writer = new CorpusWriter(database, { real, model }, spec, chooser);
  writer.fill();
  const collection = new Collection(model, chooser, spec, title);
  const questions = Array.from({ length: TEXT_COUNTS.queries }, () => collection.question());
  const before = questions.map((question) => ({ question, all: collection.ask(real, question) }));
  collection.describe(real, 'filled');
  const snapshot = database.snapshot();
  const look = (): void => {
    const { query, options: asked, context } = collection.question();
    const all = model.ranked(query, asked);
    expectBits(real.search(query, asked), all.slice(0, 10), `${context}, between changes`);
  };
  writer.change(look);
  for (const { question, all } of before) {
    const held = snapshot.ftKeyspace('texts', options);
    const found = held.search(question.query, { ...question.options, topK: all.length + 5 });
    expectBits(found, all, `${question.context}, in a snapshot`);
  }
  snapshot.close();
  const after = questions.map((question) => ({ question, all: collection.ask(real, question) }));
  for (const { question, all } of after) {
    await askElsewhere(real, question, all);
    expectExplained(real, question, all);
  }
  collection.describe(real, 'changed');
  expect(database.verify().problems, title).toEqual([]);
  const isPaused = chooser.chance(0.5);
  if (isPaused) {
    writer.pause();
    writer.change(look);
    for (const { question } of after) collection.ask(real, question);
    collection.describe(real, 'paused');
    expect(database.verify().problems, `${title}, paused`).toEqual([]);
  }
  if (isPaused || chooser.chance(0.3)) writer.rebuild();
  const last = questions.map((question) => ({ question, all: collection.ask(real, question) }));
  collection.describe(real, 'at the end');
  expect(database.verify().problems, `${title}, at the end`).toEqual([]);
  database.close();
  searchAgain(path, options, last);
}

test('searches find what a look at every document finds, and the same bits', {
  timeout: PROPERTY_TIMEOUT_MS,
}, async () => {
  announce('text, collections', TEXT_COUNTS.collections);
  for (let run = 0; run < TEXT_COUNTS.collections; run++) {
    // Other collections for seeds that lie side by side.
    const chooser = new Chooser(randomFrom(SEED ^ Math.imul(run + 1, 0x9e3779b1)));
    const spec = corpusSpec(chooser);
    await searchCollection(spec, chooser, `MNEME_SEED=${SEED}, ${run}: ${JSON.stringify(spec)}`);
  }
});
