/**
 * The catalog's record of an encrypted keyspace: roots, counts and settings, sealed.
 *
 *   offset  size  field
 *        0     1  kind         3 sealed
 *        1     3  reserved     zero
 *        4    16  keyspaceId   random; the keyspace's key is derived for it
 *       20        the record (catalog.ts), sealed for the keyspace under its name, and a trailer
 *                 (pages/page-cipher.ts)
 */
import { MnemeError } from '../errors.js';
import { PAGE_TRAILER_BYTES } from '../limits.js';
import { keyIdOf, type PageCipher, type Sealing } from '../pages/page-cipher.js';
import type { PageSource } from '../pages/page-source.js';
import type { TreeRoot } from '../tree-root.js';
import { learnDataKey } from './key-ring.js';

export const KIND_SEALED = 3;
export const KEYSPACE_ID_BYTES = 16;
const ID = 4;
const SEALED = ID + KEYSPACE_ID_BYTES;
/** What a sealed record has more than a plain one. */
export const SEALED_RECORD_BYTES = SEALED + PAGE_TRAILER_BYTES;

function damaged(reason: string): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: `sealed keyspace record: ${reason}` });
}

export function sealRecord(
  cipher: PageCipher,
  keyspaceId: Uint8Array,
  catalogKey: Uint8Array,
  record: Uint8Array,
  sealing: Sealing,
): Uint8Array {
  const sealed = cipher.sealRecord(record, catalogKey, sealing);
  const stored = new Uint8Array(SEALED + sealed.length);
  stored[0] = KIND_SEALED;
  stored.set(keyspaceId, ID);
  stored.set(sealed, SEALED);
  return stored;
}

/** For which keyspace a record is sealed; undefined for a plain one. */
export function sealedFor(stored: Uint8Array): Uint8Array | undefined {
  return stored[0] === KIND_SEALED ? stored.slice(ID, SEALED) : undefined;
}

/**
 * The record's plain bytes. A data key that nobody has unwrapped yet is looked for in the ring of
 * the same state: a record is sealed with each commit that changes the keyspace, so no page of it
 * is newer.
 * @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED`, `ERR_MNEME_KEY_NOT_AUTHORIZED`,
 * `ERR_MNEME_CORRUPT`.
 */
export function openRecord(
  source: PageSource,
  catalog: Readonly<TreeRoot>,
  catalogKey: Uint8Array,
  stored: Uint8Array,
): Uint8Array {
  if (stored.length < SEALED_RECORD_BYTES) throw damaged('it is too short');
  if (stored.subarray(1, ID).some((byte) => byte !== 0)) throw damaged('unknown flags');
  learnDataKey(source, catalog, keyIdOf(stored));
  const { cipher } = source.of({ keyspaceId: sealedFor(stored) });
  const record = cipher?.openRecord(stored.subarray(SEALED), catalogKey);
  if (record === undefined || typeof record === 'string') throw damaged(record ?? 'it is plain');
  return record;
}
