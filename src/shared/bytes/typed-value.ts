/**
 * Values as people type them, and as JSON says them whole: with their type, bytes in base64, and
 * numbers that JSON has not as text.
 */

import { outOfRange } from '../errors.js';
import type { Value, ValueType } from './value-codec.js';

/** A value that says its type; what `dump` writes and `load` reads. */
export interface TypedValue {
  readonly type: ValueType;
  readonly value: string | number;
}

export const VALUE_TYPES = ['text', 'int', 'float', 'bytes'] as const;
export type TypedAs = (typeof VALUE_TYPES)[number];
const HEX = /^(?:0x)?((?:[0-9a-f]{2})*)$/iu;
const INTEGER = /^[+-]?\d+$/u;

export function typedValue(value: Value): TypedValue {
  if (value instanceof Uint8Array) {
    return { type: 'bytes', value: Buffer.from(value).toString('base64') };
  }
  if (typeof value === 'bigint') return { type: 'integer', value: `${value}` };
  if (typeof value === 'string') return { type: 'text', value };
  // What reads as a safe integer is stored as one, but for the negative zero.
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return { type: isInteger ? 'integer' : 'float', value: jsonNumber(value) };
}

/** JSON has no NaN, no infinities and no negative zero. */
export function jsonNumber(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The bytes behind a value that was written as base64. */
export function bytesOf({ value }: TypedValue): Uint8Array {
  return new Uint8Array(Buffer.from(String(value), 'base64'));
}

/** What somebody has typed, as a value of a type. @throws {RangeError} */
export function parseValue(text: string, type: TypedAs): Value {
  if (type === 'text') return text;
  if (type === 'bytes') {
    const digits = HEX.exec(text);
    if (digits === null) throw outOfRange('value', 'hex digits, two a byte', 'something else');
    return new Uint8Array(Buffer.from(digits[1] as string, 'hex'));
  }
  if (type === 'int') {
    if (!INTEGER.test(text)) throw outOfRange('value', 'a whole number', 'something else');
    return BigInt(text);
  }
  const number = Number(text);
  if (text.trim() === '' || (Number.isNaN(number) && text !== 'NaN')) {
    throw outOfRange('value', 'a number', 'something else');
  }
  return number;
}

/** A value on one line. */
export function plainValue(value: Value): string {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  return typeof value === 'number' ? numberText(value) : String(value);
}

export function plainKey(key: string | Uint8Array): string {
  return typeof key === 'string' ? key : `0x${Buffer.from(key).toString('hex')}`;
}

/** A key of a keyspace whose keys are bytes is typed in hex. @throws {RangeError} */
export function parseKey(text: string, keys: 'text' | 'bytes'): string | Uint8Array {
  return keys === 'text' ? text : (parseValue(text, 'bytes') as Uint8Array);
}

/** Numbers of a vector: `[1, 2]` or `1,2`. @throws {RangeError} */
export function parseVector(text: string): number[] {
  const numbers = text
    .replace(/^\[|\]$/gu, '')
    .split(',')
    .map(Number);
  if (numbers.some(Number.isNaN))
    throw outOfRange('vector', 'numbers with commas between', 'something else');
  return numbers;
}
