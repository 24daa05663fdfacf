/**
 * Numbers as 8 bytes each that sort, byte by byte, as the numbers do.
 *
 * Big-endian. An id as it is; an integer with its sign bit flipped; a double with its sign bit
 * flipped when it is positive, else with all its bits: so larger negative ones come first.
 */
const TWO_POW_32 = 2 ** 32;
const SIGN = 0x80000000;
export const ORDERED_BYTES = 8;

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function readWord(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** An id: a whole number that is not negative. */
export function writeOrderedId(bytes: Uint8Array, at: number, id: number): void {
  writeWord(bytes, at, Math.floor(id / TWO_POW_32));
  writeWord(bytes, at + 4, id % TWO_POW_32);
}

export function readOrderedId(bytes: Uint8Array, at: number): number {
  return readWord(bytes, at) * TWO_POW_32 + readWord(bytes, at + 4);
}

/** A safe integer. */
export function writeOrderedInteger(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_POW_32);
  writeWord(bytes, at, high ^ SIGN);
  writeWord(bytes, at + 4, value - high * TWO_POW_32);
}

export function readOrderedInteger(bytes: Uint8Array, at: number): number {
  return ((readWord(bytes, at) ^ SIGN) | 0) * TWO_POW_32 + readWord(bytes, at + 4);
}

/** A double that is neither NaN nor -0, which no order has a place for. */
export function writeOrderedDouble(bytes: Uint8Array, at: number, value: number): void {
  double[0] = value;
  const low = words[0] as number;
  const high = words[1] as number;
  const isNegative = high >= SIGN;
  writeWord(bytes, at, isNegative ? ~high : high ^ SIGN);
  writeWord(bytes, at + 4, isNegative ? ~low : low);
}

export function readOrderedDouble(bytes: Uint8Array, at: number): number {
  const low = readWord(bytes, at + 4);
  const high = readWord(bytes, at);
  const isNegative = high < SIGN;
  words[0] = isNegative ? ~low : low;
  words[1] = isNegative ? ~high : high ^ SIGN;
  return double[0] as number;
}
