/**
 * The names of a keyspace's sorted sets and lists. Each has an id, so that no key of theirs carries
 * the name again; none is given twice. What is empty has no name.
 *
 *   offset  size  field of a key
 *        0     1  type            1 sorted set, 2 list
 *        1        name
 *
 *   offset  size  field of a record
 *        0     8  id
 *        8     8  head            lists only: position of the first element
 *       16     8  tail            lists only: position behind the last one
 *
 * Numbers are written as in ordered-key.ts.
 */
import { ORDERED_BYTES, readOrderedId, readOrderedInteger } from '../bytes/ordered-key.js';
import { MnemeError } from '../errors.js';
import type { PageSource } from '../pages/page-source.js';
import { rankOf } from '../tree/cursor.js';
import type { TreeRoot } from '../tree-root.js';
import type { KeyspaceRecord } from './catalog.js';
import { findRecord } from './values.js';

export const SORTED_SET = 1;
export const LIST = 2;
export const SORTED_SET_NAME_BYTES = ORDERED_BYTES;
export const LIST_NAME_BYTES = 3 * ORDERED_BYTES;

/** Where a list's elements stand: at the positions `head <= position < tail`. */
export interface ListPlace {
  readonly id: number;
  readonly head: number;
  readonly tail: number;
}

/** The key of a name in the tree of names. */
export function nameKey(type: number, name: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + name.length);
  key[0] = type;
  key.set(name, 1);
  return key;
}

function damaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: 'no sorted set or list is like this' });
}

/** The id in a sorted set's record. @throws {MnemeError} `ERR_MNEME_CORRUPT` */
export function decodeSortedSet(bytes: Uint8Array, offset: number, length: number): number {
  if (length !== SORTED_SET_NAME_BYTES) throw damaged();
  return readOrderedId(bytes, offset);
}

/** @throws {MnemeError} `ERR_MNEME_CORRUPT` */
export function decodeList(bytes: Uint8Array, offset: number, length: number): ListPlace {
  if (length !== LIST_NAME_BYTES) throw damaged();
  const head = readOrderedInteger(bytes, offset + ORDERED_BYTES);
  const tail = readOrderedInteger(bytes, offset + 2 * ORDERED_BYTES);
  if (!(head < tail)) throw damaged();
  return { id: readOrderedId(bytes, offset), head, tail };
}

function findName(source: PageSource, names: Readonly<TreeRoot>, key: Uint8Array) {
  const start = source.placeKey(key);
  return findRecord(source, names, start, start + key.length);
}

/** The id of a sorted set, 0 when there is none. */
export function findSortedSet(
  source: PageSource,
  names: Readonly<TreeRoot>,
  key: Uint8Array,
): number {
  const place = findName(source, names, key);
  if (place === undefined) return 0;
  return decodeSortedSet(source.memory.u8, place.address, place.length);
}

export function findList(
  source: PageSource,
  names: Readonly<TreeRoot>,
  key: Uint8Array,
): ListPlace | undefined {
  const place = findName(source, names, key);
  if (place === undefined) return undefined;
  return decodeList(source.memory.u8, place.address, place.length);
}

/** How many sorted sets and lists a keyspace has. */
export function collectionCounts(source: PageSource, { names }: KeyspaceRecord) {
  const sortedSets = rankOf(source, names, Uint8Array.of(LIST));
  return { sortedSets, lists: names.count - sortedSets };
}
