/**
 * A sorted set's handle: checks arguments, reads on the calling thread, sends writes.
 */
import { readU16, writeF64, writeU16 } from '../shared/bytes/integers.js';
import { asciiText } from '../shared/bytes/text.js';
import { invalidType, outOfRange } from '../shared/errors.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { findSortedSet, nameKey, SORTED_SET } from '../shared/keyspaces/collection-names.js';
import {
  MEMBER_OFFSET,
  memberRank,
  memberScore,
  rankOfScore,
  type SortedSetEntry,
  type SortedSetPlace,
  sortedSetPlace,
} from '../shared/keyspaces/sorted-set.js';
import { KEY_BYTES_MAX } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import type { BatchMembers } from './batch-members.js';
import type { Core } from './core.js';
import { ItemBuffer } from './item-buffer.js';
import { ItemIteration } from './item-iteration.js';
import { type Key, keyBytes, writeKey } from './keys.js';
import type { KeyspaceAccess } from './keyspace-access.js';
import { checkCount } from './range.js';
import { RangeIterator } from './range-iterator.js';
import { checkRank, clampRanks } from './ranks.js';
import { SortedSetReader } from './sorted-set-reader.js';

/** Of the member in an item, as writer/keyspaces/sorted-set.ts draws them. */
const PLAIN_OFFSET = 2;
const SCORED_OFFSET = 10;
const MEMBER_ROOM = 3 * KEY_BYTES_MAX + 16;
const items = new ItemBuffer();

/**
 * Members, each with a score, ordered by score and, where scores are equal, by the bytes of the
 * members. A set without members does not exist.
 */
export class SortedSet {
  readonly #core: Core;
  readonly #access: KeyspaceAccess;
  readonly #name: Uint8Array;
  /** What was last looked up, and in which record. */
  #seenRecord: KeyspaceRecord | undefined;
  #seenId = 0;
  #seenPlace: SortedSetPlace | undefined;
  /** The same of the state before the batch that runs. */
  #oldRecord: KeyspaceRecord | undefined;
  #oldId = 0;
  readonly #batchKey: string;

  /** @internal */
  constructor(core: Core, access: KeyspaceAccess, name: Key) {
    this.#core = core;
    this.#access = access;
    this.#name = nameKey(SORTED_SET, keyBytes(name, 'text'));
    this.#batchKey = Buffer.from(this.#name).toString('latin1');
  }

  /**
   * Adds (score, member) pairs; a member that is there gets the new score. Of a member given twice
   * the last score counts. Returns how many members are new.
   * @throws {RangeError} for a score that is NaN.
   * @throws {MnemeError} `ERR_MNEME_KEY_TOO_LARGE` for a member over 1024 bytes.
   */
  add(score: number, member: Key, ...more: (number | Key)[]): number {
    this.#access.assertWritable();
    if (more.length % 2 !== 0) throw invalidType('member', 'given for each score', undefined);
    items.clear();
    addScored(score, member);
    for (let at = 0; at < more.length; at += 2) {
      addScored(more[at] as number, more[at + 1] as Key);
    }
    const batch = this.#batchMembers();
    if (batch !== undefined) return this.#addInBatch(batch);
    return this.#sendCounted(messages.ADD_MEMBERS);
  }

  /** What the batch that runs did to this set, if one runs and that is known. */
  #batchMembers(): BatchMembers | undefined {
    const { transactions } = this.#core;
    if (!transactions.isActive) return undefined;
    return transactions.sets.of(this.#access.keyspaceName, this.#batchKey);
  }

  /** Adds what is gathered, without waiting for the writer. */
  #addInBatch(batch: BatchMembers): number {
    const { bytes, length } = items;
    let added = 0;
    for (let at = 0; at < length; ) {
      const start = at + SCORED_OFFSET;
      at = start + readU16(bytes, at);
      const name = asciiText(bytes, start, at);
      if (!(batch.has(name) ?? this.#wasMember(bytes.subarray(start, at)))) added++;
      batch.note(name, true);
    }
    const fields = { code: messages.ADD_MEMBERS, flags: messages.NO_ANSWER, number: 0 };
    for (const part of items.parts()) this.#access.gatherBytes(fields, this.#name, part);
    return added;
  }

  /** True when the set had the member before the batch that runs. */
  #wasMember(member: Uint8Array): boolean {
    return this.#access.readBeforeBatch((record) => {
      if (record === undefined) return false;
      const { source } = this.#core;
      if (record !== this.#oldRecord) {
        this.#oldId = findSortedSet(source.of(record), record.names, this.#name);
        this.#oldRecord = record;
      }
      if (this.#oldId === 0) return false;
      const start = source.keyAddress;
      const end = start + MEMBER_OFFSET + member.length;
      source.memory.u8.set(member, start + MEMBER_OFFSET);
      return memberScore(source.of(record), record, this.#oldId, start, end) !== undefined;
    });
  }

