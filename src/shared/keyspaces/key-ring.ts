/**
 * The key ring: data keys of a database and who may unwrap them, as entries of the catalog.
 *
 *   key                          record
 *   0x02, 0x00                   head: epoch and salt of the newest data key (8), its commitment
 *                                (32), MAC (32) over all of these entries
 *   0x02, 0x01, fingerprint      slot: Ed25519 public key (32), the newest data key wrapped for it
 *   0x02, 0x02, epoch, salt      an older data key, sealed with the newest; epoch is big-endian
 *
 * Entries of the catalog are copied on write like all others, so a key comes and goes with a commit
 * and whoever reads an older state finds the ring of that state. pages/key-slots.ts says how keys
 * are wrapped.
 */
import { readU32, writeU32 } from '../bytes/integers.js';
import { MnemeError } from '../errors.js';
import type { DataKeyId, Identity, KeyArea } from '../memory/key-area.js';
import {
  commitmentOf,
  fingerprintOf,
  isEqualSecret,
  macOf,
  OLDER_BYTES,
  openOlderKey,
  unwrapDataKey,
  WRAPPED_BYTES,
} from '../pages/key-slots.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import { Cursor } from '../tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../tree/node.js';
import { stepIndex, walkToLeaf } from '../tree/walk.js';
import type { TreeRoot } from '../tree-root.js';

export const KEY_RING_KEY = 2;
const HEAD = 0;
const SLOT = 1;
const OLDER = 2;
const ID_BYTES = 8;
const SECRET_BYTES = 32;
const HEAD_BYTES = ID_BYTES + 2 * SECRET_BYTES;
const SLOT_BYTES = SECRET_BYTES + WRAPPED_BYTES;
const LONGEST_KEY = 2 + SECRET_BYTES;

/** An entry of the catalog. */
export interface RingEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What one identity needs to unwrap the newest data key. */
export interface KeySlot {
  readonly publicKey: Uint8Array;
  readonly wrapped: Uint8Array;
}

export interface SealedKey {
  readonly id: DataKeyId;
  readonly sealed: Uint8Array;
}

/** A ring as it stands in the file, whatever it is worth. */
export interface StoredRing {
  readonly newest: DataKeyId;
  readonly commitment: Uint8Array;
  readonly mac: Uint8Array;
  /** By rising fingerprints. */
  readonly slots: readonly KeySlot[];
  /** By rising epochs. */
  readonly older: readonly SealedKey[];
}

export interface DataKey {
  readonly id: DataKeyId;
  readonly key: Uint8Array;
}

/** A ring whose secrets are known, newest key first. */
export interface OpenRing {
  readonly keys: readonly [DataKey, ...DataKey[]];
  /** Public keys of those who may open it. */
  readonly recipients: readonly Uint8Array[];
}

function damaged(reason: string): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: `key ring: ${reason}` });
}

/** All entries of the ring in a state of the catalog, in their order. */
export function ringEntries(source: PageSource, catalog: Readonly<TreeRoot>): RingEntry[] {
  const entries: RingEntry[] = [];
  const { memory } = source;
  const cursor = new Cursor(source, catalog);
  if (!cursor.seekKey(Uint8Array.of(KEY_RING_KEY))) return entries;
  let first = cursor.index;
  do {
    const leaf = cursor.leaf();
    for (let index = first; index < entryCount(memory, leaf); index++) {
      const key = Buffer.alloc(1040);
      const length = copyKey(memory, leaf, index, key, 0);
      if (key[0] !== KEY_RING_KEY) return entries;
      if (length > LONGEST_KEY) throw damaged('unknown entry');
      const at = valueAddress(memory, leaf, index);
      const value = memory.u8.slice(at, at + valueLength(memory, leaf, index));
      entries.push({ key: key.subarray(0, length), value });
    }
    first = 0;
  } while (cursor.moveLeaf(1));
  return entries;
}

function idAt(bytes: Uint8Array, offset: number): DataKeyId {
  return { epoch: readU32(bytes, offset), salt: readU32(bytes, offset + 4) };
}

/** The head of the ring as it stands in a state of the catalog; undefined where there is none. */
export function ringHead(source: PageSource, catalog: Readonly<TreeRoot>): Uint8Array | undefined {
  const { memory, walk } = source;
  const start = source.placeKey(Uint8Array.of(KEY_RING_KEY, HEAD));
  const leaf = walkToLeaf(source, walk, catalog, start, start + 2);
  const index = leaf === 0 ? -1 : stepIndex(memory, walk, 0);
  if (index < 0) return undefined;
  const at = valueAddress(memory, leaf, index);
  return memory.u8.slice(at, at + valueLength(memory, leaf, index));
}

/** The ring of a state, undefined where nothing was ever encrypted. */
export function storedRing(
  source: PageSource,
  catalog: Readonly<TreeRoot>,
): StoredRing | undefined {
  const entries = ringEntries(source, catalog);
  const head = entries[0];
  if (head === undefined) return undefined;
  if (head.key[1] !== HEAD || head.value.length !== HEAD_BYTES) throw damaged('it has no head');
  const [slots, older]: [KeySlot[], SealedKey[]] = [[], []];
  for (const { key, value } of entries.slice(1)) {
    if (key[1] === SLOT && value.length === SLOT_BYTES) {
      const publicKey = value.subarray(0, SECRET_BYTES);
      slots.push({ publicKey, wrapped: value.subarray(SECRET_BYTES) });
    } else if (key[1] === OLDER && value.length === OLDER_BYTES) {
      older.push({ id: olderId(key), sealed: value });
    } else throw damaged('unknown entry');
  }
  const { value } = head;
  const commitment = value.subarray(ID_BYTES, ID_BYTES + SECRET_BYTES);
  const mac = value.subarray(ID_BYTES + SECRET_BYTES);
  return { newest: idAt(value, 0), commitment, mac, slots, older };
}

