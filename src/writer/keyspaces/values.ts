/**
 * The tree of plain values and its expiry index: mutations.
 */
import { writeU48 } from '../../shared/bytes/integers.js';
import {
  DEADLINE_BYTES,
  DEADLINE_FLAG,
  decodeInteger,
  encodeInteger,
  OVERFLOW_FLAG,
  payloadOffset,
  RECORD_BYTES_MIN,
  recordDeadline,
  TAG_INTEGER,
  TYPE_MASK,
} from '../../shared/bytes/value-codec.js';
import { MnemeError } from '../../shared/errors.js';
import type { PageId } from '../../shared/ids.js';
import {
  EXPIRY_DEADLINE_BYTES,
  type ExpiredKey,
  expiredKeys,
  writeDeadline,
} from '../../shared/keyspaces/expiry.js';
import { isExpired } from '../../shared/keyspaces/values.js';
import { EXTENT_BYTES_MAX, INT64_MAX, INT64_MIN, TREE_KEY_BYTES_MAX } from '../../shared/limits.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../../shared/pages/overflow-page.js';
import { entryCount } from '../../shared/pages/page.js';
import { Cursor, rankOf } from '../../shared/tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../../shared/tree/node.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';

const NO_BYTES = new Uint8Array(0);
/** Ranges of fewer entries are removed leaf by leaf. */
const SUBTREE_ENTRIES_MIN = 16;

/** A key where it lies. */
export interface KeyRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** How a set treats the deadline. */
export interface DeadlineChange {
  readonly keep: boolean;
  /** ms since the epoch, 0 for none. */
  readonly deadline: number;
}

/** What was found under a key before it is changed. */
interface OldRecord {
  readonly found: boolean;
  readonly deadline: number;
  readonly visible: boolean;
}

