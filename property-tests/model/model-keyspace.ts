/**
 * A keyspace handle of the model: every call spelled out over a map.
 */
import type {
  IntegerMode,
  Key,
  KeyspaceWriter,
  RangeOptions,
  SetOptions,
  Value,
  ValueType,
} from 'mneme';
import { ModelError } from './model-error.js';
import { ModelIterator } from './model-iterator.js';
import { storedKeysWithin, visibleEntries } from './model-range.js';
import {
  addIntegers,
  bytesEntry,
  type Entry,
  entryOf,
  floatEntry,
  givenInteger,
  givenKey,
  givenValue,
  integerEntry,
  isVisible,
  type KeyspaceState,
  storedKey,
} from './stored.js';
import type { SubjectIterator, SubjectKeyspace } from './subject.js';
import { Between, Statistics } from './tolerance.js';

/** What a handle needs of its database. */
export interface ModelHost {
  now(): number;
  isOpen(): boolean;
  find(name: string): KeyspaceState | undefined;
  /** Creates the keyspace when it is missing. */
  obtain(name: string, keys: 'text' | 'bytes', isCertain: boolean): KeyspaceState;
  batch(fn: () => unknown): unknown;
}

/** What a handle is: for which keyspace, and until when. */
export interface HandleSettings {
  readonly name: string;
  readonly keys: 'text' | 'bytes';
  readonly integers: IntegerMode;
  /** True once the batch that gave the handle has ended. */
  readonly hasEnded: () => boolean;
}

export class ModelKeyspace implements SubjectKeyspace {
  readonly name: string;
  readonly #host: ModelHost;
  readonly #settings: HandleSettings;

  constructor(host: ModelHost, settings: HandleSettings) {
    this.name = settings.name;
    this.#host = host;
    this.#settings = settings;
  }

