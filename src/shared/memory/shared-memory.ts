/**
 * The one shared memory: where everything in it lies, and this thread's views of it.
 *
 *   address      what
 *   0            64 KiB unused: every WebAssembly instance puts its static data here
 *   64 KiB       control block (control-block.ts)
 *   + 4 KiB      thread slots (thread-slots.ts), 64 bytes each
 *   + 4 KiB      snapshot pins (snapshot-pins.ts), 16 bytes each
 *   + 64 KiB     channel words, then per thread slot a request ring and an answer (channel.ts)
 *   then         per thread slot: a 128 KiB scratch window, a walk record, room for two keys
 *   then         the writer's workspace
 *   then         the search that several threads work at (search-job.ts)
 *   then         per thread slot: the window of a text search (kernels/scalar-text.ts)
 *   then         keys (key-area.ts)
 *   then         page table, frame records, frames (page-cache.ts)
 *   then         per thread slot: a page that found no frame
 *
 * The page table and the frames are sized for `cacheSize`; untouched memory costs nothing.
 */

import type { Kernels } from '../../kernels/kernel-interface.js';
import { createKernels } from '../../kernels/kernels.js';
import { type WasmMemory, webAssembly } from '../../kernels/web-assembly.js';
import { FRAME_COUNT_MIN, PAGE_TRAILER_BYTES, PIN_COUNT, THREAD_SLOT_COUNT } from '../limits.js';

export const CONTROL_ADDRESS = 65536;
export const THREAD_SLOTS_ADDRESS = CONTROL_ADDRESS + 4096;
export const THREAD_SLOT_BYTES = 64;
export const PINS_ADDRESS = THREAD_SLOTS_ADDRESS + THREAD_SLOT_COUNT * THREAD_SLOT_BYTES;
export const PIN_BYTES = 16;
export const CHANNEL_ADDRESS = PINS_ADDRESS + PIN_COUNT * PIN_BYTES;
export const CHANNEL_SEGMENT_BYTES = 256 * 1024;
export const CHANNEL_SEGMENT_COUNT = 4;
export const ANSWER_BYTES = 64 * 1024;
export const CHANNELS_ADDRESS = CHANNEL_ADDRESS + 65536;
export const CHANNEL_BYTES = CHANNEL_SEGMENT_COUNT * CHANNEL_SEGMENT_BYTES + ANSWER_BYTES;
const SCRATCH_ADDRESS = CHANNELS_ADDRESS + THREAD_SLOT_COUNT * CHANNEL_BYTES;
export const SCRATCH_BYTES = 131072;
export const WALK_BYTES = 4096;
/** Room for a key while it is being made: three bytes a character. */
export const KEY_AREA_BYTES = 4096;
const THREAD_AREA_BYTES = SCRATCH_BYTES + WALK_BYTES + 2 * KEY_AREA_BYTES;
export const WORKSPACE_ADDRESS = SCRATCH_ADDRESS + THREAD_SLOT_COUNT * THREAD_AREA_BYTES;
export const WORKSPACE_BYTES = 512 * 1024;
export const JOB_ADDRESS = WORKSPACE_ADDRESS + WORKSPACE_BYTES;
export const JOB_BYTES = 128 * 1024;
export const FINDINGS_ADDRESS = JOB_ADDRESS + JOB_BYTES;
/** What one thread finds in a search. */
export const FINDINGS_BYTES = 64 * 1024;
const TEXT_WINDOW_ADDRESS = FINDINGS_ADDRESS + THREAD_SLOT_COUNT * FINDINGS_BYTES;
/** A record, 8 bytes for each of 8192 documents, and two bits. */
export const TEXT_WINDOW_BYTES = 68 * 1024;
export const KEYS_ADDRESS = TEXT_WINDOW_ADDRESS + THREAD_SLOT_COUNT * TEXT_WINDOW_BYTES;
export const KEYS_BYTES = 32 * 1024;
const TABLE_ADDRESS = KEYS_ADDRESS + KEYS_BYTES;
export const BUCKET_SLOTS = 16;
export const FRAME_RECORD_BYTES = 32;
const WASM_PAGE_BYTES = 65536;
const ADDRESS_END = 2 ** 32;

/** What a thread needs to see the same memory in the same way. */
export interface MemoryHandle {
  readonly memory: WasmMemory | undefined;
  readonly buffer: SharedArrayBuffer;
  readonly pageSize: number;
  readonly frameCount: number;
}

