/**
 * The vectors of a keyspace: what a handle offers for them, and how it checks what it is given.
 */

import { KeySlotWalk, SelectedSlots } from '../reader/selection.js';
import type { VectorSearch } from '../reader/shared-search.js';
import type { NearSlot } from '../reader/vector-search.js';
import { prefixEnd } from '../shared/bytes/compare.js';
import { METRICS, type Metric } from '../shared/bytes/vector-codes.js';
import { invalidType, MnemeError, outOfRange } from '../shared/errors.js';
import type { KeysKind, KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { findSlot, readOriginal } from '../shared/keyspaces/vector.js';
import { VECTOR_DIMENSION_MAX } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import { rankOf } from '../shared/tree/cursor.js';
import type { Core } from './core.js';
import { type Key, keyBytes, writeKey } from './keys.js';
import type { KeyspaceAccess, StillState } from './keyspace-access.js';

const TOP_K_DEFAULT = 10;
const NO_PREFIX = new Uint8Array(0);

export interface VectorSearchOptions<K> {
  /** Default 'cosine'. cosine: 0 identical .. 2 opposite. dot: higher is nearer. l2: distance. */
  metric?: Metric;
  /** Default 10. */
  topK?: number;
  /** Only keys with this prefix, or for which the function is true; applied before ranking. */
  filter?: Key | ((key: K) => boolean);
  includeVectors?: boolean;
  /** Threads for this search, the calling one included; default and most: those of `open()`. */
  threads?: number;
}

/** One of the nearest vectors. */
export interface VectorHit<K> {
  key: K;
  score: number;
  vector?: Float32Array;
}

/** The options once they are checked. */
interface CheckedSearch<K> {
  readonly metric: Metric;
  readonly topK: number;
  readonly prefix: Uint8Array | undefined;
  readonly accepts: ((key: K) => boolean) | undefined;
  readonly includeVectors: boolean;
  readonly threads: number | undefined;
}

/** What a keyspace's handle does with vectors. */
export abstract class VectorKeyspace<K extends Key> {
  readonly #core: Core;
  readonly #access: KeyspaceAccess;
  readonly #keys: KeysKind;
  /** The dimension as it was seen last; undefined before. */
  #seenDimension: number | undefined;

  /** @internal */
  constructor(core: Core, access: KeyspaceAccess, keys: KeysKind) {
    this.#core = core;
    this.#access = access;
    this.#keys = keys;
  }

  /**
   * Gives a key a vector of 1 to 16384 float32 numbers; the first of a keyspace sets how many.
   * @throws {MnemeError} `ERR_MNEME_DIMENSION_MISMATCH` with `{ expected, actual }`.
   * @throws {RangeError} for NaN, infinities, and what float32 cannot hold.
   */
  vset(key: Key, vector: ArrayLike<number>): void {
    this.#access.assertWritable();
    const actual = checkLength('vector', vector);
    if (actual !== this.#seenDimension) this.#checkDimension(actual);
    if (actual < 1 || actual > VECTOR_DIMENSION_MAX) {
      throw outOfRange('vector', `of 1 to ${VECTOR_DIMENSION_MAX} numbers`, `${actual} numbers`);
    }
    this.#access.setVector(key, floatsOf('vector', vector));
    this.#seenDimension = actual;
  }

  /** @throws {MnemeError} when the keyspace's vectors have another dimension. */
  #checkDimension(actual: number): void {
    const expected = this.#access.read(() => this.#access.record()?.dimension ?? 0);
    if (expected !== 0 && expected !== actual) throw mismatch(expected, actual);
  }

  /** The vector of a key, in an array of its own; undefined when it has none. */
  vget(key: Key): Float32Array | undefined {
    this.#access.assertReadable();
    const { source } = this.#core;
    const start = source.keyAddress;
    const end = start + writeKey(key, this.#keys, source.memory.text, start);
    return this.#access.read(() => {
      const record = this.#access.record();
      const slot = record === undefined ? -1 : findSlot(source.of(record), record, start, end);
      return record === undefined || slot < 0
        ? undefined
        : readOriginal(source.of(record), record, slot);
    });
  }

  /** Removes a key's vector. True when it had one. */
  vdel(key: Key): boolean {
    return this.#access.sendKey(messages.DELETE_VECTOR, key, 0, this.#core.now()) === 1;
  }

  /** Numbers in each vector; undefined before the first `vset`. */
  vdim(): number | undefined {
    this.#access.assertReadable();
    const dimension = this.#access.read(() => this.#access.record()?.dimension ?? 0);
    return dimension === 0 ? undefined : dimension;
  }

  /** How many keys with this prefix have a vector. O(log n). */
  vcount(prefix?: Key): number {
    this.#access.assertReadable();
    const low = prefix === undefined ? NO_PREFIX : keyBytes(prefix, 'bytes');
    const high = prefixEnd(low);
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return 0;
      const source = this.#core.source.of(record);
      const tree = record.vectorSlots;
      const from = low.length === 0 ? 0 : rankOf(source, tree, low);
      return (high === undefined ? tree.count : rankOf(source, tree, high)) - from;
    });
  }

  /**
   * Finds the stored vectors nearest to `query`. Exact: the result is that of a full comparison.
   * Nearest first, equal ones by key bytes.
   * @param query - As many numbers as the keyspace's vectors have.
   * @param options.topK - Hits to return; fewer when fewer vectors match. Default 10.
   * @throws {MnemeError} `ERR_MNEME_DIMENSION_MISMATCH` with `{ expected, actual }`.
   */
  vsearch(query: ArrayLike<number>, options?: VectorSearchOptions<K>): VectorHit<K>[] {
    const { events } = this.#core;
    const run = () => this.#search([query], options)[0] as VectorHit<K>[];
    return events.search('vector', this.#access.keyspaceName, run);
  }

  /** The hits of several queries, in one pass over the data; see `vsearch`. */
  vsearchMany(
    queries: readonly ArrayLike<number>[],
    options?: VectorSearchOptions<K>,
  ): VectorHit<K>[][] {
    const { events } = this.#core;
    const run = () => this.#search(queries, options);
    const count = (hits: readonly VectorHit<K>[][]) => hits.flat().length;
    return events.search('vector', this.#access.keyspaceName, run, count);
  }

  #search(
    queries: readonly ArrayLike<number>[],
    options: VectorSearchOptions<K> | undefined,
  ): VectorHit<K>[][] {
    this.#access.assertReadable();
    if (!Array.isArray(queries)) throw invalidType('queries', 'an array of vectors', queries);
    const still = this.#access.holdStill();
    try {
      const { record, wanted } = this.#prepare(still, queries, options);
      if (record === undefined) return queries.map(() => []);
      const hits = still.read(() => this.#core.searches.run(record, wanted));
      return hits.map((near) => near.map((hit) => this.#present(hit)));
    } finally {
      still.release();
    }
  }

  /**
   * The same search as `vsearch` on a reader: the calling thread stays free. A function filter is
   * called before this returns. Inside a batch, and where the database has no readers, the search
   * is over when this returns.
   */
  vsearchAsync(
    query: ArrayLike<number>,
    options?: VectorSearchOptions<K>,
  ): Promise<VectorHit<K>[]> {
    const run = () => this.#searchElsewhere(query, options);
    return this.#core.events.searchAsync('vector', this.#access.keyspaceName, run);
  }

  async #searchElsewhere(
    query: ArrayLike<number>,
    options: VectorSearchOptions<K> | undefined,
  ): Promise<VectorHit<K>[]> {
    this.#access.assertReadable();
    const { searches, transactions } = this.#core;
    const isInBatch = transactions.isActive && this.#access.view === undefined;
    const still = this.#access.holdStill();
    try {
      const { record, wanted } = this.#prepare(still, [query], options);
      if (record === undefined) return [];
      const elsewhere = isInBatch ? undefined : searches.runElsewhere(record, wanted);
      const hits = await (elsewhere ?? still.read(() => searches.run(record, wanted)));
      return (hits[0] ?? []).map((hit) => this.#present(hit));
    } finally {
      still.release();
    }
  }

  /** Checks what a search is given; without a record there is nothing to be found. */
  #prepare(
    { record, read }: StillState,
    queries: readonly ArrayLike<number>[],
    options: VectorSearchOptions<K> | undefined,
  ) {
    const expected = record?.dimension ?? 0;
    const lengths = queries.map((query) => checkLength('query', query));
    const actual = lengths.find((length) => length !== expected);
    if (expected !== 0 && actual !== undefined) throw mismatch(expected, actual);
    const search = this.#checkOptions(options);
    const { metric, topK, includeVectors } = search;
    const wanted: VectorSearch = {
      queries: queries.map((query) => {
        return { vector: floatsOf('query', query), metric, topK, includeVectors };
      }),
      selection: record === undefined ? undefined : this.#select(search, record, read),
      threads: this.#core.searches.threadsOf(search.threads),
    };
    return { record: topK === 0 ? undefined : record, wanted };
  }

  #checkOptions(options: VectorSearchOptions<K> = {}): CheckedSearch<K> {
    if (typeof options !== 'object' || options === null) {
      throw invalidType('options', 'an object', options);
    }
    const { metric = 'cosine', topK = TOP_K_DEFAULT, filter, includeVectors = false } = options;
    if (!METRICS.includes(metric)) throw invalidType('metric', "'cosine', 'dot' or 'l2'", metric);
    checkWhole('topK', topK, 0);
    if (options.threads !== undefined) checkWhole('threads', options.threads, 1);
    if (typeof includeVectors !== 'boolean') {
      throw invalidType('includeVectors', 'a boolean', includeVectors);
    }
    const accepts = typeof filter === 'function' ? filter : undefined;
    const isPrefix = typeof filter === 'string' || filter instanceof Uint8Array;
    if (filter !== undefined && accepts === undefined && !isPrefix) {
      throw invalidType('filter', 'a prefix or a function', filter);
    }
    const prefix = isPrefix ? keyBytes(filter, 'bytes') : undefined;
    return { metric, topK, prefix, accepts, includeVectors, threads: options.threads };
  }

  /** The slots that a filter lets count; a function is called between reads, one by one. */
  #select(
    { prefix, accepts }: CheckedSearch<K>,
    record: KeyspaceRecord,
    read: StillState['read'],
  ): SelectedSlots | undefined {
    if (prefix === undefined && accepts === undefined) return undefined;
    const selected = new SelectedSlots(record.vectorSlots.count);
    const { source } = this.#core;
    const walk = read(() => new KeySlotWalk(source.of(record), record, prefix ?? NO_PREFIX));
    for (let keys = read(() => walk.next()); keys !== undefined; keys = read(() => walk.next())) {
      for (const { key, slot } of keys) {
        if (accepts === undefined || accepts(this.#presentKey(key))) selected.add(slot);
      }
    }
    return selected;
  }

  #present({ key, score, vector }: NearSlot): VectorHit<K> {
    const hit = { key: this.#presentKey(key), score };
    return vector === undefined ? hit : { ...hit, vector };
  }

  #presentKey(key: Uint8Array): K {
    const { buffer, byteOffset, length } = key;
    const text = this.#keys === 'text';
    return (text ? Buffer.from(buffer, byteOffset, length).toString() : key) as K;
  }
}

function mismatch(expected: number, actual: number): MnemeError {
  return new MnemeError('ERR_MNEME_DIMENSION_MISMATCH', { expected, actual });
}

function checkWhole(name: string, value: unknown, min: number): void {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isSafeInteger(value) || value < min) {
    throw outOfRange(name, `a whole number of at least ${min}`, value);
  }
}

/** The length of what should be a vector. */
function checkLength(name: string, vector: unknown): number {
  const length = typeof vector === 'object' && vector !== null && 'length' in vector;
  const value = length ? vector.length : undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidType(name, 'an array of numbers', vector);
}

/** A vector's numbers as float32, in an array of their own. */
function floatsOf(name: string, vector: ArrayLike<number>): Float32Array {
  const floats = new Float32Array(vector.length);
  for (let at = 0; at < vector.length; at++) {
    const value = vector[at];
    if (typeof value !== 'number') throw invalidType(`${name}[${at}]`, 'a number', value);
    floats[at] = value;
    if (!Number.isFinite(floats[at])) throw outOfRange(`${name}[${at}]`, 'a finite float32', value);
  }
  return floats;
}
