/**
 * Writes pages, extents and metas: nothing else writes the file.
 *
 * Every write checks how much was taken: the system reports a full disk as a short count. The file
 * grows ahead of need in chunks of real zeros, so that a full disk shows before a commit begins to
 * write, and so that a commit overwrites blocks that exist, which syncs twice as fast.
 */
import { ioError, MnemeError } from '../../shared/errors.js';
import type { PageId } from '../../shared/ids.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { encodeMeta, type Meta, metaOffset } from '../../shared/pages/meta-page.js';
import type { PageCipher } from '../../shared/pages/page-cipher.js';
import type { Checksummer } from '../../shared/pages/page-file.js';
import type { StorageFile } from '../../shared/pages/storage.js';

const GROWTH_BYTES_MIN = 128 * 1024;
const GROWTH_BYTES_MAX = 4 * 2 ** 20;
const GROWTH_SHARE = 64;

/** A page in the cache that is to be written. */
export interface PageWrite {
  readonly pageId: PageId;
  readonly address: number;
  /** What it was sealed with; undefined for a plain one. */
  readonly cipher: PageCipher | undefined;
}

/** Pages that go out in one call: what seals them makes a copy of each. */
const RUN_PAGES_MAX = 512;

export class PageFileWriter {
  readonly file: StorageFile;
  readonly #memory: SharedMemory;
  #sizeBytes: number;
  #zeros = new Uint8Array(0);

  constructor(memory: SharedMemory, file: StorageFile) {
    this.#memory = memory;
    this.file = file;
    this.#sizeBytes = file.size();
  }

  /** Makes the file hold `pageCount` pages. @throws `ERR_MNEME_IO` with nothing changed. */
  ensurePages(pageCount: number): void {
    const needed = pageCount * this.#memory.pageSize;
    if (needed <= this.#sizeBytes) return;
    const share = Math.min(this.#sizeBytes / GROWTH_SHARE, GROWTH_BYTES_MAX);
    const ahead = Math.max(GROWTH_BYTES_MIN, share);
    const unit = Math.max(this.#memory.pageSize, 65536);
    const target = Math.ceil((needed + ahead) / unit) * unit;
    if (this.#zeros.length === 0) this.#zeros = new Uint8Array(2 ** 18);
    while (this.#sizeBytes < target) {
      const length = Math.min(this.#zeros.length, target - this.#sizeBytes);
      const taken = this.#attempt(() => this.file.write(this.#zeros, 0, length, this.#sizeBytes));
      // What was taken stays as room for later; only whole pages of it count.
      this.#sizeBytes += taken;
      if (taken === length) continue;
      if (this.#sizeBytes >= needed) return;
      throw new MnemeError('ERR_MNEME_IO', { cause: 'ENOSPC', operation: 'grow' });
    }
  }

  /** Writes pages, neighbours together. `writes` rise by page id. */
  writePages(writes: readonly PageWrite[]): void {
    const { pageSize } = this.#memory;
    for (let first = 0; first < writes.length; ) {
      let end = first + 1;
      const start = (writes[first] as PageWrite).pageId;
      const limit = Math.min(writes.length, first + RUN_PAGES_MAX);
      while (end < limit && (writes[end] as PageWrite).pageId === start + end - first) end++;
      this.#writeRun(writes, first, end, start * pageSize);
      first = end;
    }
  }

  #writeRun(writes: readonly PageWrite[], first: number, end: number, offset: number): void {
    const { pageSize, u8 } = this.#memory;
    const length = (end - first) * pageSize;
    const taken = this.#attempt(() => {
      const { address, cipher } = writes[first] as PageWrite;
      if (end - first === 1 && cipher === undefined) {
        return this.file.write(u8, address, pageSize, offset);
      }
      const pages = writes.slice(first, end).map((page) => {
        const plain = u8.subarray(page.address, page.address + pageSize);
        return page.cipher?.sealedPage(page.address) ?? plain;
      });
      return this.file.writeMany(pages, offset);
    });
    this.#checkWhole(taken, length, 'write');
  }

  /** Writes part of an extent. */
  writeExtent(source: Uint8Array, sourceOffset: number, length: number, offset: number): void {
    const taken = this.#attempt(() => this.file.write(source, sourceOffset, length, offset));
    this.#checkWhole(taken, length, 'write');
  }

  /** Writes a meta into its slot by way of `window`, 64 KiB that only this thread uses. */
  writeMeta(meta: Meta, slot: 0 | 1, window: number, checksummer: Checksummer): void {
    const { u8 } = this.#memory;
    const length = encodeMeta(meta, u8, window);
    checksummer.compute(window, length - 8);
    const sum = new DataView(u8.buffer, window + length - 8, 8);
    sum.setInt32(0, checksummer.low, true);
    sum.setInt32(4, checksummer.high, true);
    const taken = this.#attempt(() => this.file.write(u8, window, length, metaOffset(slot)));
    this.#checkWhole(taken, length, 'write the meta page');
  }

  sync(): void {
    this.#attempt(() => this.file.datasync());
  }

  #attempt<T>(operation: () => T): T {
    try {
      return operation();
    } catch (cause) {
      throw ioError(cause);
    }
  }

  #checkWhole(taken: number, length: number, operation: string): void {
    if (taken !== length) throw new MnemeError('ERR_MNEME_IO', { cause: 'ENOSPC', operation });
  }
}
