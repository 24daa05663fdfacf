/**
 * Sorted sets: all of a keyspace's in two trees, which say the same in two orders.
 *
 *   members                                     ranks
 *   offset  size  field of a key                offset  size  field of a key
 *        0     8  id of the set                      0     8  id of the set
 *        8        member                             8     8  score (ordered-key.ts)
 *                                                   16        member
 *   offset  size  field of a record             no record
 *        0     8  score, a double
 *
 * Scores are neither NaN nor -0. A set's members lie together in both trees, so its size and the
 * rank of a member are differences of ranks in a counted tree: O(log n).
 */
import { readF64 } from '../bytes/integers.js';
import {
  ORDERED_BYTES,
  readOrderedDouble,
  writeOrderedDouble,
  writeOrderedId,
} from '../bytes/ordered-key.js';
import { utf8Text } from '../bytes/text.js';
import { MnemeError } from '../errors.js';
import { TREE_KEY_BYTES_MAX } from '../limits.js';
import { SCRATCH_BYTES } from '../memory/shared-memory.js';
import type { PageSource } from '../pages/page-source.js';
import { rankOf } from '../tree/cursor.js';
import type { RankRun } from '../tree/rank-walk.js';
import type { KeyspaceRecord } from './catalog.js';
import { findRecord } from './values.js';

export const MEMBER_OFFSET = ORDERED_BYTES;
export const RANK_MEMBER_OFFSET = 2 * ORDERED_BYTES;
export const SCORE_BYTES = 8;

/** A member with its score. */
export interface SortedSetEntry {
  score: number;
  member: string;
}

/** The ranks of a set's members among all of the keyspace: `first <= rank < end`. */
export interface SortedSetPlace {
  readonly id: number;
  readonly first: number;
  readonly end: number;
}

const rankKey = new Uint8Array(TREE_KEY_BYTES_MAX);

/** How many entries of all sets in the tree of ranks come before a set's. */
function rankOfSet(source: PageSource, record: KeyspaceRecord, id: number): number {
  writeOrderedId(rankKey, 0, id);
  return rankOf(source, record.ranks, rankKey.subarray(0, ORDERED_BYTES));
}

export function sortedSetPlace(
  source: PageSource,
  record: KeyspaceRecord,
  id: number,
): SortedSetPlace {
  const first = rankOfSet(source, record, id);
  return { id, first, end: rankOfSet(source, record, id + 1) };
}

/**
 * How many entries of all sets have a lower score than a set's `score`, or belong to a set before
 * it; with `andEqual`, those of the same score too.
 */
export function rankOfScore(
  source: PageSource,
  record: KeyspaceRecord,
  id: number,
  score: number,
  andEqual: boolean,
): number {
  writeOrderedId(rankKey, 0, id);
  writeOrderedDouble(rankKey, ORDERED_BYTES, score);
  // No member begins with this byte, which UTF-8 does not have.
  rankKey[RANK_MEMBER_OFFSET] = 255;
  const length = andEqual ? RANK_MEMBER_OFFSET + 1 : RANK_MEMBER_OFFSET;
  return rankOf(source, record.ranks, rankKey.subarray(0, length));
}

/**
 * The score of the member whose bytes lie in the memory's `[start + 8, end)`; undefined when the
 * set does not have it.
 */
export function memberScore(
  source: PageSource,
  record: KeyspaceRecord,
  id: number,
  start: number,
  end: number,
): number | undefined {
  const { u8 } = source.memory;
  writeOrderedId(u8, start, id);
  const place = findRecord(source, record.members, start, end);
  if (place === undefined) return undefined;
  if (place.length !== SCORE_BYTES) throw damaged();
  return readF64(u8, place.address);
}

/** The rank among all sets of such a member, which has this score. */
export function memberRank(
  source: PageSource,
  record: KeyspaceRecord,
  id: number,
  score: number,
  start: number,
  end: number,
): number {
  writeOrderedId(rankKey, 0, id);
  writeOrderedDouble(rankKey, ORDERED_BYTES, score);
  rankKey.set(source.memory.u8.subarray(start + MEMBER_OFFSET, end), RANK_MEMBER_OFFSET);
  const length = RANK_MEMBER_OFFSET + end - start - MEMBER_OFFSET;
  return rankOf(source, record.ranks, rankKey.subarray(0, length));
}

/** How the scratch window is divided between keys and their lengths. */
const KEYS_BYTES = SCRATCH_BYTES - 32768;
const KEYS_MAX = 8000;

/** Appends the entries of a leaf of the tree of ranks. */
export function readEntries(source: PageSource, run: RankRun, entries: SortedSetEntry[]): void {
  const { memory, slot } = source;
  const { kernels, nodeBytes, i32, text, u8 } = memory;
  const { leaf, step } = run;
  const start = memory.scratchAddress(slot.index);
  const lengths = start + KEYS_BYTES;
  let { index, count } = run;
  while (count > 0) {
    const wanted = Math.min(count, KEYS_MAX);
    const read = kernels.copyKeys(leaf, nodeBytes, index, step, wanted, start, lengths, lengths);
    let at = start;
    for (let key = 0; key < read; key++) {
      const length = i32[(lengths >>> 2) + key] as number;
      if (length < RANK_MEMBER_OFFSET) throw damaged();
      const score = readOrderedDouble(u8, at + ORDERED_BYTES);
      entries.push({ score, member: utf8Text(text, at + RANK_MEMBER_OFFSET, at + length) });
      at += length;
    }
    index += read * step;
    count -= read;
  }
}

function damaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: 'no sorted set has such an entry' });
}
