/**
 * What the model stores: a map for each keyspace, and how keys and values get in and out of it.
 *
 * A key is kept as text in which each character is one byte, because JavaScript compares such text
 * in unsigned byte order: sorting it is the order of the contract.
 */
import { isUtf8 } from 'node:buffer';
import type { IntegerMode, Key, Value, ValueType } from 'mneme';
import { ModelError } from './model-error.js';

const KEY_BYTES_MAX = 1024;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export interface Entry {
  readonly type: ValueType;
  /** Integers as bigint, whatever they came as. */
  readonly value: Value;
  /** Milliseconds since the epoch; absent when the entry never expires. */
  readonly deadline?: number;
}

export interface KeyspaceState {
  readonly keys: 'text' | 'bytes';
  /** False while only calls without effect were made: the contract lets those create or not. */
  isCertain: boolean;
  readonly entries: Map<string, Entry>;
}

export type DatabaseState = Map<string, KeyspaceState>;

/** A copy that shares nothing that changes. */
export function copyState(state: DatabaseState): DatabaseState {
  const copy: DatabaseState = new Map();
  for (const [name, keyspace] of state) {
    copy.set(name, { ...keyspace, entries: new Map(keyspace.entries) });
  }
  return copy;
}

/** The bytes of a text or of bytes, one character each. */
export function byteText(key: Key): string {
  if (typeof key === 'string') {
    if (!key.isWellFormed()) throw new TypeError('a lone surrogate');
    return Buffer.from(key, 'utf8').toString('latin1');
  }
  if (!(key instanceof Uint8Array)) throw new TypeError('neither text nor bytes');
  return Buffer.from(key).toString('latin1');
}

/** Checks a key and gives it as it is stored. */
export function storedKey(key: Key, keys: 'text' | 'bytes'): string {
  const stored = byteText(key);
  if (keys === 'text' && key instanceof Uint8Array && !isUtf8(key)) {
    throw new TypeError('bytes that are not UTF-8 in a keyspace of text keys');
  }
  if (stored.length > KEY_BYTES_MAX) throw new ModelError('ERR_MNEME_KEY_TOO_LARGE');
  return stored;
}

/** A stored key as its keyspace gives it back. */
export function givenKey(stored: string, keys: 'text' | 'bytes'): Key {
  const bytes = Buffer.from(stored, 'latin1');
  return keys === 'text' ? bytes.toString('utf8') : Uint8Array.from(bytes);
}

/** An entry of the type that `set` chooses for a value. */
export function entryOf(value: Value): Entry {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('a lone surrogate');
    return { type: 'text', value };
  }
  if (value instanceof Uint8Array) return { type: 'bytes', value: Uint8Array.from(value) };
  if (typeof value === 'bigint') return integerEntry(value);
  if (typeof value !== 'number') throw new TypeError('not a value');
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return isInteger ? integerEntry(BigInt(value)) : { type: 'float', value };
}

export function bytesEntry(value: Key): Entry {
  return { type: 'bytes', value: Uint8Array.from(Buffer.from(byteText(value), 'latin1')) };
}

export function integerEntry(value: number | bigint): Entry {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('unsafe');
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new TypeError('no integer');
  const exact = BigInt(value);
  if (exact < INT64_MIN || exact > INT64_MAX) throw new RangeError('outside int64');
  return { type: 'integer', value: exact };
}

export function floatEntry(value: number): Entry {
  if (typeof value !== 'number') throw new TypeError('not a number');
  return { type: 'float', value };
}

/** The sum of two integers, which must stay one. */
export function addIntegers(value: bigint, delta: bigint): bigint {
  const sum = value + delta;
  if (sum < INT64_MIN || sum > INT64_MAX) throw new ModelError('ERR_MNEME_INTEGER_OVERFLOW');
  return sum;
}

/** A stored value as a handle with this integer mode gives it back. */
export function givenValue(entry: Entry, mode: IntegerMode): Value {
  if (entry.type === 'integer') return givenInteger(entry.value as bigint, mode);
  return entry.value instanceof Uint8Array ? Uint8Array.from(entry.value) : entry.value;
}

export function givenInteger(value: bigint, mode: IntegerMode): number | bigint {
  if (mode === 'bigint') return value;
  const isSafe = Number.isSafeInteger(Number(value));
  if (!isSafe && mode === 'number') throw new RangeError('an unsafe integer');
  return isSafe ? Number(value) : value;
}

export function isVisible(entry: Entry, now: number): boolean {
  return entry.deadline === undefined || now < entry.deadline;
}
