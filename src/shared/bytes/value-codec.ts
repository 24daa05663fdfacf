/**
 * Typed values to records and back.
 *
 *   offset  size  field
 *        0     1  tag: bits 0-2 type, bit 4 has a deadline, bit 5 the payload is in an overflow
 *                 extent, bit 6 has the number of a document
 *        1     6  deadline, ms since the epoch, or number; only when the tag says so
 *     then        payload
 *
 * Payload by type: ASCII text and UTF-8 text (told apart because the former decodes faster) and
 * bytes as they are; an integer as the 1, 2, 4 or 8 bytes that hold it in two's complement; a float
 * as 8 bytes. An overflow payload is length, page id and checksum (overflow-page.ts).
 */
import { invalidType, MnemeError, outOfRange } from '../errors.js';
import { INT64_MAX, INT64_MIN } from '../limits.js';
import { readF64, readI32, readU16, readU48, writeF64, writeU16, writeU32 } from './integers.js';
import { asciiText, checkWellFormed, utf8Text, writeText } from './text.js';

/** What a key can have: text, an integer or float, a 64-bit integer, bytes. */
export type Value = string | number | bigint | Uint8Array;
/** What a value was stored as. */
export type ValueType = 'text' | 'bytes' | 'integer' | 'float';
/**
 * How integers are read. 'auto': a number when it is safe, else a bigint. 'number': a number, and
 * RangeError when it is not safe. 'bigint': always a bigint.
 */
export type IntegerMode = 'auto' | 'number' | 'bigint';

export const TAG_ASCII = 0;
export const TAG_UTF8 = 1;
export const TAG_BYTES = 2;
export const TAG_INTEGER = 3;
export const TAG_FLOAT = 4;
export const TYPE_MASK = 7;
export const DEADLINE_FLAG = 16;
export const OVERFLOW_FLAG = 32;
export const NUMBER_FLAG = 64;
export const TAG_BYTES_LENGTH = 1;
export const DEADLINE_BYTES = 6;
/** Tag, deadline and an overflow pointer: the shortest form of any value. */
export const RECORD_BYTES_MIN = 1 + 6 + 16;
const TWO_POW_32 = 2 ** 32;

const TYPE_NAMES: readonly ValueType[] = ['text', 'text', 'bytes', 'integer', 'float'];

/** The type that a tag means; undefined when no version of MNEME writes it. */
export function typeOfTag(tag: number): ValueType | undefined {
  return TYPE_NAMES[tag & TYPE_MASK];
}

/** The deadline of a record, or 0 when it has none. */
export function recordDeadline(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) & DEADLINE_FLAG) !== 0 ? readU48(bytes, offset + 1) : 0;
}

/** The number of the document whose text a record holds, or 0 when it is no such record. */
export function recordNumber(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) & NUMBER_FLAG) !== 0 ? readU48(bytes, offset + 1) : 0;
}

/** Where the payload starts behind a record's tag and its deadline or number. */
export function payloadOffset(bytes: Uint8Array, offset: number): number {
  const hasMore = ((bytes[offset] as number) & (DEADLINE_FLAG | NUMBER_FLAG)) !== 0;
  return offset + TAG_BYTES_LENGTH + (hasMore ? DEADLINE_BYTES : 0);
}

/** Writes tag and payload; returns the bytes written. The room needed is in `encodedBytesMax`. */
export function encodeValue(value: Value, target: Buffer, offset: number): number {
  if (typeof value === 'string') return encodeText(value, target, offset);
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0)
      ? encodeInteger(value, target, offset)
      : encodeFloat(value, target, offset);
  }
  if (typeof value === 'bigint') return encodeInteger(value, target, offset);
  if (value instanceof Uint8Array) return encodeBytes(value, target, offset);
  throw invalidType('value', 'a string, number, bigint or Uint8Array', value);
}

export function encodedBytesMax(value: Value): number {
  if (typeof value === 'string') return TAG_BYTES_LENGTH + value.length * 3;
  if (value instanceof Uint8Array) return TAG_BYTES_LENGTH + value.length;
  return TAG_BYTES_LENGTH + 8;
}

export function encodeText(value: string, target: Buffer, offset: number): number {
  const length = writeText(target, value, offset + 1);
  if (length !== value.length) checkWellFormed(value, 'value');
  target[offset] = length === value.length ? TAG_ASCII : TAG_UTF8;
  return TAG_BYTES_LENGTH + length;
}

