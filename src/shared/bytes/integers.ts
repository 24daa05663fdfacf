/**
 * Little-endian integers and doubles at any offset of a byte array.
 */
const TWO_POW_32 = 2 ** 32;
const doubleBytes = new Uint8Array(8);
const double = new Float64Array(doubleBytes.buffer);

export function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}

export function readI32(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset) | (readU16(bytes, offset + 2) << 16);
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return readI32(bytes, offset) >>> 0;
}

/** 6 bytes: counts and moments. */
export function readU48(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) + readU16(bytes, offset + 4) * TWO_POW_32;
}

export function readF64(bytes: Uint8Array, offset: number): number {
  for (let at = 0; at < 8; at++) doubleBytes[at] = bytes[offset + at] as number;
  return double[0] as number;
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  writeU16(bytes, offset, value);
  writeU16(bytes, offset + 2, value >>> 16);
}

export function writeU48(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, value % TWO_POW_32);
  writeU16(bytes, offset + 4, Math.floor(value / TWO_POW_32));
}

export function writeF64(bytes: Uint8Array, offset: number, value: number): void {
  double[0] = value;
  for (let at = 0; at < 8; at++) bytes[offset + at] = doubleBytes[at] as number;
}
