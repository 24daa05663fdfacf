/**
 * A keyspace with vectors as a slow, obvious model: two maps, of values and of vectors, and the
 * dimension that the first vector set.
 */
import type { Key, RangeOptions, Value, VectorSearchOptions } from 'mneme';
import { ModelError } from './model-error.js';
import { checkWholeNumber, storedKeysWithin } from './model-range.js';
import { type ModelSearch, NearestHits } from './nearest.js';
import { byteText, type Entry, entryOf, givenKey, givenValue, storedKey } from './stored.js';

const DIMENSION_MAX = 16384;
const METRICS: readonly unknown[] = ['cosine', 'dot', 'l2'];

export type SearchOptions = VectorSearchOptions<Key>;

/** What a snapshot has too. */
export interface VectorReader {
  get(key: Key): Value | undefined;
  count(): number;
  stats(): { readonly vectors: number };
  vget(key: Key): Float32Array | undefined;
  vdim(): number | undefined;
  vcount(prefix?: Key): number;
  vsearch(query: ArrayLike<number>, options?: SearchOptions): unknown;
}

/** What of a handle the model has too. */
export interface SubjectVectors extends VectorReader {
  set(key: Key, value: Value, options?: { expiresAt: number }): void;
  del(key: Key): boolean;
  delRange(options: Omit<RangeOptions, 'reverse' | 'offset' | 'limit'>): number;
  vset(key: Key, vector: ArrayLike<number>): void;
  vdel(key: Key): boolean;
  vsearchMany(queries: readonly ArrayLike<number>[], options?: SearchOptions): unknown;
  batch(fn: () => void): void;
}

interface Content {
  readonly values: Map<string, Entry>;
  readonly vectors: Map<string, Float32Array>;
  dimension: number | undefined;
}

function copyOf({ values, vectors, dimension }: Content): Content {
  return { values: new Map(values), vectors: new Map(vectors), dimension };
}

export class ModelVectors implements SubjectVectors {
  readonly #keys: 'text' | 'bytes';
  #content: Content;

  constructor(keys: 'text' | 'bytes', content?: Content) {
    this.#keys = keys;
    this.#content = content ?? { values: new Map(), vectors: new Map(), dimension: undefined };
  }

  /** A state that stays as it is. */
  snapshot(): ModelVectors {
    return new ModelVectors(this.#keys, copyOf(this.#content));
  }

  restore(snapshot: ModelVectors): void {
    this.#content = copyOf(snapshot.#content);
  }

  drop(): void {
    this.#content = { values: new Map(), vectors: new Map(), dimension: undefined };
  }

  /** Every key that has a vector, as it is given back. */
  vectorKeys(): Key[] {
    return [...this.#content.vectors.keys()].map((key) => givenKey(key, this.#keys));
  }

  #stored(key: Key): string {
    return storedKey(key, this.#keys);
  }

  get(key: Key): Value | undefined {
    const entry = this.#content.values.get(this.#stored(key));
    return entry === undefined ? undefined : givenValue(entry, 'auto');
  }

  count(): number {
    return this.#content.values.size;
  }

  stats(): { vectors: number } {
    return { vectors: this.#content.vectors.size };
  }

  vget(key: Key): Float32Array | undefined {
    return this.#content.vectors.get(this.#stored(key));
  }

  vdim(): number | undefined {
    return this.#content.dimension;
  }

  vcount(prefix?: Key): number {
    return this.#within(prefix).size;
  }

  #within(prefix: Key | undefined): Map<string, Float32Array> {
    const start = prefix === undefined ? '' : byteText(prefix);
    return new Map([...this.#content.vectors].filter(([key]) => key.startsWith(start)));
  }

  set(key: Key, value: Value, options?: { expiresAt: number }): void {
    const stored = this.#stored(key);
    const entry = entryOf(value);
    if (options === undefined) this.#content.values.set(stored, entry);
    else this.#content.values.delete(stored); // a moment in the past
  }

  del(key: Key): boolean {
    const { values, vectors } = this.#content;
    const stored = this.#stored(key);
    const had = [values.delete(stored), vectors.delete(stored)];
    return had.includes(true);
  }

  delRange(options: RangeOptions): number {
    const { values, vectors } = this.#content;
    const within = (entries: Map<string, unknown>): string[] =>
      storedKeysWithin({ entries: entries as Map<string, Entry>, ...UNUSED }, options);
    for (const key of within(vectors)) vectors.delete(key);
    const keys = within(values);
    for (const key of keys) values.delete(key);
    return keys.length;
  }

  vset(key: Key, vector: ArrayLike<number>): void {
    this.#checkDimension(vector);
    if (vector.length < 1 || vector.length > DIMENSION_MAX) throw new RangeError('dimension');
    const stored = this.#stored(key);
    this.#content.vectors.set(stored, float32Of(vector));
    this.#content.dimension = vector.length;
  }

  vdel(key: Key): boolean {
    return this.#content.vectors.delete(this.#stored(key));
  }

  batch(fn: () => void): void {
    fn();
  }

  vsearch(query: ArrayLike<number>, options?: SearchOptions): NearestHits | unknown[] {
    return this.vsearchMany([query], options)[0] as NearestHits | unknown[];
  }

  vsearchMany(
    queries: readonly ArrayLike<number>[],
    options: SearchOptions = {},
  ): (NearestHits | unknown[])[] {
    for (const query of queries) this.#checkDimension(query);
    const { metric = 'cosine', topK = 10, includeVectors = false } = options;
    checkWholeNumber(topK);
    if (!METRICS.includes(metric)) throw new TypeError('metric');
    const wanted = queries.map(float32Of);
    if (this.#content.dimension === undefined) return wanted.map(() => []);
    const vectors = this.#filtered(options.filter);
    const search = { vectors, keys: this.#keys, metric, topK, includeVectors };
    return wanted.map((query) => new NearestHits({ ...search, query } satisfies ModelSearch));
  }

  #filtered(filter: SearchOptions['filter']): Map<string, Float32Array> {
    if (typeof filter !== 'function') return this.#within(filter);
    const all = [...this.#content.vectors];
    return new Map(all.filter(([key]) => filter(givenKey(key, this.#keys))));
  }

  #checkDimension({ length }: ArrayLike<number>): void {
    const { dimension } = this.#content;
    if (dimension === undefined || dimension === length) return;
    throw new ModelError('ERR_MNEME_DIMENSION_MISMATCH');
  }
}

const UNUSED = { keys: 'bytes', isCertain: true } as const;

function float32Of(vector: ArrayLike<number>): Float32Array {
  const given: readonly unknown[] = Array.from(vector);
  if (!given.every((number) => typeof number === 'number')) throw new TypeError('no number');
  const floats = Float32Array.from(vector);
  if (!floats.every(Number.isFinite)) throw new RangeError('beyond float32');
  return floats;
}