function olderId(key: Uint8Array): DataKeyId {
  const epoch = Buffer.from(key.buffer, key.byteOffset).readUInt32BE(2);
  return { epoch, salt: readU32(key, 6) };
}

/** The entries of a ring, but for the MAC in the head, which is over all of them. */
export function encodeRing(ring: Omit<StoredRing, 'mac'>): RingEntry[] {
  const head = new Uint8Array(HEAD_BYTES);
  writeU32(head, 0, ring.newest.epoch);
  writeU32(head, 4, ring.newest.salt);
  head.set(ring.commitment, ID_BYTES);
  const slots = ring.slots.map(({ publicKey, wrapped }) => ({
    key: Buffer.concat([Uint8Array.of(KEY_RING_KEY, SLOT), fingerprintOf(publicKey)]),
    value: Buffer.concat([publicKey, wrapped]),
  }));
  const older = ring.older.map(({ id, sealed }) => {
    const key = Buffer.alloc(2 + ID_BYTES);
    key[0] = KEY_RING_KEY;
    key[1] = OLDER;
    key.writeUInt32BE(id.epoch, 2);
    key.writeUInt32LE(id.salt, 6);
    return { key, value: sealed };
  });
  const rest = [...slots, ...older].sort((a, b) => Buffer.compare(a.key, b.key));
  return [{ key: Uint8Array.of(KEY_RING_KEY, HEAD), value: head }, ...rest];
}

/** Where the MAC stands in the head's record. */
export const MAC_OFFSET = ID_BYTES + SECRET_BYTES;

function ringMac(dataKey: Uint8Array, databaseId: Uint8Array, ring: StoredRing): Uint8Array {
  return macOfEntries(dataKey, databaseId, encodeRing(ring));
}

/** The MAC over the entries of a ring, the head's own place for it being zero. */
export function macOfEntries(
  dataKey: Uint8Array,
  databaseId: Uint8Array,
  entries: readonly RingEntry[],
): Uint8Array {
  return macOf(
    dataKey,
    databaseId,
    entries.flatMap(({ key, value }) => [key, value]),
  );
}

/**
 * Unwraps the keys of a ring.
 * @throws {MnemeError} `ERR_MNEME_KEY_NOT_AUTHORIZED` when no slot is the identity's,
 * `ERR_MNEME_CORRUPT` when something of it is not as it was written.
 */
export function unlockRing(ring: StoredRing, identity: Identity, databaseId: Uint8Array): OpenRing {
  const fingerprint = Buffer.from(fingerprintOf(identity.publicKey)).toString('hex');
  const slot = ring.slots.find(
    ({ publicKey }) => Buffer.compare(publicKey, identity.publicKey) === 0,
  );
  if (slot === undefined) throw new MnemeError('ERR_MNEME_KEY_NOT_AUTHORIZED', { fingerprint });
  const key = unwrapDataKey(slot.wrapped, ring.newest, databaseId, identity);
  if (key === undefined) throw damaged('a slot does not open');
  if (!isEqualSecret(commitmentOf(key, databaseId), ring.commitment)) {
    throw damaged('the data key is not the one that was committed to');
  }
  if (!isEqualSecret(ringMac(key, databaseId, ring), ring.mac)) throw damaged('it was changed');
  const older = ring.older.map(({ id, sealed }) => {
    const opened = openOlderKey(sealed, id, key, databaseId);
    if (opened === undefined) throw damaged('an older key does not open');
    return { id, key: opened };
  });
  const recipients = ring.slots.map(({ publicKey }) => publicKey);
  return { keys: [{ id: ring.newest, key }, ...older], recipients };
}

/** The ring of a state, unlocked by who opened the database; undefined where there is none. */
export function openRing(source: PageSource, catalog: Readonly<TreeRoot>): OpenRing | undefined {
  const stored = storedRing(source, catalog);
  if (stored === undefined) return undefined;
  const identity = source.keys.identity();
  if (identity === undefined) throw new MnemeError('ERR_MNEME_KEY_REQUIRED', {});
  try {
    return unlockRing(stored, identity, source.databaseId);
  } finally {
    identity.x25519Secret.fill(0);
  }
}

/** Lets all threads have the data keys of a ring, and forgets them here. */
export function shareKeys({ keys }: OpenRing, area: KeyArea): void {
  for (const { id, key } of keys) {
    area.addDataKey(id, key);
    key.fill(0);
  }
}

/** Makes a data key known that a state's pages are sealed with, and all others of its ring. */
export function learnDataKey(source: PageSource, catalog: Readonly<TreeRoot>, id: DataKeyId): void {
  if (source.keys.dataKey(id)?.fill(0) !== undefined) return;
  const ring = openRing(source, catalog);
  if (ring === undefined) throw damaged('it is missing');
  shareKeys(ring, source.keys);
}
