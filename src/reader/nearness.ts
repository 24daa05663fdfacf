/**
 * How near two vectors are: in doubles, from float32 numbers, summed in one fixed order, so that
 * the bits are the same on every run and every machine.
 */
import type { Metric } from '../shared/bytes/vector-codes.js';

let square = 0;

/** The sum of products, in four interleaved sums; leaves that of `b` with itself in `square`. */
function productAndSquare(a: Float32Array, b: Float32Array): number {
  const length = a.length;
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let [squares, others] = [0, 0];
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const [x, y] = [b[at] as number, b[at + 1] as number];
    const [z, w] = [b[at + 2] as number, b[at + 3] as number];
    first += (a[at] as number) * x;
    second += (a[at + 1] as number) * y;
    third += (a[at + 2] as number) * z;
    fourth += (a[at + 3] as number) * w;
    squares += x * x + y * y;
    others += z * z + w * w;
  }
  for (; at < length; at++) {
    const x = b[at] as number;
    first += (a[at] as number) * x;
    squares += x * x;
  }
  square = squares + others;
  return first + second + (third + fourth);
}

/** The Euclidean distance. */
function distance(a: Float32Array, b: Float32Array): number {
  const length = a.length;
  let [even, odd] = [0, 0];
  let at = 0;
  for (; at + 2 <= length; at += 2) {
    const first = (a[at] as number) - (b[at] as number);
    const second = (a[at + 1] as number) - (b[at + 1] as number);
    even += first * first;
    odd += second * second;
  }
  if (at < length) even += ((a[at] as number) - (b[at] as number)) ** 2;
  return Math.sqrt(even + odd);
}

/** How near one vector is. */
export interface Nearness {
  /**
   * cosine 1 - cos within [0, 2], 1 for a zero vector; dot the plain product; l2 the Euclidean
   * distance.
   */
  readonly score: number;
  /** What is surely not above its goodness (vector-codes.ts), whatever was rounded. */
  readonly floor: number;
}

/** Wide against the rounding of sums of 16384 products. */
const SLACK = 1e-9;

export function judge(query: Float32Array, metric: Metric): (vector: Float32Array) => Nearness {
  productAndSquare(query, query);
  const queryNorm = Math.sqrt(square);
  if (metric === 'l2') {
    return (vector) => {
      const score = distance(query, vector);
      const size = (queryNorm + score) ** 2;
      return { score, floor: queryNorm ** 2 - score ** 2 - SLACK * size };
    };
  }
  return (vector) => {
    const product = productAndSquare(query, vector);
    const norm = Math.sqrt(square);
    if (metric === 'dot') return { score: product, floor: product - SLACK * queryNorm * norm };
    if (norm === 0 || queryNorm === 0) return { score: 1, floor: -SLACK * queryNorm };
    const cosine = product / norm / queryNorm;
    const score = Math.min(2, Math.max(0, 1 - cosine));
    return { score, floor: (cosine - SLACK) * queryNorm };
  };
}

/** True when the lower score is the nearer one. */
export function isDistance(metric: Metric): boolean {
  return metric !== 'dot';
}
