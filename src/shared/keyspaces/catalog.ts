/**
 * The catalog tree: keyspace name -> its settings and the roots of its trees.
 *
 *   key                       record
 *   0x00, sequence (6 bytes)  a subtree of a dropped keyspace that is still to be freed
 *   0x01, name                a keyspace; sealed when it is encrypted (sealed-record.ts)
 *   0x02, …                   the key ring (key-ring.ts)
 *   0x03, sequence (6 bytes)  a subtree as under 0x00, of an encrypted keyspace
 *
 *   offset  size  field of a keyspace record
 *        0     1  kind            1 values, 2 full text
 *        1     1  keys            0 text, 1 bytes
 *        2     1  encrypted       0; 1 in an opened record, which has its keyspace's id at 26
 *        3     1  treeCount       trees that are not empty
 *        4     6  overflowPages   pages in overflow extents of values
 *       10     6  elementPages    pages in overflow extents of list elements
 *       16     6  lastId          the highest id that a sorted set or list was given
 *       22     4  dimension       of its vectors, 0 before the first
 *     then        settings and counters of full text (text-state.ts), if the kind says so
 *     then    33  each tree
 *
 *   offset  size  field of a dropped subtree
 *        0    12  page id and checksum of its root
 *       12     1  level
 *       13     1  1 when its values may lie in extents
 *       14    16  the id of the keyspace, of an encrypted one
 *
 *   offset  size  field of a tree
 *        0     1  role            its place in TREES, from 1
 *        1     1  level           of the root
 *        2     4  page id of the root
 *        6     8  its checksum
 *       14     6  count           entries
 *       20     6  leafPages
 *       26     6  branchPages
 *       32     1  reserved
 */
import { readI32, readU32, readU48, writeU32, writeU48 } from '../bytes/integers.js';
import { MnemeError } from '../errors.js';
import { type PageId, type PagePointer, toPageId } from '../ids.js';
import {
  KEYSPACE_NAME_BYTES_MAX,
  TREE_KEY_BYTES_MAX,
  VECTOR_COUNT_MAX,
  VECTOR_DIMENSION_MAX,
} from '../limits.js';
import type { SharedMemory } from '../memory/shared-memory.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import { Cursor } from '../tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../tree/node.js';
import { stepIndex, walkToLeaf } from '../tree/walk.js';
import { isCommittedRoot, newTree, type Tree, type TreeRoot } from '../tree-root.js';
import { KEYSPACE_ID_BYTES, KIND_SEALED, openRecord } from './sealed-record.js';
import {
  copyTextState,
  decodeTextState,
  encodeTextState,
  TEXT_STATE_BYTES_MAX,
  type TextState,
  textStateLength,
  withoutNextIndex,
} from './text-state.js';

export const DROPPED_KEY = 0;
export const KEYSPACE_KEY = 1;
export const DROPPED_SEALED_KEY = 3;
const KIND_VALUES = 1;
const KIND_TEXT = 2;
const RECORD_HEADER_BYTES = 26;
const TREE_BYTES = 33;

/**
 * The trees of a keyspace, in the order of their roles: values (values.ts), expiry index
 * (expiry.ts), names of sorted sets and lists (collection-names.ts), the two directions of sorted
 * sets (sorted-set.ts), elements of lists (list.ts), four for vectors (vector.ts), and those of
 * full text (fulltext.ts), of the index that serves and of the one that is being built.
 */
export const TREES = [
  'values',
  'expiry',
  'names',
  'members',
  'ranks',
  'elements',
  'vectorSlots',
  'vectorKeys',
  'codes',
  'originals',
  'numbers',
  'terms',
  'postings',
  'forwards',
  'pending',
  'nextTerms',
  'nextPostings',
  'nextForwards',
  'nextPending',
] as const;
export type TreeName = (typeof TREES)[number];
/** No keyspace has them all: one of full text has none of the others but its values. */
export const RECORD_BYTES_MAX =
  RECORD_HEADER_BYTES + KEYSPACE_ID_BYTES + TEXT_STATE_BYTES_MAX + TREES.length * TREE_BYTES;

export type KeysKind = 'text' | 'bytes';