  /** Notes what the batch that runs has done to the members that are gathered. */
  #noteInBatch(isThere: boolean): void {
    const batch = this.#batchMembers();
    if (batch === undefined) return;
    const { bytes, length } = items;
    for (let at = 0; at < length; ) {
      const start = at + PLAIN_OFFSET;
      at = start + readU16(bytes, at);
      batch.note(asciiText(bytes, start, at), isThere);
    }
  }

  /** Removes members; returns how many there were. */
  rem(...members: Key[]): number {
    this.#access.assertWritable();
    items.clear();
    for (const member of members) addMember(member);
    const removed = this.#sendCounted(messages.REMOVE_MEMBERS);
    this.#noteInBatch(false);
    return removed;
  }

  /**
   * Adds `delta` to the scores of members, a missing one being 0, in one transaction. Returns the
   * new scores in order; a member given twice counts twice.
   * @throws {RangeError} when a sum is NaN; then nothing is changed.
   */
  batchIncr(members: Iterable<Key>, delta = 1): number[] {
    this.#access.assertWritable();
    if (typeof members?.[Symbol.iterator] !== 'function') {
      throw invalidType('members', 'iterable', members);
    }
    const all = [...members]; // an iterator of the caller's runs before anything else is done
    checkScore('delta', delta);
    items.clear();
    for (const member of all) addMember(member);
    const sums: number[] = [];
    this.#access.sendParts(items.parts(), (part) => {
      const at = this.#send(messages.INCREMENT_MEMBERS, part, delta);
      const { f64 } = this.#core.memory;
      const count = this.#core.writer.answerLength >>> 3;
      for (let sum = 0; sum < count; sum++) sums.push(f64[(at >>> 3) + sum] as number);
      if (Number.isNaN(sums.at(-1))) throw outOfRange('score', 'a number', Number.NaN);
    });
    this.#noteInBatch(true);
    return sums;
  }

  /** Removes the whole set; returns how many members it had. */
  clear(): number {
    this.#access.assertWritable();
    const count = this.#number(this.#send(messages.CLEAR, NO_BYTES, 0));
    this.#batchMembers()?.clear();
    return count;
  }

  #sendCounted(code: number): number {
    let count = 0;
    this.#access.sendParts(items.parts(), (part) => {
      count += this.#number(this.#send(code, part, 0));
    });
    return count;
  }

  #send(code: number, part: Uint8Array, number: number): number {
    return this.#access.sendBytes({ code, flags: 0, number }, this.#name, part);
  }

  #number(address: number): number {
    return this.#core.memory.f64[address >>> 3] as number;
  }

  /** The score of a member; undefined when the set has no such member. */
  score(member: Key): number | undefined {
    const end = this.#placeMember(member);
    const { source } = this.#core;
    return this.#read((record, id) =>
      memberScore(source.of(record), record, id, source.keyAddress, end),
    );
  }

  /** How many members there are. O(log n). */
  card(): number {
    this.#access.assertReadable();
    const count = this.#read((record, id) => {
      const { first, end } = this.#place(record, id);
      return end - first;
    });
    return count ?? 0;
  }

  /**
   * How many members come before one, or behind it with `reverse`; undefined when the set has no
   * such member. O(log n).
   */
  rank(member: Key, options: { reverse?: boolean } = {}): number | undefined {
    const reverse = reverseOf(options);
    const end = this.#placeMember(member);
    const { source } = this.#core;
    const start = source.keyAddress;
    return this.#read((record, id) => {
      const score = memberScore(source.of(record), record, id, start, end);
      if (score === undefined) return undefined;
      const rank = memberRank(source.of(record), record, id, score, start, end);
      const place = this.#place(record, id);
      return reverse ? place.end - 1 - rank : rank - place.first;
    });
  }

  /**
   * The members with min <= score <= max; with `reverse` the bounds are given as (high, low), and
   * the highest comes first. O(log n + results).
   * @param options.offset - Members to pass over first. Default 0.
   * @param options.limit - Members at most. Default all.
   */
  rangeByScore(
    min: number,
    max: number,
    options: { limit?: number; offset?: number; reverse?: boolean } = {},
  ): SortedSetEntry[] {
    const reverse = reverseOf(options);
    const low = checkScore('min', reverse ? max : min);
    const high = checkScore('max', reverse ? min : max);
    const offset = checkCount('offset', options.offset, 0);
    const limit = checkCount('limit', options.limit, Number.POSITIVE_INFINITY);
    this.#access.assertReadable();
    const { source } = this.#core;
    return this.#readAll((record, id) => {
      if (low > high) return undefined;
      const from = rankOfScore(source.of(record), record, id, low, false);
      const to = rankOfScore(source.of(record), record, id, high, true);
      const count = Math.min(Math.max(0, to - from - offset), limit);
      const start = reverse ? to - 1 - offset : from + offset;
      return new SortedSetReader(source.of(record), record, start, count, reverse);
    });
  }

  /**
   * The members from rank `start` to rank `stop`, both included; negative ranks count from the end.
   * O(log n + results).
   */
  rangeByRank(start: number, stop: number, options: { reverse?: boolean } = {}): SortedSetEntry[] {
    const reverse = reverseOf(options);
    checkRank('start', start);
    checkRank('stop', stop);
    this.#access.assertReadable();
    const { source } = this.#core;
    return this.#readAll((record, id) => {
      const { first, end } = this.#place(record, id);
      const { from, count } = clampRanks(start, stop, end - first);
      const begin = reverse ? end - 1 - from : first + from;
      return new SortedSetReader(source.of(record), record, begin, count, reverse);
    });
  }

  /** All members with their scores, in order, read lazily from one snapshot. */
  iter(options: { reverse?: boolean } = {}): RangeIterator<SortedSetEntry> {
    const reverse = reverseOf(options);
    this.#access.assertReadable();
    const { source } = this.#core;
    const open = (record: KeyspaceRecord) => {
      const id = findSortedSet(source.of(record), record.names, this.#name);
      if (id === 0) return undefined;
      const { first, end } = sortedSetPlace(source.of(record), record, id);
      return new SortedSetReader(
        source.of(record),
        record,
        reverse ? end - 1 : first,
        end - first,
        reverse,
      );
    };
    return new RangeIterator(new ItemIteration(this.#core, this.#access, 'auto', open));
  }

  /** The same as `iter()`. */
  [Symbol.iterator](): RangeIterator<SortedSetEntry> {
    return this.iter();
  }

  /** Writes a member behind where its key's id will stand; returns where it ends. */
  #placeMember(member: Key): number {
    this.#access.assertReadable();
    const { source } = this.#core;
    const at = source.keyAddress + MEMBER_OFFSET;
    return at + writeKey(member, 'text', source.memory.text, at);
  }

  /** Reads the set, if there is one, in the state that the handle sees. */
  #read<T>(read: (record: KeyspaceRecord, id: number) => T | undefined): T | undefined {
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return undefined;
      if (record !== this.#seenRecord) {
        this.#seenId = findSortedSet(this.#core.source.of(record), record.names, this.#name);
        this.#seenPlace = undefined;
        this.#seenRecord = record;
      }
      return this.#seenId === 0 ? undefined : read(record, this.#seenId);
    });
  }

  #readAll(
    open: (record: KeyspaceRecord, id: number) => SortedSetReader | undefined,
  ): SortedSetEntry[] {
    return this.#read((record, id) => open(record, id)?.readAll()) ?? [];
  }

  #place(record: KeyspaceRecord, id: number): SortedSetPlace {
    this.#seenPlace ??= sortedSetPlace(this.#core.source.of(record), record, id);
    return this.#seenPlace;
  }
}

const NO_BYTES = new Uint8Array(0);

/** A score as it is stored: -0 as 0. */
function checkScore(name: string, score: unknown): number {
  if (typeof score !== 'number') throw invalidType(name, 'a number', score);
  if (Number.isNaN(score)) throw outOfRange(name, 'a number', score);
  return score + 0;
}

function reverseOf(options: { reverse?: boolean }): boolean {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { reverse = false } = options;
  if (typeof reverse !== 'boolean') throw invalidType('reverse', 'a boolean', reverse);
  return reverse;
}

function addScored(score: number, member: Key): void {
  const stored = checkScore('score', score);
  const at = items.reserve(MEMBER_ROOM);
  const { bytes } = items;
  const length = writeKey(member, 'text', bytes, at + SCORED_OFFSET);
  writeU16(bytes, at, length);
  writeF64(bytes, at + PLAIN_OFFSET, stored);
  items.add(length + SCORED_OFFSET);
}

function addMember(member: Key): void {
  const at = items.reserve(MEMBER_ROOM);
  const { bytes } = items;
  const length = writeKey(member, 'text', bytes, at + PLAIN_OFFSET);
  writeU16(bytes, at, length);
  items.add(length + PLAIN_OFFSET);
}
