/**
 * Sorted sets: mutations. Both trees and the name change together.
 *
 * What is asked for lies in the shared memory as items one behind another:
 *
 *   offset  size  field of an item
 *        0     2  length of the member
 *        2     8  score, a double; only of those to be added
 *     then        member
 */
import { startsWith } from '../../shared/bytes/compare.js';
import { readF64, readU16, writeF64 } from '../../shared/bytes/integers.js';
import {
  ORDERED_BYTES,
  writeOrderedDouble,
  writeOrderedId,
} from '../../shared/bytes/ordered-key.js';
import { asciiText } from '../../shared/bytes/text.js';
import { MnemeError } from '../../shared/errors.js';
import type { KeyspaceRecord } from '../../shared/keyspaces/catalog.js';
import { decodeSortedSet, SORTED_SET_NAME_BYTES } from '../../shared/keyspaces/collection-names.js';
import {
  MEMBER_OFFSET,
  RANK_MEMBER_OFFSET,
  SCORE_BYTES,
} from '../../shared/keyspaces/sorted-set.js';
import { TREE_KEY_BYTES_MAX } from '../../shared/limits.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { valueLength } from '../../shared/tree/node.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { firstKeyFrom, removeRange } from './range-removal.js';
import type { KeyRange } from './values.js';

const NO_BYTES = new Uint8Array(0);
const LENGTH_BYTES = 2;