  get(key: Key): Value | undefined {
    const entry = this.#visible(key);
    return entry === undefined ? undefined : givenValue(entry, this.#settings.integers);
  }

  getMany(keys: Iterable<Key>): (Value | undefined)[] {
    return [...keys].map((key) => this.get(key));
  }

  exists(key: Key): boolean {
    return this.#visible(key) !== undefined;
  }

  typeOf(key: Key): ValueType | undefined {
    return this.#visible(key)?.type;
  }

  ttl(key: Key): unknown {
    const deadline = this.#visible(key)?.deadline;
    if (deadline === undefined) return undefined;
    const seconds = (deadline - this.#host.now()) / 1000;
    return new Between(seconds - 0.0001, seconds + 0.0001);
  }

  range(first?: Key | RangeOptions, end?: Key): SubjectIterator<[Key, Value]> {
    this.#check();
    const options = rangeOptions(first, end);
    const { keys, integers } = this.#settings;
    const items = this.#visibleWithin(options).map(([key, entry]): [Key, Value] => [
      givenKey(key, keys),
      givenValue(entry, integers),
    ]);
    return new ModelIterator(items, () => this.#host.isOpen());
  }

  count(prefix?: Key): number {
    this.#check();
    return this.#visibleWithin(prefix === undefined ? {} : { prefix }).length;
  }

  stats(): unknown {
    this.#check();
    const stored = this.#state()?.entries.size ?? 0;
    return new Statistics(this.#visibleWithin({}).length, stored);
  }

  set(key: Key, value: Value, options?: SetOptions): void {
    this.#put(key, () => entryOf(value), options);
  }

  setBytes(key: Key, value: Key, options?: SetOptions): void {
    this.#put(key, () => bytesEntry(value), options);
  }

  setInteger(key: Key, value: number | bigint, options?: SetOptions): void {
    this.#put(key, () => integerEntry(value), options);
  }

  setFloat(key: Key, value: number, options?: SetOptions): void {
    this.#put(key, () => floatEntry(value), options);
  }

  del(key: Key): boolean {
    const existed = this.exists(key);
    const { entries } = this.#obtain(false);
    if (existed) entries.delete(this.#storedKey(key));
    return existed;
  }

  delRange(options: Omit<RangeOptions, 'reverse' | 'offset' | 'limit'>): number {
    this.#check();
    const state = this.#obtain(false);
    const visible = visibleEntries(state, options, this.#host.now()).length;
    for (const key of storedKeysWithin(state, options)) state.entries.delete(key);
    return visible;
  }

  incr(key: Key, delta: number | bigint = 1): number | bigint {
    return this.#add(key, delta, (exact) => exact);
  }

  decr(key: Key, delta: number | bigint = 1): number | bigint {
    return this.#add(key, delta, (exact) => -exact);
  }

  persist(key: Key): boolean {
    const entry = this.#visible(key);
    const { entries } = this.#obtain(false);
    if (entry?.deadline === undefined) return false;
    entries.set(this.#storedKey(key), { type: entry.type, value: entry.value });
    return true;
  }

  expire(key: Key, seconds: number): boolean {
    if (!Number.isFinite(seconds)) throw new RangeError('seconds');
    const entry = this.#visible(key);
    const { entries } = this.#obtain(false);
    if (entry === undefined) return false;
    if (seconds <= 0) entries.delete(this.#storedKey(key));
    else entries.set(this.#storedKey(key), { ...entry, deadline: this.#after(seconds) });
    return true;
  }

  /** Commits before this one may have removed any of the expired entries already. */
  purgeExpired(): unknown {
    this.#check();
    const { entries } = this.#obtain(false);
    const now = this.#host.now();
    const expired = [...entries].filter(([, entry]) => !isVisible(entry, now));
    for (const [key] of expired) entries.delete(key);
    return new Between(0, expired.length);
  }

  batch(fn: (writer: KeyspaceWriter) => unknown): unknown {
    this.#check();
    let hasEnded = false;
    const writer = new ModelKeyspace(this.#host, { ...this.#settings, hasEnded: () => hasEnded });
    try {
      return this.#host.batch(() => fn(writer));
    } finally {
      hasEnded = true;
    }
  }

  #check(): void {
    if (this.#settings.hasEnded()) throw new ModelError('ERR_MNEME_BATCH_CLOSED');
    if (!this.#host.isOpen()) throw new ModelError('ERR_MNEME_CLOSED');
  }

  #state(): KeyspaceState | undefined {
    return this.#host.find(this.name);
  }

  #obtain(isCertain: boolean): KeyspaceState {
    return this.#host.obtain(this.name, this.#settings.keys, isCertain);
  }

  #storedKey(key: Key): string {
    return storedKey(key, this.#settings.keys);
  }

  #visible(key: Key): Entry | undefined {
    this.#check();
    const entry = this.#state()?.entries.get(this.#storedKey(key));
    return entry !== undefined && isVisible(entry, this.#host.now()) ? entry : undefined;
  }

  #visibleWithin(options: RangeOptions): [string, Entry][] {
    const nothing: KeyspaceState = { keys: 'bytes', isCertain: false, entries: new Map() };
    return visibleEntries(this.#state() ?? nothing, options, this.#host.now());
  }

  #after(seconds: number): number {
    return this.#host.now() + Math.ceil(seconds * 1000);
  }

  /** All that can be wrong is found before anything changes. */
  #put(key: Key, makeEntry: () => Entry, options: SetOptions = {}): void {
    this.#check();
    const stored = this.#storedKey(key);
    const { type, value } = makeEntry();
    const deadline = this.#deadline(key, options);
    const isOver = deadline !== undefined && deadline <= this.#host.now();
    const { entries } = this.#obtain(!isOver);
    if (isOver) entries.delete(stored);
    else entries.set(stored, deadline === undefined ? { type, value } : { type, value, deadline });
  }

  #deadline(key: Key, options: SetOptions): number | undefined {
    const { ttl, expiresAt, keepTtl } = options;
    const given = [ttl, expiresAt, keepTtl].filter((option) => option !== undefined);
    if (given.length > 1) throw new TypeError('two of ttl, expiresAt, keepTtl');
    if (ttl !== undefined) {
      if (!Number.isFinite(ttl) || ttl <= 0) throw new RangeError('ttl');
      return this.#after(ttl);
    }
    if (expiresAt !== undefined) return Number(expiresAt);
    return keepTtl === true ? this.#visible(key)?.deadline : undefined;
  }

  #add(key: Key, delta: number | bigint, sign: (exact: bigint) => bigint): number | bigint {
    this.#check();
    const stored = this.#storedKey(key);
    const isInteger = typeof delta === 'bigint' || Number.isSafeInteger(delta);
    if (!isInteger) throw new TypeError('delta');
    const old = this.#visible(key);
    if (old !== undefined && old.type !== 'integer')
      throw new ModelError('ERR_MNEME_TYPE_MISMATCH');
    const sum = addIntegers(BigInt((old?.value as bigint | undefined) ?? 0n), sign(BigInt(delta)));
    const entry: Entry = { ...old, type: 'integer', value: sum };
    this.#obtain(true).entries.set(stored, entry);
    return givenInteger(sum, this.#settings.integers);
  }
}

/** Both forms of `range` as options. */
function rangeOptions(first: Key | RangeOptions | undefined, end: Key | undefined): RangeOptions {
  if (typeof first === 'object' && !(first instanceof Uint8Array)) return first;
  return {
    ...(first === undefined ? {} : { gte: first }),
    ...(end === undefined ? {} : { lt: end }),
  };
}
