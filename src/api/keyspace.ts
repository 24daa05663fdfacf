/**
 * A keyspace's handle: checks arguments, encodes, reads on the calling thread, sends writes.
 */
import { prefixEnd } from '../shared/bytes/compare.js';
import {
  type IntegerMode,
  presentInteger,
  recordDeadline,
  type Value,
  type ValueType,
} from '../shared/bytes/value-codec.js';
import { invalidType, MnemeError, outOfRange } from '../shared/errors.js';
import type { KeysKind, KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { collectionCounts } from '../shared/keyspaces/collection-names.js';
import { expiredWithPrefix } from '../shared/keyspaces/expiry.js';
import { findRecord, isExpired, readValue, recordType } from '../shared/keyspaces/values.js';
import { INT64_MAX, INT64_MIN } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import { rankOf } from '../shared/tree/cursor.js';
import type { Core } from './core.js';
import { deadlineAfter, deadlineRequest, type SetOptions } from './deadline.js';
import type { HandleKind } from './handle-definition.js';
import { ItemIteration } from './item-iteration.js';
import { type Key, keyBytes, writeKey } from './keys.js';
import { KeyspaceAccess, type View } from './keyspace-access.js';
import { List } from './list.js';
import { boundsOf, EntryReader, type RangeOptions, rangeOptions, rangeRequest } from './range.js';
import { RangeIterator } from './range-iterator.js';
import { SortedSet } from './sorted-set.js';
import type { Sync } from './transaction.js';
import { VectorKeyspace } from './vector.js';

/** How a keyspace is opened. `keys` is stored with it, `integers` belongs to the handle. */
export interface KeyspaceOptions {
  /** Sealed in the file for those who have a key; as it is stored when absent. */
  encrypted?: boolean;
  /** How integers are read: 'auto' a number when safe, else a bigint. Default 'auto'. */
  integers?: IntegerMode;
  /** What keys are: 'text' (default) or 'bytes'. */
  keys?: KeysKind;
}

/**
 * Of the tree of plain values; `depth` is its levels: 0 when empty, 1 for a single leaf. Then what
 * else the keyspace holds.
 */
export interface KeyspaceStats {
  keys: number;
  depth: number;
  leafPages: number;
  branchPages: number;
  overflowPages: number;
  vectors: number;
  sortedSets: number;
  lists: number;
}

/** A state and the moment at which what is in it expires. */
export interface KeyspaceView extends View {
  readonly now: number;
}

/** What every handle reads with, a snapshot's too. */
export type KeyspaceReader<K extends Key = string> = Pick<
  Keyspace<K>,
  | 'name'
  | 'get'
  | 'getMany'
  | 'exists'
  | 'typeOf'
  | 'ttl'
  | 'range'
  | 'count'
  | 'stats'
  | 'vget'
  | 'vdim'
  | 'vcount'
  | 'vsearch'
  | 'sortedSet'
  | 'list'
>;

/** What a batch callback writes with. */
export type KeyspaceWriter = Pick<
  Keyspace,
  'set' | 'setBytes' | 'setInteger' | 'setFloat' | 'del' | 'delRange' | 'incr' | 'decr'
>;

/** Values of four types by their keys, with vectors, sorted sets and lists beside them. */
export class Keyspace<K extends Key = string> extends VectorKeyspace<K> {
  /** As it was opened by. */
  readonly name: string;
  readonly #access: KeyspaceAccess;
  readonly #core: Core;
  readonly #kind: HandleKind;
  readonly #keys: KeysKind;
  readonly #integers: IntegerMode;
  readonly #now: () => number;

  /** @internal */
  constructor(
    core: Core,
    name: string,
    kind: HandleKind,
    integers: IntegerMode,
    scope: number,
    view?: KeyspaceView,
    access: KeyspaceAccess = new KeyspaceAccess(core, name, kind, scope, view),
  ) {
    super(core, access, kind.keys);
    this.name = name;
    this.#core = core;
    this.#kind = kind;
    this.#keys = kind.keys;
    this.#integers = integers;
    this.#access = access;
    this.#now = view === undefined ? core.options.clock : () => view.now;
  }

  /** Where the handle comes from. @internal */
  get origin() {
    return { core: this.#core, keys: this.#keys, view: this.#access.view };
  }

  /** True when it exists. @throws {MnemeError} `ERR_MNEME_TYPE_MISMATCH` @internal */
  checkStored(): boolean {
    return this.#access.read(() => this.#access.record() !== undefined);
  }

  /** The value of a key, or undefined when it is missing or has expired. */
  get(key: Key): Value | undefined {
    this.#access.assertReadable();
    const { source } = this.#core;
    const start = source.keyAddress;
    const end = start + writeKey(key, this.#keys, source.memory.text, start);
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return undefined;
      return readValue(source.of(record), record.values, start, end, this.#now, this.#integers);
    });
  }

  /** The values of several keys in the order asked, all of one state. */
  getMany(keys: Iterable<Key>): (Value | undefined)[] {
    this.#access.assertReadable();
    if (typeof keys?.[Symbol.iterator] !== 'function') throw invalidType('keys', 'iterable', keys);
    const all = Array.from(keys, (key) => keyBytes(key, this.#keys));
    const now = this.#now();
    return this.#access.read(() => {
      const record = this.#access.record();
      return all.map((key) => {
        if (record === undefined) return undefined;
        const source = this.#core.source.of(record);
        const start = source.placeKey(key);
        const end = start + key.length;
        return readValue(source, record.values, start, end, () => now, this.#integers);
      });
    });
  }

  /** True when the key has a value that has not expired. */
  exists(key: Key): boolean {
    return this.#readRecord(key, () => true) ?? false;
  }

  /** The type of a key's value, or undefined when it is missing or has expired. */
  typeOf(key: Key): ValueType | undefined {
    return this.#readRecord(key, (address) => recordType(this.#core.source, address));
  }

  /** Seconds left; undefined when the key has no TTL, is missing or has expired. */
  ttl(key: Key): number | undefined {
    return this.#readRecord(key, (_, deadline, now) => {
      return deadline === 0 ? undefined : (deadline - now) / 1000;
    });
  }

  #readRecord<T>(
    key: Key,
    read: (address: number, deadline: number, now: number) => T,
  ): T | undefined {
    this.#access.assertReadable();
    const { source } = this.#core;
    const start = source.keyAddress;
    const end = start + writeKey(key, this.#keys, source.memory.text, start);
    const now = this.#now();
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return undefined;
      const place = findRecord(source.of(record), record.values, start, end);
      if (place === undefined) return undefined;
      const deadline = recordDeadline(source.memory.u8, place.address);
      return isExpired(deadline, now) ? undefined : read(place.address, deadline, now);
    });
  }

  /**
   * Pairs in byte order of their keys: `start <= key < end`, an undefined bound being open, or as
   * the options say. O(log n) to start, whatever `offset` is.
   */
  range(start?: Key | RangeOptions, end?: Key): RangeIterator<[K, Value]> {
    this.#access.assertReadable();
    const request = rangeRequest(rangeOptions(start, end), this.#keys);
    const style = { keys: this.#keys, integers: this.#integers };
    const { source } = this.#core;
    const now = this.#now();
    const open = (record: KeyspaceRecord) =>
      new EntryReader<K>(source.of(record), record, request, style, now);
    return new RangeIterator(new ItemIteration(this.#core, this.#access, this.#integers, open));
  }

  /** Visible keys with this prefix. O(log n + expired and not yet purged). */
  count(prefix?: Key): number {
    this.#access.assertReadable();
    const low = prefix === undefined ? new Uint8Array(0) : keyBytes(prefix, 'bytes');
    const high = prefixEnd(low);
    const now = this.#now();
    return this.#access.read(() => {
      const record = this.#access.record();
      if (record === undefined) return 0;
      const source = this.#core.source.of(record);
      const { values, expiry } = record;
      const from = low.length === 0 ? 0 : rankOf(source, values, low);
      const to = high === undefined ? values.count : rankOf(source, values, high);
      return to - from - expiredWithPrefix(source, expiry, now, low);
    });
  }

  /** Counts and page counts; `keys` are the visible ones. */
  stats(): KeyspaceStats {
    const keys = this.count();
    return this.#access.read(() => {
      const record = this.#access.record();
      const { level = -1, leafPages = 0, branchPages = 0 } = record?.values ?? {};
      const overflowPages = record?.overflowPages ?? 0;
      const none = { sortedSets: 0, lists: 0 };
      const collections =
        record === undefined ? none : collectionCounts(this.#core.source.of(record), record);
      const others = { vectors: record?.vectorSlots.count ?? 0, ...collections };
      return { keys, depth: level + 1, leafPages, branchPages, overflowPages, ...others };
    });
  }

  /**
   * Stores a value; its type is kept. @throws {TypeError} for anything but text, number, bigint,
   * bytes.
   */
  set(key: Key, value: Value, options?: SetOptions): void {
    const now = this.#now();
    const request = deadlineRequest(options, now);
    if (request.isPast) {
      this.#access.checkValue(value);
      this.#delValue(key, now);
    } else this.#access.set(key, value, request, now);
  }

  /** Stores bytes; text is stored as its UTF-8 and reads back as bytes. */
  setBytes(key: Key, value: Key, options?: SetOptions): void {
    if (typeof value === 'string') {
      if (!value.isWellFormed()) throw invalidType('value', 'well-formed text', value);
      this.set(key, new Uint8Array(Buffer.from(value)), options);
    } else if (value instanceof Uint8Array) this.set(key, value, options);
    else throw invalidType('value', 'a string or Uint8Array', value);
  }

  /**
   * Stores an integer. @throws {RangeError} when it is not a safe one, or a bigint beyond int64.
   */
  setInteger(key: Key, value: number | bigint, options?: SetOptions): void {
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw invalidType('value', 'a number or bigint', value);
    }
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw outOfRange('value', 'a safe integer, or a bigint', value);
    }
    this.set(key, typeof value === 'number' ? value + 0 : value, options);
  }

  /** Stores a double, whole or not; it reads back as a number. */
  setFloat(key: Key, value: number, options?: SetOptions): void {
    if (typeof value !== 'number') throw invalidType('value', 'a number', value);
    const now = this.#now();
    const request = deadlineRequest(options, now);
    if (request.isPast) this.#delValue(key, now);
    else this.#access.setFloat(key, value, request, now);
  }

  /** Removes a key's value and its vector. True when there was either; see `exists`. */
  del(key: Key): boolean {
    return this.#access.sendKey(messages.DELETE, key, 0, this.#now()) === 1;
  }

  /** A deadline in the past takes the value away, and nothing else. */
  #delValue(key: Key, now: number): void {
    this.#access.sendKey(messages.EXPIRE, key, 0, now);
  }

  /** Removes the values and vectors of a range; returns how many visible values went. */
  delRange(options: Omit<RangeOptions, 'reverse' | 'offset' | 'limit'>): number {
    if (typeof options !== 'object' || options === null) {
      throw invalidType('options', 'an object', options);
    }
    const { low, high } = boundsOf(options, this.#keys);
    return this.#access.sendRange(low, high, this.#now());
  }

  /**
   * Adds to an integer, a missing key being 0, and returns the sum. The TTL stays.
   * @throws {MnemeError} `ERR_MNEME_TYPE_MISMATCH`, `ERR_MNEME_INTEGER_OVERFLOW`.
   */
  incr(key: Key, delta: number | bigint = 1): number | bigint {
    return this.#add(key, checkDelta(delta));
  }

  /** Subtracts from an integer; see `incr`. */
  decr(key: Key, delta: number | bigint = 1): number | bigint {
    return this.#add(key, -checkDelta(delta));
  }

  #add(key: Key, delta: bigint): number | bigint {
    this.#access.assertWritable();
    keyBytes(key, this.#keys);
    if (delta < INT64_MIN || delta > INT64_MAX) throw new MnemeError('ERR_MNEME_INTEGER_OVERFLOW');
    const sum = this.#access.sendIncrement(key, delta, this.#now());
    const number = Number(sum);
    return presentInteger(Number.isSafeInteger(number) ? number : sum, this.#integers);
  }

  /** Takes away a key's TTL. True when it had one. */
  persist(key: Key): boolean {
    return this.#access.sendKey(messages.PERSIST, key, 0, this.#now()) === 1;
  }

  /** Lets a key expire in `seconds`; 0 or less removes it. True when the key was there. */
  expire(key: Key, seconds: number): boolean {
    if (typeof seconds !== 'number') throw invalidType('seconds', 'a number', seconds);
    if (!Number.isFinite(seconds)) throw outOfRange('seconds', 'a finite number', seconds);
    const now = this.#now();
    const deadline = seconds <= 0 ? 0 : deadlineAfter('seconds', seconds, now);
    return this.#access.sendKey(messages.EXPIRE, key, deadline, now) === 1;
  }

  /** Removes all expired keys of this keyspace; returns how many. */
  purgeExpired(): number {
    return this.#access.sendPurge(this.#now());
  }

  /** A handle of a sorted set, which comes into being with its first member. */
  sortedSet(name: Key): SortedSet {
    this.#access.assertReadable();
    return new SortedSet(this.#core, this.#access, name);
  }

  /** A handle of a list, which comes into being with its first value. */
  list(name: Key): List {
    this.#access.assertReadable();
    return new List(this.#core, this.#access, this.#integers, name);
  }

  /** All operations of `fn` in one transaction and one sync; `fn` throwing undoes all of them. */
  batch<R>(fn: (batch: KeyspaceWriter) => Sync<R>): R {
    if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn);
    const { transactions } = this.#core;
    this.#access.assertWritable();
    return transactions.run(() => fn(this.#scoped(transactions.scope))) as R;
  }

  #scoped(scope: number): Keyspace<K> {
    return new Keyspace<K>(this.#core, this.name, this.#kind, this.#integers, scope);
  }
}

function checkDelta(delta: number | bigint): bigint {
  if (typeof delta === 'bigint') return delta;
  if (typeof delta !== 'number' || !Number.isInteger(delta)) {
    throw invalidType('delta', 'a whole number or bigint', delta);
  }
  return BigInt(delta);
}
