/**
 * From the bounds of a range to its entries, leaf by leaf.
 *
 * A counted tree turns bounds into ranks, so an iterator knows before it starts how many entries it
 * will pass, and `offset` costs one descent. Expired and not yet purged keys are the exception:
 * they are few, listed by the expiry index, and stepped over.
 */
import { compareBytes, keyAfter, prefixEnd } from '../shared/bytes/compare.js';
import { asciiText, utf8Text } from '../shared/bytes/text.js';
import { type IntegerMode, recordDeadline, type Value } from '../shared/bytes/value-codec.js';
import { invalidType, outOfRange } from '../shared/errors.js';
import type { KeysKind, KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { expiredCount, expiredKeys } from '../shared/keyspaces/expiry.js';
import { isExpired } from '../shared/keyspaces/values.js';
import { SCRATCH_BYTES } from '../shared/memory/shared-memory.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { rankOf } from '../shared/tree/cursor.js';
import { valueAddress } from '../shared/tree/node.js';
import { type RankRun, RankWalk } from '../shared/tree/rank-walk.js';
import { finishValue, type ItemReader, type LateValue, valueInLeaf } from './item-reader.js';
import { type Key, keyBytes } from './keys.js';

/** Bounds run low to high whatever the order; all given ones apply. */
export interface RangeOptions {
  /** Only keys above this one. */
  gt?: Key;
  /** Only this key and those above. */
  gte?: Key;
  /** Only keys below this one. */
  lt?: Key;
  /** Only this key and those below. */
  lte?: Key;
  /** Only keys that begin with these bytes. */
  prefix?: Key;
  /** From the highest key down. Default false. */
  reverse?: boolean;
  /** Visible entries to pass over first. Default 0. */
  offset?: number;
  /** Entries at most. Default all. */
  limit?: number;
}

/** low <= key < high in bytes; undefined is open. */
export interface Bounds {
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
}

export interface RangeRequest extends Bounds {
  readonly reverse: boolean;
  readonly offset: number;
  readonly limit: number;
}

function larger(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a === undefined || compareBytes(a, b) < 0 ? b : a;
}

function smaller(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareBytes(a, b) < 0 ? a : b;
}

export function boundsOf(options: RangeOptions, kind: KeysKind): Bounds {
  let low: Uint8Array | undefined;
  let high: Uint8Array | undefined;
  if (options.gte !== undefined) low = larger(low, keyBytes(options.gte, kind));
  if (options.gt !== undefined) low = larger(low, keyAfter(keyBytes(options.gt, kind)));
  if (options.lt !== undefined) high = smaller(high, keyBytes(options.lt, kind));
  if (options.lte !== undefined) high = smaller(high, keyAfter(keyBytes(options.lte, kind)));
  if (options.prefix !== undefined) {
    // A prefix may end within a character, so it is not held to be valid text.
    const prefix = keyBytes(options.prefix, 'bytes');
    low = larger(low, prefix);
    high = smaller(high, prefixEnd(prefix));
  }
  return { low, high };
}

/** A count that an option gives: whole and not negative; a limit may be infinite. */
export function checkCount(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (value === Number.POSITIVE_INFINITY && name === 'limit') return value;
  if (!Number.isInteger(value) || value < 0) {
    throw outOfRange(name, 'a non-negative whole number', value);
  }
  return value;
}

/** The options that a start, or options, and an end stand for. */
export function rangeOptions(
  start: Key | RangeOptions | undefined,
  end: Key | undefined,
): RangeOptions {
  const isBound = start === undefined || typeof start === 'string' || start instanceof Uint8Array;
  if (isBound) {
    const options: RangeOptions = {};
    if (start !== undefined) options.gte = start;
    if (end !== undefined) options.lt = end;
    return options;
  }
  if (typeof start !== 'object' || start === null) {
    throw invalidType('start', 'a key or an object', start);
  }
  if (end !== undefined) throw invalidType('end', 'undefined behind options', end);
  return start;
}

export function rangeRequest(options: RangeOptions, kind: KeysKind): RangeRequest {
  const { reverse = false } = options;
  if (typeof reverse !== 'boolean') throw invalidType('reverse', 'a boolean', reverse);
  const offset = checkCount('offset', options.offset, 0);
  const limit = checkCount('limit', options.limit, Number.POSITIVE_INFINITY);
  return { ...boundsOf(options, kind), reverse, offset, limit };
}

/** Ranks of the first entry of a walk and of the one behind its last, in its direction. */
interface Walk {
  readonly start: number;
  readonly end: number;
  /** True when expired entries may lie on the way. */
  readonly hasExpired: boolean;
}

function planWalk(
  source: PageSource,
  record: KeyspaceRecord,
  request: RangeRequest,
  now: number,
): Walk {
  const { values, expiry } = record;
  const { low, high, reverse, offset } = request;
  const from = low === undefined ? 0 : rankOf(source, values, low);
  const to = high === undefined ? values.count : rankOf(source, values, high);
  const hasExpired = expiredCount(source, expiry, now) > 0;
  let start = reverse ? to - 1 - offset : from + offset;
  if (hasExpired && offset > 0) {
    const ranks = expiredKeys(source, expiry, now)
      .map(({ key }) => rankOf(source, values, key))
      .sort((a, b) => a - b);
    if (reverse) {
      for (const rank of ranks.reverse()) if (rank < to && rank >= start) start--;
    } else {
      for (const rank of ranks) if (rank >= from && rank <= start) start++;
    }
  }
  return { start, end: reverse ? from - 1 : to, hasExpired };
}

/** How a handle wants its entries. */
export interface EntryStyle {
  readonly keys: KeysKind;
  readonly integers: IntegerMode;
}

/** How the scratch window is divided between keys and their lengths. */
const KEYS_BYTES = SCRATCH_BYTES - 32768;
const KEYS_MAX = 8000;

/** Reads the entries of a range in order, one leaf at a time. */
export class EntryReader<K extends Key> implements ItemReader<[K, Value]> {
  readonly #source: PageSource;
  readonly #style: EntryStyle;
  readonly #now: number;
  readonly #walk: RankWalk;
  readonly #hasExpired: boolean;
  #left: number;
  readonly keys: K[] = [];
  readonly #values: (Value | LateValue)[] = [];
  #position = 0;

  constructor(
    source: PageSource,
    record: KeyspaceRecord,
    request: RangeRequest,
    style: EntryStyle,
    now: number,
  ) {
    this.#source = source;
    this.#style = style;
    this.#now = now;
    const { start, end, hasExpired } = planWalk(source, record, request, now);
    this.#walk = new RankWalk(source, record.values, start, end, request.reverse);
    this.#hasExpired = hasExpired;
    this.#left = request.limit;
  }

  /** True while the leaf at hand has entries left. */
  get hasRead(): boolean {
    return this.#position < this.keys.length;
  }

  /** True when no leaf has to be read any more. */
  get isAtEnd(): boolean {
    return this.#left <= 0 || this.#walk.isAtEnd;
  }

  /** The next entry of the leaf at hand. `readLate` is called for a value outside of the leaf. */
  take(readLate: (record: Uint8Array) => Value): { readonly item: [K, Value] } {
    const at = this.#position++;
    const value = this.#values[at] as Value | LateValue;
    return { item: [this.keys[at] as K, finishValue(value, readLate)] };
  }

  /** Reads the next leaf that has visible entries. */
  readLeaf(): void {
    this.keys.length = 0;
    this.#values.length = 0;
    this.#position = 0;
    while (this.keys.length === 0 && !this.isAtEnd) this.#readEntries(this.#walk.nextLeaf());
  }

  #readEntries({ leaf, index: first, step, count }: RankRun): void {
    let index = first;
    let wanted = count;
    while (wanted > 0 && this.#left > 0) {
      const keys = this.#readKeys(leaf, index, step, Math.min(wanted, this.#left, KEYS_MAX));
      for (const key of keys) {
        this.#readEntry(leaf, index, key);
        index += step;
      }
      wanted -= keys.length;
    }
  }

  #readEntry(leaf: number, index: number, key: K): void {
    const { memory } = this.#source;
    const address = valueAddress(memory, leaf, index);
    if (this.#hasExpired && isExpired(recordDeadline(memory.u8, address), this.#now)) return;
    this.#left--;
    this.keys.push(key);
    this.#values.push(valueInLeaf(this.#source, leaf, index, this.#style.integers));
  }

  /** The keys of up to `countMax` entries; one at least. */
  #readKeys(leaf: number, from: number, step: number, countMax: number): K[] {
    const { memory, slot } = this.#source;
    const { kernels, nodeBytes, i32, text, u8 } = memory;
    const start = memory.scratchAddress(slot.index);
    const limit = start + KEYS_BYTES;
    const count = kernels.copyKeys(leaf, nodeBytes, from, step, countMax, start, limit, limit);
    const lengths = i32.subarray(limit >>> 2, (limit >>> 2) + count);
    const isAscii = i32[(limit >>> 2) + count] === 0;
    // One text for all keys of a leaf, which share it: a call for each takes twice the time.
    const end = start + lengths.reduce((sum, length) => sum + length, 0);
    const shared = isAscii && this.#style.keys === 'text' ? asciiText(text, start, end) : '';
    const keys: Key[] = [];
    let at = start;
    for (const length of lengths) {
      const next = at + length;
      if (this.#style.keys === 'bytes') keys.push(u8.slice(at, next));
      else if (isAscii) keys.push(shared.substring(at - start, next - start));
      else keys.push(utf8Text(text, at, next));
      at = next;
    }
    return keys as K[];
  }
}