/** What the catalog holds of a keyspace. */
export interface KeyspaceRecord extends Record<TreeName, Tree> {
  keys: KeysKind;
  /** Of an encrypted keyspace; undefined for a plain one. */
  keyspaceId: Uint8Array | undefined;
  /** Pages in overflow extents, of values and of list elements. */
  overflowPages: number;
  elementPages: number;
  /** The highest id that a sorted set or list was given; none is given twice. */
  lastId: number;
  /** Of its vectors; 0 before the first. */
  dimension: number;
  /** Undefined in a keyspace of values. */
  text: TextState | undefined;
}

export function newKeyspaceRecord(keys: KeysKind, keyspaceId?: Uint8Array): KeyspaceRecord {
  return {
    keys,
    keyspaceId,
    overflowPages: 0,
    elementPages: 0,
    lastId: 0,
    dimension: 0,
    text: undefined,
    values: newTree(),
    expiry: newTree(),
    names: newTree(),
    members: newTree(),
    ranks: newTree(),
    elements: newTree(),
    vectorSlots: newTree(),
    vectorKeys: newTree(),
    codes: newTree(),
    originals: newTree(),
    numbers: newTree(),
    terms: newTree(),
    postings: newTree(),
    forwards: newTree(),
    pending: newTree(),
    nextTerms: newTree(),
    nextPostings: newTree(),
    nextForwards: newTree(),
    nextPending: newTree(),
  };
}

/** The trees of a keyspace, in the order of their roles. */
export function treesOf(record: KeyspaceRecord): readonly Tree[] {
  return TREES.map((name) => record[name]);
}

/** A copy whose roots stay as they are while the original's move on. */
export function copyRecord(record: KeyspaceRecord): KeyspaceRecord {
  const copy = { ...record };
  for (const name of TREES) copy[name] = { ...record[name] };
  const { text } = record;
  if (text !== undefined) {
    copy.text = copyTextState(text);
  }
  return copy;
}

/**
 * What a copy of a keyspace in another file begins with: its settings and counters, no trees yet.
 *
 * An index that is being built stays behind: nobody goes on with it there, the one that serves does
 * not need it, and whoever builds one begins anew.
 */
export function recordForCopy(record: Readonly<KeyspaceRecord>): KeyspaceRecord {
  const { keys, lastId, dimension, text } = record;
  const copy = { ...newKeyspaceRecord(keys), lastId, dimension };
  if (text !== undefined) copy.text = withoutNextIndex(text);
  return copy;
}

/** The trees of such a copy, by their places in `treesOf`. */
export function treesForCopy(record: KeyspaceRecord): ReadonlyMap<number, Tree> {
  const trees = TREES.map((name, place) => [place, record[name], name] as const);
  const copied = trees.filter(([, tree, name]) => tree.level >= 0 && !name.startsWith('next'));
  return new Map(copied.map(([place, tree]) => [place, tree]));
}

/** The catalog key of a keyspace. */
export function catalogKey(name: Uint8Array): Uint8Array {
  const key = new Uint8Array(name.length + 1);
  key[0] = KEYSPACE_KEY;
  key.set(name, 1);
  return key;
}

/** Writes a record; returns its length. */
export function encodeKeyspace(record: KeyspaceRecord, target: Uint8Array, offset: number): number {
  const trees = treesOf(record);
  target[offset] = record.text === undefined ? KIND_VALUES : KIND_TEXT;
  target[offset + 1] = record.keys === 'bytes' ? 1 : 0;
  target[offset + 2] = record.keyspaceId === undefined ? 0 : 1;
  writeU48(target, offset + 4, record.overflowPages);
  writeU48(target, offset + 10, record.elementPages);
  writeU48(target, offset + 16, record.lastId);
  writeU32(target, offset + 22, record.dimension);
  let length = RECORD_HEADER_BYTES;
  if (record.keyspaceId !== undefined) {
    target.set(record.keyspaceId, offset + length);
    length += KEYSPACE_ID_BYTES;
  }
  if (record.text !== undefined) length += encodeTextState(record.text, target, offset + length);
  let treeCount = 0;
  trees.forEach((tree, index) => {
    if (tree.level < 0) return;
    encodeTree(tree, index + 1, target, offset + length);
    length += TREE_BYTES;
    treeCount++;
  });
  target[offset + 3] = treeCount;
  return length;
}

