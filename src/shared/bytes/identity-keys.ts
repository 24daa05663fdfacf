/**
 * Ed25519 identities as keys of X25519: whoever holds a seed can open what was sealed for its
 * public key.
 *
 * Which bytes are a public key is decided here and not left to a library: some let encodings pass
 * that name a point in a second way, and points outside the subgroup of prime order. A message to
 * one of small order could be opened by everybody, and one to a point that has such a part could
 * be opened by several keys, of which only one was listed.
 */
import type { ed25519 } from '@noble/curves/ed25519.js';
import { assert } from '../assert.js';
import { outOfRange } from '../errors.js';
import { nobleCurves } from './noble.js';

export const PUBLIC_KEY_BYTES = 32;
export const SEED_BYTES = 32;

type Point = InstanceType<typeof ed25519.Point>;

/**
 * Returns when `bytes` are the canonical encoding of a point of the subgroup of prime order.
 * @throws {RangeError} when they are not; nothing of the bytes is told.
 */
export function checkPublicKey(bytes: Uint8Array): void {
  const point = bytes.length === PUBLIC_KEY_BYTES ? decode(bytes) : undefined;
  if (point === undefined) throw noPublicKey('something else');
  // The neutral element is of small order, and has no other part of it.
  if (point.isSmallOrder()) throw noPublicKey('a point of small order');
  if (!point.isTorsionFree()) throw noPublicKey('a point with a part of small order');
}

/**
 * The X25519 public key of an Ed25519 one. An Ed25519 key and its negative have the same.
 * @throws {RangeError} as `checkPublicKey`
 */
export function toX25519PublicKey(publicKey: Uint8Array): Uint8Array {
  checkPublicKey(publicKey);
  return nobleCurves().ed25519.utils.toMontgomery(publicKey);
}

/** The X25519 secret of a seed, to be zeroed by the caller. */
export function toX25519Secret(seed: Uint8Array): Uint8Array {
  assert(seed.length === SEED_BYTES, 'a seed has 32 bytes');
  return nobleCurves().ed25519.utils.toMontgomerySecret(seed);
}

/** Undefined when no point has this encoding, or it has another one that is canonical. */
function decode(bytes: Uint8Array): Point | undefined {
  const isAnyCoordinateAllowed = false; // strict as RFC 8032: y < p, and no sign of a zero
  try {
    return nobleCurves().ed25519.Point.fromBytes(bytes, isAnyCoordinateAllowed);
  } catch {
    return undefined; // its message holds the coordinate
  }
}

function noPublicKey(actual: string): RangeError {
  return outOfRange('public key', 'an Ed25519 public key of 32 bytes', actual);
}
