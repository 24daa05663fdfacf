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
import {
  EXPIRY_DEADLINE_BYTES,
  type ExpiredKey,
  expiredKeys,
  writeDeadline,
} from '../../shared/keyspaces/expiry.js';
import { isExpired } from '../../shared/keyspaces/values.js';
import { INT64_MAX, INT64_MIN, TREE_KEY_BYTES_MAX } from '../../shared/limits.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../../shared/pages/overflow-page.js';
import { copyKey, valueAddress, valueLength } from '../../shared/tree/node.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { removeRange } from './range-removal.js';

const NO_BYTES = new Uint8Array(0);

/** Bytes where they lie: a key, mostly. */
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
    this.#record = Buffer.alloc(this.#memory.nodeBytes + 64);
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
    const extents = this.#engine.overflow.writeExtents(value, start + 1, end);
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
    const { record } = keyspace;
    const { values: tree, expiry } = record;
    let invisible = 0;
    const look = (leaf: number, from: number, to: number) => {
      keyspace.changed = true;
      const found = this.#lookAtLeaf(keyspace, leaf, from, to, now);
      invisible += found.invisible;
      return () => this.#forgetDeadlines(keyspace, found.expiring);
    };
    // Deadlines and extents stand in the leaves.
    const mustLook = expiry.count > 0 || record.overflowPages > 0;
    const removal = mustLook ? { tree, low, high, look } : { tree, low, high };
    const removed = removeRange(this.#engine, removal);
    if (removed > 0) keyspace.changed = true;
    return removed - invisible;
  }

  /** Frees the extents of entries that go, and finds their deadlines. */
  #lookAtLeaf(keyspace: OpenKeyspace, leaf: number, from: number, to: number, now: number) {
    const memory = this.#memory;
    const expiring: ExpiredKey[] = [];
    let invisible = 0;
    const key = new Uint8Array(TREE_KEY_BYTES_MAX);
    const extents: number[] = [];
    for (let index = from; index < to; index++) {
      const address = valueAddress(memory, leaf, index);
      const deadline = recordDeadline(memory.u8, address);
      if (isExpired(deadline, now)) invisible++;
      if (deadline !== 0) {
        expiring.push({ deadline, key: key.slice(0, copyKey(memory, leaf, index, key, 0)) });
      }
      if (((memory.u8[address] as number) & OVERFLOW_FLAG) !== 0) {
        extents.push(payloadOffset(memory.u8, address));
      }
    }
    const { overflow } = this.#engine;
    for (const payload of extents) {
      keyspace.record.overflowPages -= overflow.free(memory.u8, payload);
    }
    return { invisible, expiring };
  }

  #forgetDeadlines(keyspace: OpenKeyspace, keys: readonly ExpiredKey[]): void {
    for (const { deadline, key } of keys) {
      this.#replaceDeadline(keyspace, { bytes: key, start: 0, end: key.length }, deadline, 0);
    }
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
    return key.end - key.start + record <= this.#memory.nodeBytes / 4;
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

function indexDamaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', {
    reason: 'a deadline is missing in the expiry index',
  });
}