function encodeTree(tree: Tree, role: number, target: Uint8Array, at: number): void {
  target[at] = role;
  target[at + 1] = tree.level;
  writeU32(target, at + 2, tree.pageId);
  writeU32(target, at + 6, tree.low);
  writeU32(target, at + 10, tree.high);
  writeU48(target, at + 14, tree.count);
  writeU48(target, at + 20, tree.leafPages);
  writeU48(target, at + 26, tree.branchPages);
  target[at + 32] = 0;
}

function decodeTree(bytes: Uint8Array, at: number): Tree {
  return {
    level: bytes[at + 1] as number,
    pageId: toPageId(readU32(bytes, at + 2)),
    low: readI32(bytes, at + 6),
    high: readI32(bytes, at + 10),
    count: readU48(bytes, at + 14),
    leafPages: readU48(bytes, at + 20),
    branchPages: readU48(bytes, at + 26),
  };
}

/** @throws {MnemeError} `ERR_MNEME_CORRUPT` when no version of MNEME writes such a record. */
export function decodeKeyspace(bytes: Uint8Array, offset: number, length: number): KeyspaceRecord {
  const treeCount = bytes[offset + 3] as number;
  const kind = bytes[offset];
  const isEncrypted = bytes[offset + 2] === 1;
  const textAt = RECORD_HEADER_BYTES + (isEncrypted ? KEYSPACE_ID_BYTES : 0);
  const treesAt = textAt + (kind === KIND_TEXT ? textStateLength(bytes, offset + textAt) : 0);
  const isKnown = kind === KIND_VALUES || kind === KIND_TEXT;
  if (!isKnown || length !== treesAt + treeCount * TREE_BYTES) {
    throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'unknown keyspace record' });
  }
  const record = newKeyspaceRecord(bytes[offset + 1] === 1 ? 'bytes' : 'text');
  if (isEncrypted) {
    record.keyspaceId = bytes.slice(offset + RECORD_HEADER_BYTES, offset + textAt);
  }
  record.overflowPages = readU48(bytes, offset + 4);
  record.elementPages = readU48(bytes, offset + 10);
  record.lastId = readU48(bytes, offset + 16);
  record.dimension = readU32(bytes, offset + 22);
  if (kind === KIND_TEXT) record.text = decodeTextState(bytes, offset + textAt);
  for (let index = 0; index < treeCount; index++) {
    const at = offset + treesAt + index * TREE_BYTES;
    const name = TREES[(bytes[at] as number) - 1];
    if (name === undefined) {
      throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'unknown tree of a keyspace' });
    }
    record[name] = decodeTree(bytes, at);
  }
  const { dimension, vectorSlots } = record;
  if (dimension > VECTOR_DIMENSION_MAX || (dimension === 0 && vectorSlots.level >= 0)) {
    throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'vectors have no such dimension' });
  }
  if (vectorSlots.count > VECTOR_COUNT_MAX) {
    throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'there cannot be so many vectors' });
  }
  return record;
}

const DROPPED_BYTES = 14;

/** A subtree of a dropped keyspace, still to be freed. */
export interface DroppedTree extends PagePointer {
  readonly level: number;
  readonly hasExtents: boolean;
  /** Of an encrypted keyspace. */
  readonly keyspaceId: Uint8Array | undefined;
}

export function encodeDropped(tree: DroppedTree): Uint8Array {
  const { keyspaceId } = tree;
  const bytes = new Uint8Array(DROPPED_BYTES + (keyspaceId?.length ?? 0));
  writeU32(bytes, 0, tree.pageId);
  writeU32(bytes, 4, tree.low);
  writeU32(bytes, 8, tree.high);
  bytes[12] = tree.level;
  bytes[13] = tree.hasExtents ? 1 : 0;
  if (keyspaceId !== undefined) bytes.set(keyspaceId, DROPPED_BYTES);
  return bytes;
}

