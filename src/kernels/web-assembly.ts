/**
 * The part of the WebAssembly API that MNEME uses, typed here because the runtime's types put it
 * with the browser's. Undefined where the runtime has none.
 */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

declare const moduleBrand: unique symbol;
export interface WasmModule {
  readonly [moduleBrand]: true;
}

export interface WasmApi {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: object };
  validate(bytes: Uint8Array): boolean;
}

export const webAssembly: WasmApi | undefined = (globalThis as unknown as { WebAssembly?: WasmApi })
  .WebAssembly;
