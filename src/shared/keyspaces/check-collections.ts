/**
 * Proves that what a keyspace's sorted sets and lists say twice agrees: names and what they name,
 * members by name and by score, the bounds of lists and their elements.
 *
 * Every entry of one tree is looked for in the other, and both have equally many; so memory is
 * needed for one leaf only, however large a set is.
 */
import { readF64 } from '../bytes/integers.js';
import { ORDERED_BYTES, readOrderedId, writeOrderedDouble } from '../bytes/ordered-key.js';
import { TREE_KEY_BYTES_MAX } from '../limits.js';
import type { PageSource } from '../pages/page-source.js';
import { forEachEntry } from '../tree/entries.js';
import type { KeyspaceRecord } from './catalog.js';
import { decodeList, decodeSortedSet, LIST, SORTED_SET } from './collection-names.js';
import { rankOfElement } from './list.js';
import { MEMBER_OFFSET, RANK_MEMBER_OFFSET, SCORE_BYTES, sortedSetPlace } from './sorted-set.js';
import { findRecord } from './values.js';

/** Tells of everything that does not agree. Throws when a tree cannot be read. */
export function checkCollections(
  source: PageSource,
  record: KeyspaceRecord,
  addProblem: (message: string) => void,
): void {
  const { members, elements } = record;
  const found = checkNames(source, record, addProblem);
  if (found.memberCount !== members.count) addProblem('members belong to no sorted set');
  if (found.elementCount !== elements.count) addProblem('elements belong to no list');
  checkMembers(source, record, addProblem);
}

/** Each name has an id of its own, and something in it; returns how much that is. */
function checkNames(
  source: PageSource,
  record: KeyspaceRecord,
  addProblem: (message: string) => void,
) {
  const ids = new Set<number>();
  let [memberCount, elementCount] = [0, 0];
  forEachEntry(source, record.names, ({ key, value }) => {
    let id = 0;
    if (key[0] === SORTED_SET) {
      id = decodeSortedSet(value, 0, value.length);
      const { first, end } = sortedSetPlace(source, record, id);
      if (first === end) addProblem('a sorted set has no members');
      memberCount += end - first;
    } else if (key[0] === LIST) {
      const list = decodeList(value, 0, value.length);
      id = list.id;
      const from = rankOfElement(source, record, id, list.head);
      const to = rankOfElement(source, record, id, list.tail);
      if (to - from !== list.tail - list.head) addProblem('a list lacks an element');
      elementCount += to - from;
    } else addProblem('a name is of no known type');
    if (ids.has(id)) addProblem('an id is given twice');
    if (id < 1 || id > record.lastId) addProblem('an id was never given');
    ids.add(id);
  });
  return { memberCount, elementCount };
}

/** Every member stands among the ranks with its score. */
function checkMembers(
  source: PageSource,
  record: KeyspaceRecord,
  addProblem: (message: string) => void,
): void {
  const { members, ranks } = record;
  if (members.count !== ranks.count) addProblem('a sorted set differs from its order by score');
  const rank = new Uint8Array(TREE_KEY_BYTES_MAX);
  forEachEntry(source, members, ({ key, value }) => {
    const score = value.length === SCORE_BYTES ? readF64(value, 0) : Number.NaN;
    if (Number.isNaN(score) || Object.is(score, -0) || readOrderedId(key, 0) > record.lastId) {
      return addProblem('a member is stored as none is');
    }
    rank.set(key.subarray(0, ORDERED_BYTES), 0);
    writeOrderedDouble(rank, ORDERED_BYTES, score);
    rank.set(key.subarray(MEMBER_OFFSET), RANK_MEMBER_OFFSET);
    const length = RANK_MEMBER_OFFSET + key.length - MEMBER_OFFSET;
    const start = source.placeKey(rank.subarray(0, length));
    if (findRecord(source, ranks, start, start + length) === undefined) {
      addProblem('a member has another score than in the order by score');
    }
  });
}
