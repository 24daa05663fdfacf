/**
 * Wraps and unwraps the data keys of a database for Ed25519 identities. Pure bytes; where they
 * stand in the file says keyspaces/key-ring.ts.
 *
 * A slot is the newest data key, sealed to one identity (HPKE, RFC 9180) and bound to the database
 * and the identity's whole public key. ChaCha20-Poly1305 lets one find a message that opens under
 * two keys, so a commitment stands beside it, and no key is used before it fits. Older data keys
 * are sealed with the newest one. A MAC under the newest key covers all of it: whoever has no key
 * can add, remove or exchange nothing unseen.
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { openWith, sealTo } from '../bytes/hpke.js';
import { toX25519PublicKey } from '../bytes/identity-keys.js';
import { writeU32 } from '../bytes/integers.js';
import { XChaCha } from '../bytes/xchacha.js';
import type { DataKeyId, Identity } from '../memory/key-area.js';
import type { Random } from '../system.js';

export const DATA_KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const WRAP_INFO = 'mneme data key';
const COMMITMENT_INFO = 'mneme commitment';
const OLDER_INFO = 'mneme older keys';
const MAC_INFO = 'mneme key slots';
/** Of a slot, besides the public key: HPKE's encapsulated key, and the sealed data key. */
export const ENCAPSULATED_BYTES = 32;
export const WRAPPED_BYTES = ENCAPSULATED_BYTES + DATA_KEY_BYTES + TAG_BYTES;
export const OLDER_BYTES = NONCE_BYTES + DATA_KEY_BYTES + TAG_BYTES;

/** SHA-256 of an identity's public key: the name that it goes by. */
export function fingerprintOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(publicKey).digest());
}

function derive(dataKey: Uint8Array, databaseId: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', dataKey, databaseId, info, DATA_KEY_BYTES));
}

function idBytes({ epoch, salt }: DataKeyId): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU32(bytes, 0, epoch);
  writeU32(bytes, 4, salt);
  return bytes;
}

/** What tells one data key from all others, and nothing of it. */
export function commitmentOf(dataKey: Uint8Array, databaseId: Uint8Array): Uint8Array {
  return derive(dataKey, databaseId, COMMITMENT_INFO);
}

function wrapInfo(databaseId: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(WRAP_INFO), databaseId, publicKey]);
}

/** Seals a data key to an Ed25519 identity: WRAPPED_BYTES. */
export function wrapDataKey(
  dataKey: Uint8Array,
  id: DataKeyId,
  databaseId: Uint8Array,
  publicKey: Uint8Array,
  random: Random,
): Uint8Array {
  const ephemeral = Uint8Array.from(random(32));
  const recipient = toX25519PublicKey(publicKey);
  const info = wrapInfo(databaseId, publicKey);
  const { enc, sealed } = sealTo(recipient, info, idBytes(id), dataKey, ephemeral);
  ephemeral.fill(0);
  return Buffer.concat([enc, sealed]);
}

/** Undefined when the bytes were not sealed to this identity, or not as they are. */
export function unwrapDataKey(
  wrapped: Uint8Array,
  id: DataKeyId,
  databaseId: Uint8Array,
  { publicKey, x25519Secret }: Identity,
): Uint8Array | undefined {
  const enc = wrapped.subarray(0, ENCAPSULATED_BYTES);
  const sealed = wrapped.subarray(ENCAPSULATED_BYTES);
  const info = wrapInfo(databaseId, publicKey);
  return openWith(x25519Secret, enc, info, idBytes(id), sealed);
}

/** Seals an older data key with the newest: OLDER_BYTES. */
export function sealOlderKey(
  older: Uint8Array,
  id: DataKeyId,
  newest: Uint8Array,
  databaseId: Uint8Array,
  random: Random,
): Uint8Array {
  const cipher = new XChaCha(derive(newest, databaseId, OLDER_INFO));
  const nonce = Uint8Array.from(random(NONCE_BYTES));
  const { bytes, tag } = cipher.seal(nonce, idBytes(id), older);
  cipher.clear();
  return Buffer.concat([nonce, bytes, tag]);
}

export function openOlderKey(
  sealed: Uint8Array,
  id: DataKeyId,
  newest: Uint8Array,
  databaseId: Uint8Array,
): Uint8Array | undefined {
  const cipher = new XChaCha(derive(newest, databaseId, OLDER_INFO));
  const end = NONCE_BYTES + DATA_KEY_BYTES;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(end);
  const key = cipher.open(nonce, idBytes(id), sealed.subarray(NONCE_BYTES, end), tag);
  cipher.clear();
  return key;
}

/** Over all parts in their order, each with its length. */
export function macOf(
  dataKey: Uint8Array,
  databaseId: Uint8Array,
  parts: readonly Uint8Array[],
): Uint8Array {
  const mac = createHmac('sha256', derive(dataKey, databaseId, MAC_INFO));
  const length = new Uint8Array(4);
  for (const part of parts) {
    writeU32(length, 0, part.length);
    mac.update(length).update(part);
  }
  return new Uint8Array(mac.digest());
}

/** Compares secrets in a time that tells nothing of where they differ. */
export function isEqualSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