export class ValuesWriter {
  readonly #engine: KeyspaceHost;
  readonly #memory: SharedMemory;
  readonly #record: Buffer;
  readonly #expiryKey = new Uint8Array(EXPIRY_DEADLINE_BYTES + TREE_KEY_BYTES_MAX);

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#memory = engine.memory;
    this.#record = Buffer.alloc(this.#memory.pageSize + 64);
  }

  /** Puts tag and payload under a key. */
  set(
    keyspace: OpenKeyspace,
    key: KeyRange,
    value: Uint8Array,
    start: number,
    end: number,
    change: DeadlineChange,
    now: number,
  ): void {
    const old = this.#locate(keyspace, key, now);
    const kept = change.keep && old.visible ? old.deadline : 0;
    const deadline = change.keep ? kept : change.deadline;
    const length = end - start;
    if (this.#isInline(key, length)) {
      if (deadline === 0) this.#put(keyspace, value, start, length, old);
      else this.#putRecord(keyspace, value[start] as number, value, start + 1, end, deadline, old);
      this.#replaceDeadline(keyspace, key, old.deadline, deadline);
      return;
    }
    const extents: ExtentPointer[] = [];
    for (let at = start + 1; at < end; at += EXTENT_BYTES_MAX) {
      const part = Math.min(EXTENT_BYTES_MAX, end - at);
      extents.push(this.#engine.overflow.writeExtent(value, at, part));
    }
    this.#putOverflow(keyspace, key, value[start] as number, extents, length - 1, deadline, old);
  }

  /** Puts a value whose extents are written already. */
  setExtents(
    keyspace: OpenKeyspace,
    key: KeyRange,
    tag: number,
    extents: readonly ExtentPointer[],
    length: number,
    change: DeadlineChange,
    now: number,
  ): void {
    const old = this.#locate(keyspace, key, now);
    const kept = change.keep && old.visible ? old.deadline : 0;
    const deadline = change.keep ? kept : change.deadline;
    this.#putOverflow(keyspace, key, tag, extents, length, deadline, old);
  }

  #putOverflow(
    keyspace: OpenKeyspace,
    key: KeyRange,
    tag: number,
    extents: readonly ExtentPointer[],
    length: number,
    deadline: number,
    old: OldRecord,
  ): void {
    const { overflow } = this.#engine;
    const payload = overflow.finish(extents, length);
    const wholeTag = tag | OVERFLOW_FLAG;
    this.#putRecord(keyspace, wholeTag, payload, 0, payload.length, deadline, old);
    keyspace.record.overflowPages += overflow.pagesOf(length);
    this.#replaceDeadline(keyspace, key, old.deadline, deadline);
  }

  /** True when a visible value went. */
  delete(keyspace: OpenKeyspace, key: KeyRange, now: number): boolean {
    const old = this.#locate(keyspace, key, now);
    if (!old.found) return false;
    this.#freeOldExtents(keyspace);
    this.#engine.trees.remove(keyspace.record.values);
    keyspace.changed = true;
    this.#replaceDeadline(keyspace, key, old.deadline, 0);
    return old.visible;
  }

  /** Adds to an integer and returns the sum. */
  increment(keyspace: OpenKeyspace, key: KeyRange, delta: bigint, now: number): bigint {
    const old = this.#locate(keyspace, key, now);
    const { u8 } = this.#memory;
    let current = 0n;
    if (old.visible) {
      const tag = u8[this.#oldAddress] as number;
      if ((tag & TYPE_MASK) !== TAG_INTEGER) throw new MnemeError('ERR_MNEME_TYPE_MISMATCH');
      const payload = payloadOffset(u8, this.#oldAddress);
      const length = this.#oldAddress + this.#oldLength - payload;
      current = BigInt(decodeInteger(u8, payload, length));
    }
    const sum = current + delta;
    if (sum < INT64_MIN || sum > INT64_MAX) throw new MnemeError('ERR_MNEME_INTEGER_OVERFLOW');
    const deadline = old.visible ? old.deadline : 0;
    const encoded = Buffer.alloc(9);
    const end = encodeInteger(sum, encoded, 0);
    this.#putRecord(keyspace, TAG_INTEGER, encoded, 1, end, deadline, old);
    this.#replaceDeadline(keyspace, key, old.deadline, deadline);
    return sum;
  }

  /** Gives a visible key another deadline, 0 for none. False when the key is not visible. */
  setDeadline(keyspace: OpenKeyspace, key: KeyRange, deadline: number, now: number): boolean {
    const old = this.#locate(keyspace, key, now);
    if (!old.visible) return false;
    if (old.deadline === deadline) return true;
    const { u8 } = this.#memory;
    const tag = (u8[this.#oldAddress] as number) & ~DEADLINE_FLAG;
    const payload = payloadOffset(u8, this.#oldAddress);
    const bytes = u8.slice(payload, this.#oldAddress + this.#oldLength);
    this.#writeRecord(keyspace, tag, bytes, 0, bytes.length, deadline);
    this.#replaceDeadline(keyspace, key, old.deadline, deadline);
    return true;
  }

  /** The deadline of a visible key, 0 when it has none or is not visible. */
  deadlineOf(keyspace: OpenKeyspace, key: KeyRange, now: number): number {
    const old = this.#locate(keyspace, key, now);
    return old.visible ? old.deadline : 0;
  }

  /** Removes expired keys, the soonest first; returns how many. */
  purge(keyspace: OpenKeyspace, now: number, limit?: number): number {
    const expired = expiredKeys(this.#engine.source, keyspace.record.expiry, now, limit);
    for (const { key } of expired) {
      this.delete(keyspace, { bytes: key, start: 0, end: key.length }, now);
      this.#engine.relieveCache();
    }
    return expired.length;
  }

  /** Removes the keys from `low` up to, not including, `high`; returns how many visible ones. */
  deleteRange(
    keyspace: OpenKeyspace,
    low: Uint8Array,
    high: Uint8Array | undefined,
    now: number,
  ): number {
    let visible = this.#deleteSubtrees(keyspace, low, high);
    for (;;) {
      const first = this.#firstKeyFrom(keyspace, low);
      if (first === undefined) return visible;
      const removed = this.#deleteInLeaf(keyspace, first, high, now);
      if (removed === undefined) return visible;
      visible += removed;
      this.#engine.relieveCache();
    }
  }

  /** What can go without a look at it; returns how many values that was, all of them visible. */
  #deleteSubtrees(keyspace: OpenKeyspace, low: Uint8Array, high: Uint8Array | undefined): number {
    const { values, expiry } = keyspace.record;
    // Deadlines and extents stand in the leaves.
    if (expiry.count > 0 || keyspace.record.overflowPages > 0) return 0;
    const { source, trees } = this.#engine;
    const below = rankOf(source, values, low);
    const end = high === undefined ? values.count : rankOf(source, values, high);
    // What a few leaves hold goes leaf by leaf; and nothing is copied for a range of nothing.
    if (end - below < SUBTREE_ENTRIES_MIN) return 0;
    const before = values.count;
    keyspace.changed = true;
    trees.removeSubtrees(values, low, high);
    return before - values.count;
  }

  #firstKeyFrom(keyspace: OpenKeyspace, low: Uint8Array): Uint8Array | undefined {
    const { source } = this.#engine;
    const cursor = new Cursor(source, keyspace.record.values);
    if (!cursor.seekKey(low)) return undefined;
    if (cursor.index >= entryCount(this.#memory, cursor.leaf()) && !cursor.moveLeaf(1)) {
      return undefined;
    }
    const key = new Uint8Array(TREE_KEY_BYTES_MAX);
    return key.slice(0, copyKey(this.#memory, cursor.leaf(), cursor.index, key, 0));
  }

  /** Removes what of a range is in one leaf; undefined when that is nothing. */
  #deleteInLeaf(
    keyspace: OpenKeyspace,
    first: Uint8Array,
    high: Uint8Array | undefined,
    now: number,
  ): number | undefined {
    const { trees, overflow } = this.#engine;
    const memory = this.#memory;
    const { record } = keyspace;
    trees.locate(record.values, first, 0, first.length);
    const leaf = trees.leafAddress;
    const from = trees.leafIndex;
    if (from < 0) throw misplaced(record.values.pageId);
    const to = high === undefined ? entryCount(memory, leaf) : trees.countInLeafBelow(high);
    if (to <= from) return undefined;
    const expiring: ExpiredKey[] = [];
    let visible = 0;
    const key = new Uint8Array(TREE_KEY_BYTES_MAX);
    const extents: number[] = [];
    for (let index = from; index < to; index++) {
      const address = valueAddress(memory, leaf, index);
      const deadline = recordDeadline(memory.u8, address);
      if (!isExpired(deadline, now)) visible++;
      if (deadline !== 0) {
        expiring.push({ deadline, key: key.slice(0, copyKey(memory, leaf, index, key, 0)) });
      }
      if (((memory.u8[address] as number) & OVERFLOW_FLAG) !== 0) {
        extents.push(payloadOffset(memory.u8, address));
      }
    }
    for (const payload of extents) record.overflowPages -= overflow.free(memory.u8, payload);
    trees.removeRun(record.values, from, to);
    keyspace.changed = true;
    for (const { deadline, key: name } of expiring) {
      this.#replaceDeadline(keyspace, { bytes: name, start: 0, end: name.length }, deadline, 0);
    }
    return visible;
  }

  #oldAddress = 0;
  #oldLength = 0;

  /** Finds a key's record; its place is good until the next page is fetched. */
  #locate(keyspace: OpenKeyspace, key: KeyRange, now: number): OldRecord {
    const { trees } = this.#engine;
    const address = trees.locate(keyspace.record.values, key.bytes, key.start, key.end);
    this.#oldAddress = address;
    if (address === 0) return NOTHING_FOUND;
    const leaf = trees.leafAddress;
    this.#oldLength = valueLength(this.#memory, leaf, trees.leafIndex);
    const deadline = recordDeadline(this.#memory.u8, address);
    if (deadline === 0) return FOUND_WITHOUT_DEADLINE;
    return { found: true, deadline, visible: !isExpired(deadline, now) };
  }

  #isInline(key: KeyRange, length: number): boolean {
    const record = length + DEADLINE_BYTES;
    // What is no longer than a pointer to it stays in the leaf, however long its key is.
    if (record <= RECORD_BYTES_MIN) return true;
    return key.end - key.start + record <= this.#memory.pageSize / 4;
  }

  #freeOldExtents(keyspace: OpenKeyspace): void {
    const { u8 } = this.#memory;
    if (((u8[this.#oldAddress] as number) & OVERFLOW_FLAG) === 0) return;
    const payload = payloadOffset(u8, this.#oldAddress);
    keyspace.record.overflowPages -= this.#engine.overflow.free(u8, payload);
  }

  #putRecord(
    keyspace: OpenKeyspace,
    tag: number,
    payload: Uint8Array,
    start: number,
    end: number,
    deadline: number,
    old: OldRecord,
  ): void {
    if (old.found) this.#freeOldExtents(keyspace);
    this.#writeRecord(keyspace, tag, payload, start, end, deadline);
  }

  #writeRecord(
    keyspace: OpenKeyspace,
    tag: number,
    payload: Uint8Array,
    start: number,
    end: number,
    deadline: number,
  ): void {
    const record = this.#record;
    record[0] = deadline === 0 ? tag : tag | DEADLINE_FLAG;
    if (deadline !== 0) writeU48(record, 1, deadline);
    const at = payloadOffset(record, 0);
    record.set(payload.subarray(start, end), at);
    const length = at + end - start;
    const { trees } = this.#engine;
    trees.put(keyspace.record.values, record, 0, length);
    keyspace.changed = true;
  }

  #put(
    keyspace: OpenKeyspace,
    value: Uint8Array,
    start: number,
    length: number,
    old: OldRecord,
  ): void {
    if (old.found) this.#freeOldExtents(keyspace);
    const { trees } = this.#engine;
    trees.put(keyspace.record.values, value, start, length);
    keyspace.changed = true;
  }

  /** Keeps the expiry index in step; moves the place that `#locate` found. */
  #replaceDeadline(keyspace: OpenKeyspace, key: KeyRange, before: number, after: number): void {
    if (before === after) return;
    const { trees } = this.#engine;
    const { expiry } = keyspace.record;
    const entry = this.#expiryKey;
    const length = EXPIRY_DEADLINE_BYTES + key.end - key.start;
    entry.set(key.bytes.subarray(key.start, key.end), EXPIRY_DEADLINE_BYTES);
    if (before !== 0) {
      writeDeadline(entry, 0, before);
      if (trees.locate(expiry, entry, 0, length) === 0) throw indexDamaged();
      trees.remove(expiry);
    }
    if (after !== 0) {
      writeDeadline(entry, 0, after);
      trees.locate(expiry, entry, 0, length);
      trees.put(expiry, NO_BYTES, 0, 0);
    }
  }
}

const NOTHING_FOUND: OldRecord = { found: false, deadline: 0, visible: false };
const FOUND_WITHOUT_DEADLINE: OldRecord = { found: true, deadline: 0, visible: true };

function misplaced(page: PageId): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { page, reason: 'a key is not where it belongs' });
}

function indexDamaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', {
    reason: 'a deadline is missing in the expiry index',
  });
}
