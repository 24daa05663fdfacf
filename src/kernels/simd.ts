/**
 * Loads the compiled kernels. The module is compiled once, when this file is; an instance per
 * thread is cheap.
 */
import type { Kernels } from './kernel-interface.js';
import { KERNEL_BASE64 } from './simd-bytes.js';
import { type WasmMemory, type WasmModule, webAssembly } from './web-assembly.js';

type CompiledExports = Omit<Kernels, 'compiled'>;

/** Undefined where the runtime has no WebAssembly or lacks a feature that the kernels use. */
function compile(): WasmModule | undefined {
  if (webAssembly === undefined) return undefined;
  const bytes = Buffer.from(KERNEL_BASE64, 'base64');
  return webAssembly.validate(bytes) ? new webAssembly.Module(bytes) : undefined;
}

const compiledModule = compile();

export function createCompiledKernels(memory: WasmMemory): Kernels | undefined {
  if (compiledModule === undefined || webAssembly === undefined) return undefined;
  const instance = new webAssembly.Instance(compiledModule, { env: { memory } });
  return { compiled: true, ...(instance.exports as unknown as CompiledExports) };
}
