/**
 * Seals and opens the pages and extents of one keyspace.
 *
 * A page is sealed whole, but for its trailer, so that keys, values and pointers are covered alike;
 * it is opened once, when it enters the cache. What is sealed says where it stands: a page in
 * another's place does not open. The pointer's checksum is of the sealed bytes, so whoever has no
 * key still knows a page that was written whole.
 *
 *   offset  size  field of the trailer
 *        0    24  nonce   16 random bytes of the transaction, a counter of 8 bytes
 *       24    16  tag     Poly1305, of the page and what it is bound to
 *       40     8  which data key: epoch and salt
 *
 * XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03. Its key is derived (HKDF-SHA256, RFC 5869) from
 * the data key, for this keyspace alone. Bound to it are the database's id, the page's, and its
 * level, or EXTENT. The catalog's record of a keyspace is sealed likewise, bound to its name.
 */
import { hkdfSync } from 'node:crypto';
import { readU32, writeU32 } from '../bytes/integers.js';
import { XChaCha } from '../bytes/xchacha.js';
import { type PageId, toPageId } from '../ids.js';
import { PAGE_TRAILER_BYTES } from '../limits.js';
import type { DataKeyId, KeyArea } from '../memory/key-area.js';
import type { SharedMemory } from '../memory/shared-memory.js';
import type { Random } from '../system.js';
import { pageIdOf, pageLevel } from './page.js';

const NONCE_BYTES = 24;
const PREFIX_BYTES = 16;
const TAG = NONCE_BYTES;
const KEY_ID = TAG + 16;
const EXTENT = 255;
const RECORD = 254;
const KEYSPACE_INFO = 'mneme keyspace';
/** What is bound to a page: database id (16), page id (4), level (1). */
const BOUND_BYTES = 21;

/** Numbers that are used once: random for each transaction, counted within it. */
export class NonceSequence {
  readonly #random: Random;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Begins a transaction: a copy of the file that goes on elsewhere draws other ones. */
  renew(): void {
    this.#nonce.set(this.#random(PREFIX_BYTES));
    this.#count = 0;
  }

