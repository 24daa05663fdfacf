/**
 * Ed25519 identities as recipients: which public keys are sound, and their X25519 form
 * (RFC 7748, section 4.1).
 */
import { outOfRange } from '../errors.js';
import { nobleCurves } from './noble.js';

export const PUBLIC_KEY_BYTES = 32;

/**
 * Refuses what is no canonical encoding of a point of the prime-order subgroup: with a point of
 * small order, or one that has a part of it, others could know the secret or make one slot look
 * like another's.
 * @throws {RangeError} that tells nothing of the key.
 */
export function checkPublicKey(bytes: Uint8Array): void {
  if (bytes.length !== PUBLIC_KEY_BYTES || !isSound(bytes)) {
    throw outOfRange('publicKey', 'a sound Ed25519 public key of 32 bytes', 'another');
  }
}

function isSound(bytes: Uint8Array): boolean {
  try {
    const point = nobleCurves().ed25519.Point.fromBytes(Uint8Array.from(bytes), false);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false; // no point at all
  }
}

export function toX25519PublicKey(publicKey: Uint8Array): Uint8Array {
  return nobleCurves().ed25519.utils.toMontgomery(Uint8Array.from(publicKey));
}

export function toX25519Secret(seed: Uint8Array): Uint8Array {
  return nobleCurves().ed25519.utils.toMontgomerySecret(Uint8Array.from(seed));
}
