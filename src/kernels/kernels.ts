/**
 * Number loops over the shared memory, compiled or plain, behind one interface chosen once at load.
 */
import type { Kernels } from './kernel-interface.js';
import { createScalarKernels } from './scalar.js';
import { createCompiledKernels } from './simd.js';
import type { WasmMemory } from './web-assembly.js';

/** The compiled kernels where the memory is WebAssembly's and they load, else the plain ones. */
export function createKernels(memory: WasmMemory | undefined, buffer: SharedArrayBuffer): Kernels {
  const compiled = memory === undefined ? undefined : createCompiledKernels(memory);
  return compiled ?? createScalarKernels(buffer);
}
