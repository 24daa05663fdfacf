/**
 * Values too large for a leaf: extents of contiguous pages, past the cache.
 *
 * Up to 1 MiB is one extent. More is several, and one extent more that lists them: 12 bytes each,
 * page id and checksum. An extent's checksum is that of the list of its 32 KiB chunks' checksums,
 * so that reading needs a small window of shared memory only. In an encrypted keyspace each extent
 * is sealed as a page is, with its trailer behind it.
 *
 *   offset  size  field of an overflow payload
 *        0     4  length of the value's payload, bytes
 *        4     4  page id of the extent, or of the list
 *        8     8  its checksum
 */
import { readI32, readU32 } from '../bytes/integers.js';
import { type PageId, toPageId } from '../ids.js';
import { EXTENT_BYTES_MAX, PAGE_TRAILER_BYTES } from '../limits.js';
import type { SharedMemory } from '../memory/shared-memory.js';
import { type Checksummer, PageMismatch } from './page-file.js';
import type { PageSource } from './page-source.js';

export const OVERFLOW_POINTER_BYTES = 16;
export const EXTENT_ENTRY_BYTES = 12;
const CHUNK_BYTES = 32768;
const SUM_BYTES = 8;

export interface ExtentPointer {
  readonly pageId: PageId;
  readonly low: number;
  readonly high: number;
}

export function extentPageCount(length: number, pageSize: number): number {
  return Math.ceil(length / pageSize);
}

/** Pages of an extent that holds so many bytes of a payload. */
export function payloadPageCount({ memory, cipher }: PageSource, length: number): number {
  return extentPageCount(length + (cipher === undefined ? 0 : PAGE_TRAILER_BYTES), memory.pageSize);
}

export function extentCount(length: number): number {
  return Math.ceil(length / EXTENT_BYTES_MAX);
}

/** The checksum of `length` bytes that `copyChunk` brings, chunk by chunk, into the memory. */
export function sumExtent(
  memory: SharedMemory,
  checksummer: Checksummer,
  window: number,
  length: number,
  copyChunk: (target: number, offset: number, chunkLength: number) => void,
): void {
  let sums = 0;
  for (let offset = 0; offset < length; offset += CHUNK_BYTES) {
    const chunkLength = Math.min(CHUNK_BYTES, length - offset);
    copyChunk(window, offset, chunkLength);
    checksummer.compute(window, chunkLength);
    const word = (window + CHUNK_BYTES + sums) >>> 2;
    memory.i32[word] = checksummer.low;
    memory.i32[word + 1] = checksummer.high;
    sums += SUM_BYTES;
  }
  checksummer.compute(window + CHUNK_BYTES, sums);
}

/**
 * Reads and opens one extent into `target`. Throws PageMismatch when the file holds something else.
 */
export function readExtent(
  source: PageSource,
  pointer: ExtentPointer,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  const { cipher } = source;
  if (cipher === undefined) {
    readStored(source, pointer, target, targetOffset, length);
    return;
  }
  const sealed = Buffer.allocUnsafeSlow(length + PAGE_TRAILER_BYTES);
  readStored(source, pointer, sealed, 0, sealed.length);
  const plain = cipher.openExtent(sealed, pointer.pageId);
  if (typeof plain === 'string') throw new PageMismatch(pointer.pageId, plain);
  target.set(plain, targetOffset);
  plain.fill(0);
}

/** Reads the bytes of an extent as they are in the file. */
function readStored(
  source: PageSource,
  pointer: ExtentPointer,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  const { memory, checksummer } = source;
  const start = pointer.pageId * memory.pageSize;
  const window = memory.scratchAddress(source.slot.index);
  sumExtent(memory, checksummer, window, length, (address, offset, chunkLength) => {
    const count = source.file.read(memory.u8, address, chunkLength, start + offset);
    if (count !== chunkLength) throw new PageMismatch(pointer.pageId, 'the file ends within it');
    target.set(memory.u8.subarray(address, address + chunkLength), targetOffset + offset);
  });
  if (checksummer.low !== pointer.low || checksummer.high !== pointer.high) {
    throw new PageMismatch(pointer.pageId, 'the checksum differs');
  }
}

/** Length and first pointer of an overflow payload. */
export function overflowPointer(bytes: Uint8Array, offset: number) {
  const pageId = toPageId(readU32(bytes, offset + 4));
  const pointer = { pageId, low: readI32(bytes, offset + 8), high: readI32(bytes, offset + 12) };
  return { length: readU32(bytes, offset), pointer };
}

/** The extents that hold a value, in order, read from its list when there are several. */
export function dataExtents(source: PageSource, length: number, first: ExtentPointer) {
  const count = extentCount(length);
  if (count <= 1) return [first];
  const list = Buffer.alloc(count * EXTENT_ENTRY_BYTES);
  readExtent(source, first, list, 0, list.length);
  return Array.from({ length: count }, (_, index): ExtentPointer => {
    const at = index * EXTENT_ENTRY_BYTES;
    const pageId = toPageId(readU32(list, at));
    return { pageId, low: readI32(list, at + 4), high: readI32(list, at + 8) };
  });
}

/** A whole value's payload, in a buffer of its own. */
export function readOverflow(source: PageSource, length: number, first: ExtentPointer): Buffer {
  const extents = dataExtents(source, length, first);
  const payload = Buffer.allocUnsafeSlow(length);
  extents.forEach((extent, index) => {
    const offset = index * EXTENT_BYTES_MAX;
    const part = Math.min(EXTENT_BYTES_MAX, length - offset);
    readExtent(source, extent, payload, offset, part);
  });
  return payload;
}
