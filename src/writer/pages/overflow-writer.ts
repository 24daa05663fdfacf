/**
 * Writes and frees overflow extents; shared/pages/overflow-page.ts draws them.
 *
 * Extents go to the file at once, past the cache: they lie in pages that no committed state uses,
 * so an abort only has to give the pages back.
 */
import { assert } from '../../shared/assert.js';
import { writeU32 } from '../../shared/bytes/integers.js';
import { EXTENT_BYTES_MAX } from '../../shared/limits.js';
import type { NewPage } from '../../shared/pages/meta-page.js';
import {
  dataExtents,
  EXTENT_ENTRY_BYTES,
  type ExtentPointer,
  extentCount,
  OVERFLOW_POINTER_BYTES,
  overflowPointer,
  payloadPageCount,
  readExtent,
  sumExtent,
} from '../../shared/pages/overflow-page.js';
import type { DirtyPages, TakenPages } from './dirty-pages.js';
import type { PageFileWriter } from './page-file-writer.js';

interface WrittenExtent {
  readonly taken: Readonly<TakenPages>;
  readonly sizeBytes: number;
}

export class OverflowWriter {
  readonly #pages: DirtyPages;
  readonly #writer: PageFileWriter;
  /** All that this transaction wrote, whether it is still in use or not. */
  readonly #written: WrittenExtent[] = [];

  constructor(pages: DirtyPages, writer: PageFileWriter) {
    this.#pages = pages;
    this.#writer = writer;
  }

  begin(): void {
    this.#written.length = 0;
  }

  /** The extents of this transaction that the new state can see, for the list in its meta. */
  liveExtents(): NewPage[] {
    const live = this.#written.filter(({ taken }) => taken.isLive);
    return live.map(({ taken, sizeBytes }) => newPage(taken, sizeBytes));
  }

  /** Pages that a payload of this length takes. */
  pagesOf(length: number): number {
    const { source } = this.#pages;
    const count = extentCount(length);
    const rest = length - (count - 1) * EXTENT_BYTES_MAX;
    const data = (count - 1) * payloadPageCount(source, EXTENT_BYTES_MAX);
    const list = count > 1 ? payloadPageCount(source, count * EXTENT_ENTRY_BYTES) : 0;
    return data + payloadPageCount(source, rest) + list;
  }

  /** Writes one extent of at most 1 MiB. */
  writeExtent(source: Uint8Array, offset: number, length: number): ExtentPointer {
    const pages = this.#pages;
    const taken = pages.takeExtent(payloadPageCount(pages.source, length));
    const { cipher } = pages.source;
    if (cipher === undefined) return this.writeExtentAt(taken, source, offset, length);
    const plain = source.subarray(offset, offset + length);
    const sealed = cipher.sealExtent(plain, taken.pageId, pages.sealing);
    return this.writeExtentAt(taken, sealed, 0, sealed.length);
  }

  /** Writes the bytes of a long value's payload in extents. */
  writeExtents(source: Uint8Array, start: number, end: number): ExtentPointer[] {
    const extents: ExtentPointer[] = [];
    for (let at = start; at < end; at += EXTENT_BYTES_MAX) {
      extents.push(this.writeExtent(source, at, Math.min(EXTENT_BYTES_MAX, end - at)));
    }
    return extents;
  }

  /** Writes an extent, as its bytes are, into pages that were taken for it. */
  writeExtentAt(
    taken: TakenPages,
    source: Uint8Array,
    offset: number,
    length: number,
  ): ExtentPointer {
    const { memory, source: pageSource } = this.#pages;
    const start = taken.pageId * memory.pageSize;
    const window = memory.scratchAddress(pageSource.slot.index);
    const { checksummer } = pageSource;
    sumExtent(memory, checksummer, window, length, (address, at, chunkLength) => {
      memory.u8.set(source.subarray(offset + at, offset + at + chunkLength), address);
      this.#writer.writeExtent(memory.u8, address, chunkLength, start + at);
    });
    taken.low = checksummer.low;
    taken.high = checksummer.high;
    this.#written.push({ taken, sizeBytes: length });
    return { pageId: taken.pageId, low: taken.low, high: taken.high };
  }

  /** Ends a value whose extents are written: writes the list if there are several. */
  finish(extents: readonly ExtentPointer[], length: number): Uint8Array {
    assert(extents.length > 0, 'an overflow value has bytes');
    const payload = new Uint8Array(OVERFLOW_POINTER_BYTES);
    const first = extents.length === 1 ? extents[0] : this.#writeList(extents);
    writeU32(payload, 0, length);
    if (first !== undefined) writePointer(payload, 4, first);
    return payload;
  }

  #writeList(extents: readonly ExtentPointer[]): ExtentPointer {
    const list = new Uint8Array(extents.length * EXTENT_ENTRY_BYTES);
    extents.forEach((extent, index) => {
      writePointer(list, index * EXTENT_ENTRY_BYTES, extent);
    });
    return this.writeExtent(list, 0, list.length);
  }

  /** Writes the extents of an overflow payload once more; returns what the payload is then. */
  copy(bytes: Uint8Array, payloadOffset: number): Uint8Array {
    const { length, pointer } = overflowPointer(bytes, payloadOffset);
    const { source } = this.#pages;
    const part = Buffer.allocUnsafeSlow(Math.min(length, EXTENT_BYTES_MAX));
    const copies = dataExtents(source, length, pointer).map((extent, index) => {
      const partLength = Math.min(EXTENT_BYTES_MAX, length - index * EXTENT_BYTES_MAX);
      readExtent(source, extent, part, 0, partLength);
      return this.writeExtent(part, 0, partLength);
    });
    return this.finish(copies, length);
  }

  /** Frees the extents of an overflow payload; returns how many pages they took. */
  free(bytes: Uint8Array, payloadOffset: number): number {
    const { length, pointer } = overflowPointer(bytes, payloadOffset);
    const { source } = this.#pages;
    const extents = dataExtents(source, length, pointer);
    extents.forEach((extent, index) => {
      const part = Math.min(EXTENT_BYTES_MAX, length - index * EXTENT_BYTES_MAX);
      this.#freeRun(extent, payloadPageCount(source, part));
    });
    if (extents.length > 1) {
      const listBytes = extents.length * EXTENT_ENTRY_BYTES;
      this.#freeRun(pointer, payloadPageCount(source, listBytes));
    }
    return this.pagesOf(length);
  }

  /** An extent does not say when it was born, so any older state counts as seeing it. */
  #freeRun(first: ExtentPointer, length: number): void {
    this.#pages.freePages(first, length, 0);
  }
}

/** As it stands in a meta's list; `length` is 0 for a node. */
export function newPage({ pageId, low, high }: Readonly<TakenPages>, length: number): NewPage {
  return { pageId, low, high, length };
}

function writePointer(target: Uint8Array, at: number, pointer: ExtentPointer): void {
  writeU32(target, at, pointer.pageId);
  writeU32(target, at + 4, pointer.low);
  writeU32(target, at + 8, pointer.high);
}
