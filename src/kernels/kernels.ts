/**
 * Number loops over the shared memory, compiled or plain, behind one interface chosen once at load.
 */
import { createScalarKernels } from './scalar.js';
import { createCompiledKernels } from './simd.js';
import type { WasmMemory } from './web-assembly.js';

export interface Kernels {
  readonly compiled: boolean;
  /** Writes the 8 bytes of xxHash64 of a range to `out`, low word first. */
  hash64(address: number, length: number, seedLow: number, seedHigh: number, out: number): void;
  /** Moves bytes within the memory; the ranges may overlap. */
  copyBytes(target: number, source: number, length: number): void;
}

/** The compiled kernels where the memory is WebAssembly's and they load, else the plain ones. */
export function createKernels(
  memory: WasmMemory | undefined,
  buffer: SharedArrayBuffer,
): Kernels {
  const compiled = memory === undefined ? undefined : createCompiledKernels(memory);
  return compiled ?? createScalarKernels(buffer);
}