export function createMemoryHandle(pageSize: number, cacheSizeBytes: number): MemoryHandle {
  const wanted = Math.max(Math.floor(cacheSizeBytes / pageSize), FRAME_COUNT_MIN);
  // All of it has to be addressed by 32 bits, what belongs to the frames included.
  const excess = Math.max(0, layoutOf(pageSize, wanted).endAddress - ADDRESS_END);
  const frameCount = wanted - Math.ceil(excess / pageSize);
  const pages = Math.ceil(layoutOf(pageSize, frameCount).endAddress / WASM_PAGE_BYTES);
  if (webAssembly === undefined) {
    const buffer = new SharedArrayBuffer(pages * WASM_PAGE_BYTES);
    return { memory: undefined, buffer, pageSize, frameCount };
  }
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return { memory, buffer: memory.buffer as unknown as SharedArrayBuffer, pageSize, frameCount };
}

function layoutOf(pageSize: number, frameCount: number) {
  const bucketCount = 2 ** Math.ceil(Math.log2(Math.max(16, frameCount / 4)));
  const recordsAddress = TABLE_ADDRESS + bucketCount * BUCKET_SLOTS * 4;
  const recordsEnd = recordsAddress + frameCount * FRAME_RECORD_BYTES;
  const framesAddress = Math.ceil(recordsEnd / pageSize) * pageSize;
  // Kernels read by words of up to 16 bytes, and so a little behind a page's end.
  const endAddress = framesAddress + (frameCount + THREAD_SLOT_COUNT) * pageSize + 16;
  return { bucketCount, tableAddress: TABLE_ADDRESS, recordsAddress, framesAddress, endAddress };
}

/** This thread's views. `low` bytes first, as on every machine that Node runs on but one. */
export class SharedMemory {
  readonly handle: MemoryHandle;
  readonly pageSize: number;
  /** What a node takes of a page: all but the trailer. */
  readonly nodeBytes: number;
  readonly frameCount: number;
  readonly bucketCount: number;
  readonly tableAddress: number;
  readonly recordsAddress: number;
  readonly framesAddress: number;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  /** The same bytes as a Buffer, whose slices make strings without a copy in between. */
  readonly text: Buffer;
  readonly kernels: Kernels;

  constructor(handle: MemoryHandle) {
    const { buffer, pageSize, frameCount } = handle;
    const layout = layoutOf(pageSize, frameCount);
    this.handle = handle;
    this.pageSize = pageSize;
    this.nodeBytes = pageSize - PAGE_TRAILER_BYTES;
    this.frameCount = frameCount;
    this.bucketCount = layout.bucketCount;
    this.tableAddress = layout.tableAddress;
    this.recordsAddress = layout.recordsAddress;
    this.framesAddress = layout.framesAddress;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.text = Buffer.from(buffer);
    this.kernels = createKernels(handle.memory, buffer);
  }

  scratchAddress(threadSlot: number): number {
    return SCRATCH_ADDRESS + threadSlot * THREAD_AREA_BYTES;
  }

  /** The window of this slot's text search: zero, but while a search is under way. */
  textWindowAddress(threadSlot: number): number {
    return TEXT_WINDOW_ADDRESS + threadSlot * TEXT_WINDOW_BYTES;
  }

  /** This slot's page for what found no frame: a thread can read though all frames are in use. */
  privatePageAddress(threadSlot: number): number {
    return this.framesAddress + (this.frameCount + threadSlot) * this.pageSize;
  }

  /** This slot's walk record (tree/walk.ts). */
  walkAddress(threadSlot: number): number {
    return this.scratchAddress(threadSlot) + SCRATCH_BYTES;
  }

  /** Where this slot's thread puts a key that it looks for. */
  keyAddress(threadSlot: number): number {
    return this.walkAddress(threadSlot) + WALK_BYTES;
  }

  /** Tells a walk record where pages are found in the cache. */
  describeCache(walk: number): void {
    const { i32, tableAddress, bucketCount, recordsAddress, framesAddress } = this;
    const places = [tableAddress, bucketCount - 1, recordsAddress, framesAddress];
    const fields = [...places, this.pageSize, this.nodeBytes];
    fields.forEach((field, index) => {
      i32[(walk >>> 2) + index] = field;
    });
  }
}