export function encodeBytes(value: Uint8Array, target: Buffer, offset: number): number {
  target[offset] = TAG_BYTES;
  target.set(value, offset + 1);
  return TAG_BYTES_LENGTH + value.length;
}

export function encodeFloat(value: number, target: Buffer, offset: number): number {
  target[offset] = TAG_FLOAT;
  writeF64(target, offset + 1, value);
  return TAG_BYTES_LENGTH + 8;
}

/** @throws {RangeError} outside int64. */
export function encodeInteger(value: number | bigint, target: Uint8Array, offset: number): number {
  target[offset] = TAG_INTEGER;
  const at = offset + 1;
  const small = typeof value === 'bigint' ? smallNumber(value) : value;
  if (small === undefined) {
    const words = BigInt.asUintN(64, value as bigint);
    writeU32(target, at, Number(words & 0xffffffffn));
    writeU32(target, at + 4, Number(words >> 32n));
    return TAG_BYTES_LENGTH + 8;
  }
  if (small === (small << 24) >> 24) {
    target[at] = small;
    return TAG_BYTES_LENGTH + 1;
  }
  if (small === (small << 16) >> 16) {
    writeU16(target, at, small);
    return TAG_BYTES_LENGTH + 2;
  }
  writeU32(target, at, small % TWO_POW_32);
  if (small === (small | 0)) return TAG_BYTES_LENGTH + 4;
  writeU32(target, at, small - Math.floor(small / TWO_POW_32) * TWO_POW_32);
  writeU32(target, at + 4, Math.floor(small / TWO_POW_32));
  return TAG_BYTES_LENGTH + 8;
}

/** The bigint as a number when that is exact. */
function smallNumber(value: bigint): number | undefined {
  if (value < INT64_MIN || value > INT64_MAX) {
    throw outOfRange('integer', 'within -(2^63) and 2^63 - 1', value);
  }
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * An integer payload: a number when it is safe, else a bigint. @throws `ERR_MNEME_CORRUPT`
 */
export function decodeInteger(bytes: Uint8Array, offset: number, length: number): number | bigint {
  if (length === 1) return ((bytes[offset] as number) << 24) >> 24;
  if (length === 2) return (readU16(bytes, offset) << 16) >> 16;
  if (length === 4) return readI32(bytes, offset);
  if (length !== 8) throw damaged();
  const low = readI32(bytes, offset) >>> 0;
  const high = readI32(bytes, offset + 4);
  const number = high * TWO_POW_32 + low;
  return Number.isSafeInteger(number) ? number : (BigInt(high) << 32n) | BigInt(low);
}

/** An integer as the keyspace's handle wants it. @throws {RangeError} in mode 'number'. */
export function presentInteger(value: number | bigint, mode: IntegerMode): number | bigint {
  if (mode === 'bigint') return BigInt(value);
  if (mode === 'number' && typeof value === 'bigint') {
    throw outOfRange('integer', "a safe integer in mode 'number'", value);
  }
  return value;
}

/** A payload to the value it stands for; bytes are copied. @throws `ERR_MNEME_CORRUPT` */
export function decodePayload(
  tag: number,
  source: Buffer,
  offset: number,
  length: number,
  mode: IntegerMode,
): Value {
  if (length < 0) throw damaged();
  switch (tag & TYPE_MASK) {
    case TAG_ASCII:
      return asciiText(source, offset, offset + length);
    case TAG_UTF8:
      return utf8Text(source, offset, offset + length);
    case TAG_BYTES:
      return copyOut(source, offset, length);
    case TAG_INTEGER:
      return presentInteger(decodeInteger(source, offset, length), mode);
    case TAG_FLOAT:
      if (length !== 8) throw damaged();
      return readF64(source, offset);
    default:
      throw damaged();
  }
}

function damaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: 'no value is stored like this' });
}

const POOL_BYTES = 65536;
let pool = new Uint8Array(POOL_BYTES);
let poolUsed = 0;

/**
 * Own bytes of the caller; small ones share a buffer, since making one costs more than the copy.
 */
function copyOut(source: Uint8Array, offset: number, length: number): Uint8Array {
  if (length > POOL_BYTES >>> 3) {
    const copy = new Uint8Array(length);
    copy.set(source.subarray(offset, offset + length));
    return copy;
  }
  if (poolUsed + length > POOL_BYTES) {
    pool = new Uint8Array(POOL_BYTES);
    poolUsed = 0;
  }
  const copy = new Uint8Array(pool.buffer, poolUsed, length);
  copy.set(source.subarray(offset, offset + length));
  poolUsed += length;
  return copy;
}
