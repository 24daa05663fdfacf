/**
 * Who opens a database: the option `encryption` as the identity that unwraps its data keys.
 */
import { KeyObject } from 'node:crypto';
import { checkPublicKey, toX25519Secret } from '../shared/bytes/identity-keys.js';
import { invalidType, outOfRange } from '../shared/errors.js';
import type { Identity } from '../shared/memory/key-area.js';
import { publicKeyFromSeed, readKeyFile, seedOfKey } from './key-files.js';

/**
 * The Ed25519 identity that unlocks encrypted keyspaces: a file with its seed (raw, hex, PEM or
 * OpenSSH), the seed of 32 bytes itself, or a private key of the runtime's.
 */
export type EncryptionOption =
  | { keyFile: string | URL }
  | { seed: Uint8Array; publicKey?: Uint8Array }
  | { key: KeyObject };

/** The identity; its secret is the caller's to overwrite. */
export function identityOf(option: EncryptionOption): Identity {
  if (typeof option !== 'object' || option === null) {
    throw invalidType('encryption', 'an object', option);
  }
  const { seed, isOurs } = seedOf(option);
  try {
    const publicKey = publicKeyFromSeed(seed);
    const stated = 'publicKey' in option ? option.publicKey : undefined;
    if (stated !== undefined) checkStated(stated, publicKey);
    return { publicKey, x25519Secret: toX25519Secret(seed) };
  } finally {
    if (isOurs) seed.fill(0);
  }
}

function seedOf(option: EncryptionOption): { seed: Uint8Array; isOurs: boolean } {
  if ('keyFile' in option) {
    const { keyFile } = option;
    if (typeof keyFile !== 'string' && !(keyFile instanceof URL)) {
      throw invalidType('encryption.keyFile', 'a string or a URL', keyFile);
    }
    return { seed: readKeyFile(keyFile).seed, isOurs: true };
  }
  if ('seed' in option) return { seed: option.seed, isOurs: false };
  const { key } = option;
  if (!(key instanceof KeyObject)) throw invalidType('encryption', 'keyFile, seed or key', option);
  return { seed: seedOfKey(key), isOurs: true };
}

function checkStated(stated: Uint8Array, publicKey: Uint8Array): void {
  if (!(stated instanceof Uint8Array)) {
    throw invalidType('encryption.publicKey', 'a Uint8Array', stated);
  }
  checkPublicKey(stated);
  if (Buffer.compare(stated, publicKey) === 0) return;
  throw outOfRange('encryption.publicKey', 'the public key of the seed', 'another');
}
