/**
 * Keys and values as short descriptions, so that a failing sequence stays readable: a text of
 * 300 KiB is printed as its seed and length, and made only when a step needs it.
 */
import type { Key, RangeOptions, SetOptions, Value } from 'mneme';

/** `unit` repeated, then `suffix`: long shared prefixes in few characters. */
export interface TextKeySpec {
  readonly unit: string;
  readonly repeat: number;
  readonly suffix: string;
  /** Given as UTF-8 bytes, which names the same key. */
  readonly asBytes: boolean;
}

/** Bytes for a keyspace of bytes; the text of those characters elsewhere. */
export interface BytesKeySpec {
  readonly bytes: readonly number[];
  /** Given as they are to a keyspace of text, too. */
  readonly isRaw: boolean;
}

export type KeySpec = TextKeySpec | BytesKeySpec;
export type KeysMode = 'text' | 'bytes';

export function keyOf(spec: KeySpec, keys: KeysMode): Key {
  if ('bytes' in spec) {
    if (keys === 'bytes' || spec.isRaw) return Uint8Array.from(spec.bytes);
    return String.fromCharCode(...spec.bytes);
  }
  const text = spec.unit.repeat(spec.repeat) + spec.suffix;
  return spec.asBytes ? Uint8Array.from(Buffer.from(text, 'utf8')) : text;
}

export interface LongValueSpec {
  readonly long: 'ascii' | 'unicode' | 'bytes';
  readonly seed: number;
  readonly length: number;
}

export type ValueSpec = { readonly value: unknown } | LongValueSpec;

/** The value described. What is no value at all is passed on as if it were one. */
export function describedValue(spec: ValueSpec): Value {
  if ('value' in spec) return spec.value as Value;
  if (spec.long === 'bytes') return longBytes(spec.seed, spec.length);
  return longText(spec);
}

/** Every part differs from every other, so that a page in the wrong place shows. */
function longText({ long, seed, length }: LongValueSpec): string {
  const mark = long === 'unicode' ? 'é€𝄞' : '';
  const parts: string[] = [];
  let size = 0;
  for (let index = 0; size < length; index++) {
    const part = `${seed.toString(36)}${mark}${index.toString(36)},`;
    parts.push(part);
    size += part.length;
  }
  const text = parts.join('').slice(0, length);
  return text.isWellFormed() ? text : text.slice(0, -1);
}

function longBytes(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** How long a value lives; moments are given relative to the clock. */
export type ExpirySpec =
  | { readonly kind: 'none' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'ttl'; readonly seconds: number }
  | { readonly kind: 'at'; readonly inMs: number; readonly asDate: boolean };

export function setOptionsOf(spec: ExpirySpec, now: number): SetOptions | undefined {
  switch (spec.kind) {
    case 'none':
      return undefined;
    case 'keep':
      return { keepTtl: true };
    case 'ttl':
      return { ttl: spec.seconds };
    case 'at': {
      const moment = now + spec.inMs;
      return { expiresAt: spec.asDate ? new Date(moment) : moment };
    }
  }
}

export interface BoundsSpec {
  readonly gt?: KeySpec | undefined;
  readonly gte?: KeySpec | undefined;
  readonly lt?: KeySpec | undefined;
  readonly lte?: KeySpec | undefined;
  readonly prefix?: KeySpec | undefined;
}

export interface RangeSpec extends BoundsSpec {
  readonly reverse?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** The range described, without the members that are not given. */
export function rangeOptionsOf(spec: RangeSpec, keys: KeysMode): RangeOptions {
  const options: RangeOptions = {};
  for (const bound of ['gt', 'gte', 'lt', 'lte', 'prefix'] as const) {
    const key = spec[bound];
    if (key !== undefined) options[bound] = keyOf(key, keys);
  }
  if (spec.reverse !== undefined) options.reverse = spec.reverse;
  if (spec.offset !== undefined) options.offset = spec.offset;
  if (spec.limit !== undefined) options.limit = spec.limit;
  return options;
}
