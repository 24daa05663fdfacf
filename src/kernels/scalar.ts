/**
 * The plain loops: the definition of the right answer, and what runs without WebAssembly.
 */
import type { Kernels } from './kernel-interface.js';
import { ScalarTexts } from './scalar-text.js';

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const MASK = 2n ** 64n - 1n;

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function round(accumulator: bigint, lane: bigint): bigint {
  return (rotateLeft((accumulator + lane * PRIME_2) & MASK, 31n) * PRIME_1) & MASK;
}

function mergeRound(hash: bigint, accumulator: bigint): bigint {
  return ((hash ^ round(0n, accumulator)) * PRIME_1 + PRIME_4) & MASK;
}

/** The bulk of 32-byte stripes; returns the hash so far, before the length is added. */
function hashStripes(view: DataView, stripeCount: number, seed: bigint): bigint {
  const lanes = [seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1].map(
    (lane) => lane & MASK,
  );
  for (let at = 0; at < stripeCount * 32; at += 8) {
    const lane = (at >>> 3) & 3;
    lanes[lane] = round(lanes[lane] as bigint, view.getBigUint64(at, true));
  }
  const rotations = [1n, 7n, 12n, 18n];
  let hash = 0n;
  for (let lane = 0; lane < 4; lane++) {
    hash = (hash + rotateLeft(lanes[lane] as bigint, rotations[lane] as bigint)) & MASK;
  }
  for (const lane of lanes) hash = mergeRound(hash, lane);
  return hash;
}

/** xxHash64, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
export function xxHash64(view: DataView, seed: bigint): bigint {
  const length = view.byteLength;
  const stripeCount = length >>> 5;
  let hash = stripeCount > 0 ? hashStripes(view, stripeCount, seed) : (seed + PRIME_5) & MASK;
  hash = (hash + BigInt(length)) & MASK;
  let at = stripeCount * 32;
  for (; at + 8 <= length; at += 8) {
    hash ^= round(0n, view.getBigUint64(at, true));
    hash = (rotateLeft(hash, 27n) * PRIME_1 + PRIME_4) & MASK;
  }
  if (at + 4 <= length) {
    hash ^= (BigInt(view.getUint32(at, true)) * PRIME_1) & MASK;
    hash = (rotateLeft(hash, 23n) * PRIME_2 + PRIME_3) & MASK;
    at += 4;
  }
  for (; at < length; at++) {
    hash ^= (BigInt(view.getUint8(at)) * PRIME_5) & MASK;
    hash = (rotateLeft(hash, 11n) * PRIME_1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * PRIME_2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK;
  return hash ^ (hash >> 32n);
}

/** All plain kernels; each file adds its own. */
class ScalarKernels extends ScalarTexts implements Kernels {
  readonly compiled = false;

  hash64(address: number, length: number, seedLow: number, seedHigh: number, out: number): void {
    const seed = (BigInt(seedHigh >>> 0) << 32n) | BigInt(seedLow >>> 0);
    const range = new DataView(this.view.buffer, address, length);
    this.view.setBigUint64(out, xxHash64(range, seed), true);
  }

  copyBytes(target: number, source: number, length: number): void {
    this.bytes.copyWithin(target, source, source + length);
  }
}

export function createScalarKernels(buffer: SharedArrayBuffer): Kernels {
  return new ScalarKernels(buffer);
}
