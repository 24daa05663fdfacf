/**
 * The curves and ciphers that are not the runtime's, loaded when something is first encrypted: to
 * load them takes longer than to open a database, and most have nothing that is encrypted.
 *
 * `require` of a module is synchronous, as every call of ours is.
 */
import { createRequire } from 'node:module';
import type * as chacha from '@noble/ciphers/chacha.js';
import type * as ed25519 from '@noble/curves/ed25519.js';
import type * as hkdf from '@noble/hashes/hkdf.js';
import type * as sha2 from '@noble/hashes/sha2.js';

const load = createRequire(import.meta.url);

let curves: typeof ed25519 | undefined;
let ciphers: typeof chacha | undefined;

export function nobleCurves(): typeof ed25519 {
  curves ??= load('@noble/curves/ed25519.js') as typeof ed25519;
  return curves;
}

export function nobleCiphers(): typeof chacha {
  ciphers ??= load('@noble/ciphers/chacha.js') as typeof chacha;
  return ciphers;
}

/** Once loaded, the runtime has it at hand. */
export function nobleHashes(): Pick<typeof hkdf, 'expand' | 'extract'> &
  Pick<typeof sha2, 'sha256'> {
  const { expand, extract } = load('@noble/hashes/hkdf.js') as typeof hkdf;
  const { sha256 } = load('@noble/hashes/sha2.js') as typeof sha2;
  return { expand, extract, sha256 };
}