/** @throws {MnemeError} `ERR_MNEME_CORRUPT` when no version of MNEME writes such a record. */
export function decodeDropped(bytes: Uint8Array, offset: number, length: number): DroppedTree {
  const isSealed = length > DROPPED_BYTES;
  const tree = {
    pageId: toPageId(readU32(bytes, offset)),
    low: readI32(bytes, offset + 4),
    high: readI32(bytes, offset + 8),
    level: bytes[offset + 12] as number,
    hasExtents: bytes[offset + 13] === 1,
    keyspaceId: isSealed ? bytes.slice(offset + DROPPED_BYTES, offset + length) : undefined,
  };
  const isWhole = length === DROPPED_BYTES + (isSealed ? KEYSPACE_ID_BYTES : 0);
  if (isWhole && isCommittedRoot({ ...tree, count: 1 })) return tree;
  throw noSuchRoot(tree.pageId);
}

function noSuchRoot(page: PageId): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { page, reason: 'no tree has this root' });
}

/** A keyspace's record as it stands in the catalog. */
function storedAt(memory: SharedMemory, leaf: number, index: number): Uint8Array {
  const address = valueAddress(memory, leaf, index);
  return memory.u8.subarray(address, address + valueLength(memory, leaf, index));
}

function recordOf(stored: Uint8Array): KeyspaceRecord {
  const record = decodeKeyspace(stored, 0, stored.length);
  for (const tree of treesOf(record)) if (!isCommittedRoot(tree)) throw noSuchRoot(tree.pageId);
  return record;
}

/**
 * Reads a keyspace's record; undefined when there is no such keyspace.
 * @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED` or `ERR_MNEME_KEY_NOT_AUTHORIZED` when it is
 * encrypted and cannot be opened.
 */
export function readKeyspace(
  source: PageSource,
  catalog: Readonly<TreeRoot>,
  key: Uint8Array,
): KeyspaceRecord | undefined {
  const { memory, walk } = source;
  const start = source.placeKey(key);
  const leaf = walkToLeaf(source, walk, catalog, start, start + key.length);
  const index = leaf === 0 ? -1 : stepIndex(memory, walk, 0);
  if (index < 0) return undefined;
  const stored = storedAt(memory, leaf, index);
  if (stored[0] !== KIND_SEALED) return plainRecord(recordOf(stored));
  // Its page may leave the cache while the ring is read.
  const record = recordOf(openRecord(source, catalog, key, stored.slice()));
  if (record.keyspaceId !== undefined) return record;
  throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'a sealed record of a plain keyspace' });
}

function plainRecord(record: KeyspaceRecord): KeyspaceRecord {
  if (record.keyspaceId === undefined) return record;
  throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'a plain record of an encrypted keyspace' });
}

/** Names of all keyspaces, by their bytes. */
export function keyspaceNames(source: PageSource, catalog: Readonly<TreeRoot>): string[] {
  const found: string[] = [];
  const { memory } = source;
  const cursor = new Cursor(source, catalog);
  const key = Buffer.alloc(TREE_KEY_BYTES_MAX);
  if (!cursor.seekKey(Uint8Array.of(KEYSPACE_KEY))) return found;
  let first = cursor.index;
  do {
    const leaf = cursor.leaf();
    for (let index = first; index < entryCount(memory, leaf); index++) {
      const length = copyKey(memory, leaf, index, key, 0);
      if (key[0] !== KEYSPACE_KEY || length - 1 > KEYSPACE_NAME_BYTES_MAX) continue;
      found.push(key.toString('utf8', 1, length));
    }
    first = 0;
  } while (cursor.moveLeaf(1));
  return found;
}

export interface NamedKeyspace {
  readonly name: string;
  readonly record: KeyspaceRecord;
}

/** All keyspaces, by rising name bytes. @throws as `readKeyspace` */
export function listKeyspaces(source: PageSource, catalog: Readonly<TreeRoot>): NamedKeyspace[] {
  return keyspaceNames(source, catalog).flatMap((name) => {
    const record = readKeyspace(source, catalog, catalogKey(Buffer.from(name)));
    return record === undefined ? [] : [{ name, record }];
  });
}
