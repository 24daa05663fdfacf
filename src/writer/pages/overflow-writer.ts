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
  extentPageCount,
  OVERFLOW_POINTER_BYTES,
  overflowPointer,
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
    const { pageSize } = this.#pages.memory;
    const whole = Math.floor(length / EXTENT_BYTES_MAX);
    const rest = length % EXTENT_BYTES_MAX;
    const count = whole * extentPageCount(EXTENT_BYTES_MAX, pageSize);
    const list = whole + (rest > 0 ? 1 : 0) > 1 ? (whole + 1) * EXTENT_ENTRY_BYTES : 0;
    return count + extentPageCount(rest, pageSize) + extentPageCount(list, pageSize);
  }

  /** Writes one extent of at most 1 MiB. */
  writeExtent(source: Uint8Array, offset: number, length: number): ExtentPointer {
    const pageCount = extentPageCount(length, this.#pages.memory.pageSize);
    return this.writeExtentAt(this.#pages.takeExtent(pageCount), source, offset, length);
  }

  /** Writes the bytes of a long value's payload in extents. */
  writeExtents(source: Uint8Array, start: number, end: number): ExtentPointer[] {
    const extents: ExtentPointer[] = [];
    for (let at = start; at < end; at += EXTENT_BYTES_MAX) {
      extents.push(this.writeExtent(source, at, Math.min(EXTENT_BYTES_MAX, end - at)));
    }
    return extents;
  }

  /** Writes an extent into pages that were taken for it. */
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

  /** Frees the extents of an overflow payload; returns how many pages they took. */
  free(bytes: Uint8Array, payloadOffset: number): number {
    const { length, pointer } = overflowPointer(bytes, payloadOffset);
    const { pageSize } = this.#pages.memory;
    const extents = dataExtents(this.#pages.source, length, pointer);
    extents.forEach((extent, index) => {
      const part = Math.min(EXTENT_BYTES_MAX, length - index * EXTENT_BYTES_MAX);
      this.#freeRun(extent, extentPageCount(part, pageSize));
    });
    if (extents.length > 1) {
      const listBytes = extents.length * EXTENT_ENTRY_BYTES;
      this.#freeRun(pointer, extentPageCount(listBytes, pageSize));
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
