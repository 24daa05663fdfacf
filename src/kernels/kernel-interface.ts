/**
 * What every set of kernels offers, compiled or plain.
 */
export interface Kernels {
  readonly compiled: boolean;
  /** Writes the 8 bytes of xxHash64 of a range to `out`, low word first. */
  hash64(address: number, length: number, seedLow: number, seedHigh: number, out: number): void;
  /** Moves bytes within the memory; the ranges may overlap. */
  copyBytes(target: number, source: number, length: number): void;
}