export class SortedSetWriter {
  readonly #engine: KeyspaceHost;
  readonly #memory: SharedMemory;
  readonly #memberKey = new Uint8Array(TREE_KEY_BYTES_MAX);
  readonly #rankKey = new Uint8Array(TREE_KEY_BYTES_MAX);
  readonly #score = new Uint8Array(SCORE_BYTES);
  readonly #name = new Uint8Array(SORTED_SET_NAME_BYTES);

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#memory = engine.memory;
  }

  /** Adds members with their scores, or gives them new ones; returns how many are new. */
  add(keyspace: OpenKeyspace, name: KeyRange, end: number): number {
    const { u8 } = this.#memory;
    this.#select(this.#findOrCreate(keyspace, name));
    let added = 0;
    for (let at = name.end; at < end; ) {
      const score = readF64(u8, at + LENGTH_BYTES);
      const member = at + LENGTH_BYTES + SCORE_BYTES;
      at = member + readU16(u8, at);
      if (this.#put(keyspace, member, at, score)) added++;
      this.#engine.relieveCache();
    }
    return added;
  }

  /** Removes members; returns how many there were. */
  remove(keyspace: OpenKeyspace, name: KeyRange, end: number): number {
    const id = this.#find(keyspace.record, name);
    if (id === 0) return 0;
    const { u8 } = this.#memory;
    const { trees } = this.#engine;
    const { members } = keyspace.record;
    this.#select(id);
    let removed = 0;
    for (let at = name.end; at < end; ) {
      const member = at + LENGTH_BYTES;
      at = member + readU16(u8, at);
      const score = this.#locateMember(keyspace.record, member, at);
      if (score === undefined) continue;
      trees.remove(members);
      this.#removeRank(keyspace.record, member, at, score);
      keyspace.changed = true;
      removed++;
      this.#engine.relieveCache();
    }
    if (removed > 0 && this.#isEmpty(keyspace.record)) this.#removeName(keyspace, name);
    return removed;
  }

  /**
   * Adds to the scores of members, a missing one being 0; returns the sums in order. When one of
   * them is no number nothing is changed, and it alone is returned.
   */
  increment(keyspace: OpenKeyspace, name: KeyRange, end: number, delta: number): number[] {
    const sums = this.#sums(keyspace, name, end, delta);
    if (sums.some(Number.isNaN)) return [Number.NaN];
    const { u8 } = this.#memory;
    if (sums.length > 0) this.#select(this.#findOrCreate(keyspace, name));
    let at = name.end;
    for (const sum of sums) {
      const member = at + LENGTH_BYTES;
      at = member + readU16(u8, at);
      this.#put(keyspace, member, at, sum);
      this.#engine.relieveCache();
    }
    return sums;
  }

  #sums({ record }: OpenKeyspace, name: KeyRange, end: number, delta: number): number[] {
    const { u8, text } = this.#memory;
    const id = this.#find(record, name);
    this.#select(id);
    const sums: number[] = [];
    const latest = new Map<string, number>();
    for (let at = name.end; at < end; ) {
      const start = at + LENGTH_BYTES;
      at = start + readU16(u8, at);
      const member = asciiText(text, start, at); // a character a byte, whatever they mean
      const before = latest.get(member) ?? (id === 0 ? 0 : this.#locateMember(record, start, at));
      const sum = (before ?? 0) + delta + 0; // + 0: a sum of -0 is stored as 0
      latest.set(member, sum);
      sums.push(sum);
    }
    return sums;
  }

  /** Removes a whole set; returns how many members it had. */
  clear(keyspace: OpenKeyspace, name: KeyRange): number {
    const { record } = keyspace;
    const id = this.#find(record, name);
    if (id === 0) return 0;
    const [low, high] = [new Uint8Array(ORDERED_BYTES), new Uint8Array(ORDERED_BYTES)];
    writeOrderedId(low, 0, id);
    writeOrderedId(high, 0, id + 1);
    const removed = removeRange(this.#engine, { tree: record.members, low, high });
    removeRange(this.#engine, { tree: record.ranks, low, high });
    this.#removeName(keyspace, name);
    return removed;
  }

  /** The id of the set, 0 when there is none; its name's place stays known. */
  #find(record: KeyspaceRecord, name: KeyRange): number {
    const { trees } = this.#engine;
    const address = trees.locate(record.names, name.bytes, name.start, name.end);
    if (address === 0) return 0;
    const length = valueLength(this.#memory, trees.leafAddress, trees.leafIndex);
    return decodeSortedSet(this.#memory.u8, address, length);
  }

  #findOrCreate(keyspace: OpenKeyspace, name: KeyRange): number {
    const { record } = keyspace;
    const found = this.#find(record, name);
    if (found !== 0) return found;
    keyspace.changed = true;
    const id = ++record.lastId;
    writeOrderedId(this.#name, 0, id);
    this.#engine.trees.put(record.names, this.#name, 0, this.#name.length);
    return id;
  }

  #removeName(keyspace: OpenKeyspace, name: KeyRange): void {
    const { trees } = this.#engine;
    trees.locate(keyspace.record.names, name.bytes, name.start, name.end);
    trees.remove(keyspace.record.names);
    keyspace.changed = true;
  }

  /** What follows is of the set with this id. */
  #select(id: number): void {
    writeOrderedId(this.#memberKey, 0, id);
    writeOrderedId(this.#rankKey, 0, id);
  }

  #isEmpty(record: KeyspaceRecord): boolean {
    const id = this.#memberKey.subarray(0, ORDERED_BYTES);
    const first = firstKeyFrom(this.#engine, record.members, id);
    return first === undefined || !startsWith(first, id);
  }

  /** The score of the member that lies in the memory, if the set has it. */
  #locateMember(record: KeyspaceRecord, start: number, end: number): number | undefined {
    const { trees } = this.#engine;
    const { u8 } = this.#memory;
    const key = this.#memberKey;
    key.set(u8.subarray(start, end), MEMBER_OFFSET);
    const length = MEMBER_OFFSET + end - start;
    const address = trees.locate(record.members, key, 0, length);
    if (address === 0) return undefined;
    const size = valueLength(this.#memory, trees.leafAddress, trees.leafIndex);
    const score = readF64(u8, address);
    if (size === SCORE_BYTES && !Number.isNaN(score)) return score;
    throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'a member has no score' });
  }

  /** Gives a member its score; true when it is new. */
  #put(keyspace: OpenKeyspace, start: number, end: number, score: number): boolean {
    const { record } = keyspace;
    const { trees } = this.#engine;
    const before = this.#locateMember(record, start, end);
    if (before === score) return false;
    writeF64(this.#score, 0, score);
    trees.put(record.members, this.#score, 0, SCORE_BYTES);
    if (before !== undefined) this.#removeRank(record, start, end, before);
    this.#locateRank(record, start, end, score);
    trees.put(record.ranks, NO_BYTES, 0, 0);
    keyspace.changed = true;
    return before === undefined;
  }

  /** True when the set has the member with this score. */
  #locateRank(record: KeyspaceRecord, start: number, end: number, score: number): boolean {
    const key = this.#rankKey;
    writeOrderedDouble(key, ORDERED_BYTES, score);
    key.set(this.#memory.u8.subarray(start, end), RANK_MEMBER_OFFSET);
    const length = RANK_MEMBER_OFFSET + end - start;
    return this.#engine.trees.locate(record.ranks, key, 0, length) !== 0;
  }

  #removeRank(record: KeyspaceRecord, start: number, end: number, score: number): void {
    if (!this.#locateRank(record, start, end, score)) {
      throw new MnemeError('ERR_MNEME_CORRUPT', { reason: 'a sorted set lacks a member by score' });
    }
    this.#engine.trees.remove(record.ranks);
  }
}
