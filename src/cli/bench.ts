/**
 * What this machine and MNEME do together: operations one after the other on a database of made-up
 * data, each timed alone. It compares nothing; bench/ in the repository does that.
 */
import { createHistogram, performance } from 'node:perf_hooks';
import type { Database } from '../api/database.js';
import type { FtKeyspace } from '../api/fulltext.js';
import type { Keyspace } from '../api/keyspace.js';

export interface BenchRow {
  readonly operation: string;
  /** How many were made. */
  readonly count: number;
  readonly perSecond: number;
  /** Microseconds of one. */
  readonly p50: number;
  readonly p99: number;
}

export interface BenchOptions {
  /** For each operation. */
  readonly seconds: number;
  /** The same data for the same seed. */
  readonly seed: number;
  /** Told before each operation, with its place among all. */
  readonly tell: (operation: string, done: number, total: number) => void;
}

const KEYS = 100_000;
const BATCH = 1000;
const SCANNED = 100;
const VALUE_BYTES = 100;
const DOCUMENTS = 10_000;
const WORDS_OF_DOCUMENT = 40;
const VOCABULARY = 5000;
const VECTORS = 10_000;
const DIMENSION = 128;

/** Numbers below a limit, the same for the same seed (Marsaglia, "Xorshift RNGs", 2003). */
class Chooser {
  #state: number;
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) | 1;
  }
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }
}

interface Subject {
  readonly values: Keyspace;
  readonly texts: FtKeyspace;
  readonly vectors: Keyspace;
  readonly database: Database;
  readonly chooser: Chooser;
}

const keyOf = (number: number) => `key:${String(number).padStart(8, '0')}`;
const wordOf = (number: number) => `w${number.toString(36)}`;
const VALUE = 'v'.repeat(VALUE_BYTES);

/** Rare words are rarer by far, as in any language. */
function someWord(chooser: Chooser): string {
  return wordOf(Math.min(chooser.below(VOCABULARY), chooser.below(VOCABULARY)));
}

function someVector({ chooser }: Subject): Float32Array {
  return Float32Array.from({ length: DIMENSION }, () => chooser.below(2000) / 1000 - 1);
}

/** What is measured, in this order: later ones read what earlier ones wrote. */
const READS: Readonly<Record<string, (subject: Subject) => unknown>> = {
  get: ({ values, chooser }) => values.get(keyOf(chooser.below(KEYS))),
  'get of a missing key': ({ values, chooser }) => values.get(`none${chooser.below(KEYS)}`),
  [`scan of ${SCANNED}`]: ({ values, chooser }) =>
    values.range({ gte: keyOf(chooser.below(KEYS)), limit: SCANNED }).toArray(),
  [`search of ${DOCUMENTS} documents, 2 words`]: ({ texts, chooser }) =>
    texts.search(`${someWord(chooser)} ${someWord(chooser)}`),
  [`search of ${VECTORS} vectors of ${DIMENSION}`]: (subject) =>
    subject.vectors.vsearch(someVector(subject)),
};

const UNSYNCED: typeof READS = {
  put: ({ values, chooser }) => values.set(keyOf(chooser.below(KEYS)), VALUE),
  [`batch of ${BATCH} puts`]: ({ values, chooser }) =>
    values.batch((batch) => {
      for (let put = 0; put < BATCH; put++) batch.set(keyOf(chooser.below(KEYS)), VALUE);
    }),
  'put of a document': ({ texts, chooser }) =>
    texts.put(`more ${chooser.below(KEYS)}`, someText(chooser)),
};

const DURABLE: typeof READS = {
  'durable put': ({ values, chooser }) => values.set(keyOf(chooser.below(KEYS)), VALUE),
};

function someText(chooser: Chooser): string {
  return Array.from({ length: WORDS_OF_DOCUMENT }, () => someWord(chooser)).join(' ');
}

/** Measures all operations; the two databases are new ones, the second without syncs. */
export function bench(durable: Database, unsynced: Database, options: BenchOptions): BenchRow[] {
  const parts: readonly (readonly [Database, typeof READS])[] = [
    [durable, DURABLE],
    [unsynced, READS],
    [unsynced, UNSYNCED],
  ];
  const total = parts.reduce((sum, [, operations]) => sum + Object.keys(operations).length, 0);
  const rows: BenchRow[] = [];
  options.tell('fill', 0, total);
  fill(subjectOf(unsynced, options.seed));
  for (const [database, operations] of parts) {
    const subject = subjectOf(database, options.seed);
    for (const [operation, run] of Object.entries(operations)) {
      options.tell(operation, rows.length, total);
      rows.push(measure(operation, () => run(subject), options.seconds));
    }
  }
  options.tell('done', total, total);
  return rows;
}

function subjectOf(database: Database, seed: number): Subject {
  const values = database.keyspace('values');
  const vectors = database.keyspace('vectors');
  const texts = database.ftKeyspace('texts');
  return { database, values, texts, vectors, chooser: new Chooser(seed) };
}

function fill(subject: Subject): void {
  const { database, values, texts, vectors, chooser } = subject;
  database.batch(() => {
    for (let key = 0; key < KEYS; key++) values.set(keyOf(key), VALUE);
    for (let key = 0; key < VECTORS; key++) vectors.vset(keyOf(key), someVector(subject));
  });
  texts.putMany(
    Array.from({ length: DOCUMENTS }, (_, id) => [`${id}`, someText(chooser)] as const),
  );
}

/** As often as fits the time, and once at least; a tenth of that before, to warm up. */
function measure(operation: string, run: () => unknown, seconds: number): BenchRow {
  repeat(run, seconds / 10, () => undefined);
  const histogram = createHistogram();
  const start = performance.now();
  repeat(run, seconds, (ms) => histogram.record(Math.max(1, Math.round(ms * 1e6))));
  const took = (performance.now() - start) / 1000;
  const { count } = histogram;
  const us = (percentile: number) => histogram.percentile(percentile) / 1000;
  return { operation, count, perSecond: count / took, p50: us(50), p99: us(99) };
}

function repeat(run: () => unknown, seconds: number, note: (ms: number) => void): void {
  const end = performance.now() + seconds * 1000;
  let before = performance.now();
  do {
    run();
    const now = performance.now();
    note(now - before);
    before = now;
  } while (before < end);
}
