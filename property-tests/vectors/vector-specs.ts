/**
 * Vectors as short descriptions, so that a failing sequence stays readable: a shape and a seed. The
 * shapes are those that exact search can trip over: ties, norms at the ends of float32, numbers of
 * very different size, vectors that lie close together.
 */
import { randomFrom } from '../crash/crash-states.js';

export const FLOAT32_MAX = 3.4028234663852886e38;
const EDGES = [
  ...[0, -0, 1, -1, FLOAT32_MAX, -FLOAT32_MAX, 2 ** -149, -(2 ** -149), 2 ** -126, 127, 128],
  ...[1 + 2 ** -23, 16777216, 1e-20, -1e20],
] as const;

/** What one number of a vector is, by its place; `chance` gives numbers in [0, 1). */
interface Context {
  readonly chance: () => number;
  readonly seed: number;
  readonly dimension: number;
}

type Make = (at: number, context: Context) => number;

/** Near enough to a normal distribution. */
function normal(chance: () => number): number {
  return (chance() + chance() + chance() + chance() - 2) * 1.7;
}

function clamped(number: number): number {
  return Math.min(FLOAT32_MAX, Math.max(-FLOAT32_MAX, number));
}

/** Three places that vectors lie around. */
const MIDDLES = [1, 2, 3].map((seed) => {
  const chance = randomFrom(seed);
  return Float64Array.from({ length: 16384 }, () => normal(chance));
});

function middle(seed: number, at: number): number {
  return MIDDLES[seed % MIDDLES.length]?.[at] as number;
}

const MAKERS = {
  normal: (_, { chance }) => normal(chance),
  /** Many of the same products and distances, all of them exact. */
  whole: (_, { chance }) => Math.floor(chance() * 5) - 2,
  zero: (at, { seed }) => (seed % 2 === 1 && at === 0 ? -0 : 0),
  tiny: (_, { chance, seed }) => normal(chance) * 10 ** (-38 + (seed % 9)),
  subnormal: (_, { chance }) => Math.floor(chance() * 9 - 4) * 2 ** -149,
  large: (_, { chance, seed }) => normal(chance) * 10 ** (6 + (seed % 20)),
  huge: (_, { chance, seed }) => clamped(normal(chance) * 10 ** (30 + (seed % 9))),
  /** One number is much larger than the others, mostly the same one. */
  outlier: (at, { chance, seed, dimension }) =>
    normal(chance) * (at === (seed % 4 === 0 ? seed : 2) % dimension ? 1e4 : 1),
  cluster: (at, { chance, seed }) => middle(seed, at) + normal(chance) * 0.05,
  /** So close that codes of 8 bits cannot tell them apart. */
  close: (at, { chance }) => middle(0, at) + normal(chance) * 1e-5,
  /** The same direction, different lengths. */
  scaled: (at, { seed }) => middle(0, at) * (seed + 1),
  mixed: (_, { chance }) => clamped(normal(chance) * 10 ** Math.floor(chance() * 78 - 39)),
  single: (at, { seed, dimension }) => (at === seed % dimension ? 1 : 0),
  constant: (_, { seed }) => seed - 3,
  edges: (_, { chance }) => EDGES[Math.floor(chance() * EDGES.length)] as number,
} as const satisfies Record<string, Make>;

export type Shape = keyof typeof MAKERS;
export const SHAPES = Object.keys(MAKERS) as readonly Shape[];

export interface VectorSpec {
  readonly shape: Shape;
  readonly seed: number;
}

/** The vector described; equal descriptions give equal vectors. */
export function vectorOf({ shape, seed }: VectorSpec, dimension: number): Float32Array {
  const context = { chance: randomFrom(seed * 31 + SHAPES.indexOf(shape)), seed, dimension };
  return Float32Array.from({ length: dimension }, (_, at) => MAKERS[shape](at, context));
}
