/**
 * Searches that readers help with, and those that readers run, between writes and in batches: the
 * same bits as on one thread, which the model agrees with.
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
import { CollectionChooser, type CollectionSpec, fill, keyAt } from './collection.js';
import { type Shape, vectorOf } from './vector-specs.js';

const METRICS: readonly Metric[] = ['cosine', 'dot', 'l2'];
const SHAPES: readonly (readonly Shape[])[] = [
  ['normal'],
  ['cluster', 'normal', 'zero'],
  ['whole'],
  ['close', 'outlier'],
];
/** As many numbers as make readers worth their while, at a byte each. */
const NUMBERS = 1_900_000;
const DIMENSIONS = [96, 384, 1100] as const;

const directory = mkdtempSync(join(tmpdir(), 'mneme-threads-'));
afterAll(() => rmSync(directory, { recursive: true }));

function largeCollection(chooser: CollectionChooser): CollectionSpec {
  const dimension = chooser.one(DIMENSIONS);
  const count = Math.ceil(NUMBERS / dimension);
  const shapes = chooser.one(SHAPES);
  const distinct = chooser.one([200, count]);
  const pageSize = chooser.one([4096, 16384]);
  return { dimension, count, shapes, distinct, pageSize, removed: 0, changed: 0 };
}

class Searches {
  readonly #keyspace: Keyspace;
  readonly #vectors: Map<string, Float32Array>;
  readonly #chooser: CollectionChooser;
  readonly #spec: CollectionSpec;
  readonly #title: string;
  count = 0;

  constructor(
    keyspace: Keyspace,
    vectors: Map<string, Float32Array>,
    chooser: CollectionChooser,
    spec: CollectionSpec,
    title: string,
  ) {
    this.#keyspace = keyspace;
    this.#vectors = vectors;
    this.#chooser = chooser;
    this.#spec = spec;
    this.#title = title;
  }

  /** Removes some vectors and gives others new numbers. */
  change(): void {
    const { dimension, count, shapes } = this.#spec;
    for (let left = 1 + this.#chooser.below(20); left > 0; left--) {
      const key = keyAt(this.#chooser.below(count));
      if (this.#chooser.below(2) === 0) {
        expect(this.#keyspace.vdel(key)).toBe(this.#vectors.delete(key));
        continue;
      }
      const vector = vectorOf(
        { shape: shapes[0] as Shape, seed: this.#chooser.below(1000) },
        dimension,
      );
      this.#keyspace.vset(key, vector);
      this.#vectors.set(key, vector);
    }
  }

  /** Asks one question with any number of threads; `proves` it by the model too. */
  ask(proves: boolean): () => Promise<void> {
    const described = this.#chooser.query(this.#spec);
    const query = vectorOf(described, this.#spec.dimension);
    const metric = this.#chooser.one(METRICS);
    const topK = this.#chooser.one([1, 10, 10, 300]);
    const title = `${this.#title}, ${metric}, ${topK} for ${JSON.stringify(described)}`;
    const expected = this.#keyspace.vsearch(query, { metric, topK, threads: 1 });
    if (proves) {
      const search = { vectors: this.#vectors, keys: 'text', query, metric, topK } as const;
      expectSame(expected, new NearestHits({ ...search, includeVectors: false }), title);
    }
    for (const threads of [2, 4, 8, undefined]) {
      const options = threads === undefined ? { metric, topK } : { metric, topK, threads };
      const found = this.#keyspace.vsearch(query, options);
      expect(found, `${title}: ${threads} threads`).toStrictEqual(expected);
      this.count++;
    }
    const asked = this.#keyspace.vsearchAsync(query, { metric, topK });
    return async () => {
      expect(await asked, `${title}: on a reader`).toStrictEqual(expected);
      this.count++;
    };
  }
}

test('readers that help change no bit of any answer', {
  timeout: PROPERTY_TIMEOUT_MS,
}, async () => {
  announce('vectors, readers', VECTOR_COUNTS.largeCollections);
  let count = 0;
  for (let run = 0; run < VECTOR_COUNTS.largeCollections; run++) {
    const chooser = new CollectionChooser(randomFrom(SEED + run));
    const spec = largeCollection(chooser);
    const title = `MNEME_SEED=${SEED}, ${run}: ${JSON.stringify(spec)}`;
    const path = join(directory, `${run}.mneme`);
    // A small cache has the threads evict each other's pages.
    const cacheSize = chooser.one([2 ** 21, 2 ** 26]);
    const database = open(path, { pageSize: spec.pageSize, cacheSize, threads: 4, sync: 'none' });
    const keyspace = database.keyspace('vectors');
    const searches = new Searches(keyspace, fill(keyspace, spec, chooser), chooser, spec, title);
    await searches.ask(true)(); // from here on there are readers
    for (let round = 0; round < VECTOR_COUNTS.rounds; round++) {
      const asked = [searches.ask(round === 0), searches.ask(false)];
      if (round % 2 === 0) searches.change();
      else {
        database.batch(() => {
          searches.change();
          asked.push(searches.ask(round === 1));
          searches.change();
          asked.push(searches.ask(false));
        });
      }
      for (const answered of asked) await answered();
    }
    count += searches.count;
    expect(database.verify().problems, title).toEqual([]);
    database.close();
    rmSync(path);
  }
  process.stdout.write(`vectors, readers: ${count} searches\n`);
});
