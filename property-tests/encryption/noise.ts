/**
 * Bytes for tests of encryption: any length from a small seed, and the same with one bit flipped.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';

const OFFSET_MAX = 15;

export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function noise(seed: number, length: number): Uint8Array {
  if (length === 0) return new Uint8Array();
  const hash = createHash('shake256', { outputLength: length });
  return new Uint8Array(hash.update(`${seed}`).digest());
}

export function noiseOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.nat().map((seed) => noise(seed, length));
}

export function noiseUpTo(lengthMax: number): fc.Arbitrary<Uint8Array> {
  const length = fc.oneof(fc.nat({ max: Math.min(200, lengthMax) }), fc.nat({ max: lengthMax }));
  return fc.tuple(fc.nat(), length).map(([seed, count]) => noise(seed, count));
}

/** The same bytes somewhere within shared memory, as those of a page in the cache are. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const offset = bytes.length % (OFFSET_MAX + 1);
  const shared = new Uint8Array(new SharedArrayBuffer(offset + bytes.length + OFFSET_MAX));
  shared.set(bytes, offset);
  return shared.subarray(offset, offset + bytes.length);
}

/** Each with another of its bits flipped, from the first bit to the last. */
export function* withBitFlipped(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const other = new Uint8Array(bytes); // slice() of a Buffer would share them
    other[bit >>> 3] = (other[bit >>> 3] as number) ^ (1 << (bit & 7));
    yield other;
  }
}