  next(): Uint8Array {
    this.#count++;
    writeU32(this.#nonce, PREFIX_BYTES, this.#count % 2 ** 32);
    writeU32(this.#nonce, PREFIX_BYTES + 4, Math.floor(this.#count / 2 ** 32));
    return this.#nonce.slice();
  }
}

/** What new pages are sealed with. */
export interface Sealing {
  readonly nonces: NonceSequence;
  readonly keyId: DataKeyId;
}

export class PageCipher {
  /** Of frames that hold pages of this keyspace, opened. */
  readonly mark: number;
  readonly #memory: SharedMemory;
  readonly #keys: KeyArea;
  readonly #keyspaceId: Uint8Array;
  readonly #bound = new Uint8Array(BOUND_BYTES);
  /** By epoch; a salt is another data key. */
  readonly #ciphers = new Map<number, { readonly salt: number; readonly cipher: XChaCha }>();

  /** @param keyspaceId - 16 random bytes. */
  constructor(memory: SharedMemory, keys: KeyArea, databaseId: Uint8Array, keyspaceId: Uint8Array) {
    this.#memory = memory;
    this.#keys = keys;
    this.#keyspaceId = keyspaceId;
    this.#bound.set(databaseId);
    this.mark = readU32(keyspaceId, 0) | 1;
  }

  /** Overwrites the keyspace's keys; they are derived anew when they are needed again. */
  clear(): void {
    for (const { cipher } of this.#ciphers.values()) cipher.clear();
    this.#ciphers.clear();
  }

  /** Undefined when nobody has unwrapped that data key. */
  #cipher({ epoch, salt }: DataKeyId): XChaCha | undefined {
    const known = this.#ciphers.get(epoch);
    if (known?.salt === salt) return known.cipher;
    const dataKey = this.#keys.dataKey({ epoch, salt });
    if (dataKey === undefined) return undefined;
    const info = Buffer.concat([Buffer.from(KEYSPACE_INFO), this.#keyspaceId]);
    const salted = this.#bound.subarray(0, PREFIX_BYTES);
    const key = new Uint8Array(hkdfSync('sha256', dataKey, salted, info, 32));
    dataKey.fill(0);
    const cipher = new XChaCha(key);
    key.fill(0);
    known?.cipher.clear();
    this.#ciphers.set(epoch, { salt, cipher });
    return cipher;
  }

  #sealingCipher(keyId: DataKeyId): XChaCha {
    const cipher = this.#cipher(keyId);
    if (cipher === undefined) throw new Error('the data key is known to whoever writes');
    return cipher;
  }

  #bind(pageId: PageId, kind: number): Uint8Array {
    writeU32(this.#bound, 16, pageId);
    this.#bound[20] = kind;
    return this.#bound;
  }

  #trailer(address: number): Uint8Array {
    const start = address + this.#memory.nodeBytes;
    return this.#memory.u8.slice(start, start + PAGE_TRAILER_BYTES);
  }

  /** Opens a page that was just read, in place. Returns what is wrong with it, if anything. */
  openPage(address: number, pageId: PageId, level: number): string | undefined {
    const { u8, nodeBytes } = this.#memory;
    const sealed = u8.subarray(address, address + nodeBytes);
    const plain = this.#open(sealed, this.#trailer(address), this.#bind(pageId, level));
    if (typeof plain === 'string') return plain;
    u8.set(plain, address);
    plain.fill(0);
    return undefined;
  }

  #open(sealed: Uint8Array, trailer: Uint8Array, bound: Uint8Array): Uint8Array | string {
    const cipher = this.#cipher({ epoch: readU32(trailer, 40), salt: readU32(trailer, 44) });
    if (cipher === undefined) return 'it is sealed with an unknown key';
    const nonce = trailer.subarray(0, NONCE_BYTES);
    const plain = cipher.open(nonce, bound, sealed, trailer.subarray(TAG, KEY_ID));
    return plain ?? 'its seal is broken';
  }

  /** Gives a node its trailer, and writes its sealed bytes, a whole page, to `target`. */
  sealPage(address: number, { nonces, keyId }: Sealing, target: number): void {
    const { u8, nodeBytes } = this.#memory;
    const trailer = newTrailer(nonces, keyId);
    const { bytes, tag } = this.#seal(address, trailer, this.#sealingCipher(keyId));
    trailer.set(tag, TAG);
    u8.set(trailer, address + nodeBytes);
    u8.set(bytes, target);
    u8.set(trailer, target + nodeBytes);
  }

  #seal(address: number, trailer: Uint8Array, cipher: XChaCha) {
    const { u8, nodeBytes } = this.#memory;
    const pageId = toPageId(pageIdOf(this.#memory, address));
    const bound = this.#bind(pageId, pageLevel(this.#memory, address));
    const nonce = trailer.subarray(0, NONCE_BYTES);
    return cipher.seal(nonce, bound, u8.subarray(address, address + nodeBytes));
  }

  /** The bytes, a whole page, that a node was sealed to when it was given its trailer. */
  sealedPage(address: number): Buffer {
    const trailer = this.#trailer(address);
    const keyId = { epoch: readU32(trailer, KEY_ID), salt: readU32(trailer, KEY_ID + 4) };
    const { bytes } = this.#seal(address, trailer, this.#sealingCipher(keyId));
    return Buffer.concat([bytes, trailer]);
  }

  /** The epoch of a node's data key; 0 for one that was not sealed yet. */
  epochOf(address: number): number {
    return readU32(this.#memory.u8, address + this.#memory.nodeBytes + KEY_ID);
  }

  /** An extent's sealed bytes, PAGE_TRAILER_BYTES more than are given. */
  sealExtent(plain: Uint8Array, pageId: PageId, sealing: Sealing): Buffer {
    return this.#sealBytes(plain, this.#bind(pageId, EXTENT), sealing);
  }

  /** Opens what `sealExtent` made; a string says what is wrong with it. */
  openExtent(sealed: Uint8Array, pageId: PageId): Uint8Array | string {
    return this.#openBytes(sealed, this.#bind(pageId, EXTENT));
  }

  /** The catalog's record of the keyspace, PAGE_TRAILER_BYTES longer; bound to its key there. */
  sealRecord(plain: Uint8Array, catalogKey: Uint8Array, sealing: Sealing): Buffer {
    return this.#sealBytes(plain, this.#bindRecord(catalogKey), sealing);
  }

  /** Opens what `sealRecord` made; a string says what is wrong with it. */
  openRecord(sealed: Uint8Array, catalogKey: Uint8Array): Uint8Array | string {
    return this.#openBytes(sealed, this.#bindRecord(catalogKey));
  }

  #bindRecord(catalogKey: Uint8Array): Uint8Array {
    return Buffer.concat([this.#bind(toPageId(0), RECORD), catalogKey]);
  }

  #sealBytes(plain: Uint8Array, bound: Uint8Array, { nonces, keyId }: Sealing): Buffer {
    const trailer = newTrailer(nonces, keyId);
    const nonce = trailer.subarray(0, NONCE_BYTES);
    const { bytes, tag } = this.#sealingCipher(keyId).seal(nonce, bound, plain);
    trailer.set(tag, TAG);
    return Buffer.concat([bytes, trailer]);
  }

  #openBytes(sealed: Uint8Array, bound: Uint8Array): Uint8Array | string {
    const end = sealed.length - PAGE_TRAILER_BYTES;
    return this.#open(sealed.subarray(0, end), sealed.subarray(end), bound);
  }
}

/** Which data key was used for what ends with a trailer. */
export function keyIdOf(sealed: Uint8Array): DataKeyId {
  const at = sealed.length - PAGE_TRAILER_BYTES + KEY_ID;
  return { epoch: readU32(sealed, at), salt: readU32(sealed, at + 4) };
}

function newTrailer(nonces: NonceSequence, { epoch, salt }: DataKeyId): Uint8Array {
  const trailer = new Uint8Array(PAGE_TRAILER_BYTES);
  trailer.set(nonces.next());
  writeU32(trailer, KEY_ID, epoch);
  writeU32(trailer, KEY_ID + 4, salt);
  return trailer;
}
