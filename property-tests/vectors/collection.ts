/**
 * Collections of vectors to be searched, chosen by chance: their size, their dimension, what their
 * vectors are like, and what is looked for in them.
 */
import type { Keyspace } from 'mneme';
import { SHAPES, type Shape, type VectorSpec, vectorOf } from './vector-specs.js';

const DIMENSIONS = [1, 2, 7, 15, 16, 17, 33, 100, 384, 768, 1000, 1024, 1536, 2048] as const;
const COUNTS = [1, 5, 60, 700, 3000, 5000] as const;
/** What a collection takes at most, in numbers. */
const NUMBERS_MAX = 400_000;

export interface CollectionSpec {
  readonly dimension: number;
  readonly count: number;
  readonly shapes: readonly Shape[];
  /** Different vectors of a shape. */
  readonly distinct: number;
  readonly pageSize: number;
  /** Of all vectors, the share that is removed after all are there, and that is changed. */
  readonly removed: number;
  readonly changed: number;
}

export class CollectionChooser {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  collection(): CollectionSpec {
    const dimension = this.one(DIMENSIONS);
    const count = Math.min(this.one(COUNTS), Math.ceil(NUMBERS_MAX / dimension));
    return {
      dimension,
      count,
      shapes: Array.from({ length: this.one([1, 1, 2, 5]) }, () => this.one(SHAPES)),
      distinct: this.one([3, 50, count, count]),
      pageSize: this.one([4096, 4096, 16384]),
      removed: this.one([0, 0, 0.3, 0.9]),
      changed: this.one([0, 0.1]),
    };
  }

  /** Mostly one like those that are searched, or one of them. */
  query({ shapes, distinct }: CollectionSpec): VectorSpec {
    const shape = this.#random() < 0.7 ? this.one(shapes) : this.one(SHAPES);
    const seed = this.below(this.#random() < 0.5 ? distinct : 1e6);
    return { shape, seed };
  }
}

export function keyAt(index: number): string {
  return `${'abc'.charAt(index % 3)}${String(index).padStart(5, '0')}`;
}

/** Stores a collection and returns what is in it then, in the order of its keys. */
export function fill(
  keyspace: Keyspace,
  spec: CollectionSpec,
  chooser: CollectionChooser,
): Map<string, Float32Array> {
  const { dimension, count, shapes, distinct } = spec;
  const stored = new Map<string, Float32Array>();
  const put = (index: number, seed: number): void => {
    const shape = shapes[index % shapes.length] as Shape;
    const vector = vectorOf({ shape, seed }, dimension);
    keyspace.vset(keyAt(index), vector);
    stored.set(keyAt(index), vector);
  };
  keyspace.batch(() => {
    for (let index = 0; index < count; index++) put((index * 7919) % count, index % distinct);
  });
  keyspace.batch(() => {
    for (let left = Math.floor(spec.removed * count); left > 0; left--) {
      const key = keyAt(chooser.below(count));
      if (keyspace.vdel(key) !== stored.delete(key)) throw new Error('a vector was lost');
    }
    for (let left = Math.floor(spec.changed * count); left > 0; left--) {
      put(chooser.below(count), chooser.below(distinct));
    }
  });
  return new Map([...stored].sort(([a], [b]) => (a < b ? -1 : 1)));
}
