/**
 * From a pointer to the address of its page: the cache first, then the file.
 *
 * An address is good until the same thread fetches the next page: the frame of the last one may be
 * evicted then, and a page that found no frame lies in this thread's one private page.
 */
import type { PageId, PagePointer } from '../ids.js';
import { PageCache } from '../memory/page-cache.js';
import { KEY_AREA_BYTES, type SharedMemory } from '../memory/shared-memory.js';
import {
  countHits,
  countMiss,
  enterEpoch,
  leaveEpoch,
  type ThreadSlot,
} from '../memory/thread-slots.js';
import { pageLevel } from './page.js';
import { type Checksummer, PageMismatch } from './page-file.js';
import type { StorageFile } from './storage.js';

/** What is wrong with a page that has just been read, if anything. */
export type PageCheck = (
  memory: SharedMemory,
  address: number,
  pageId: PageId,
  level: number,
) => string | undefined;

function wrongLevel(pageId: PageId): PageMismatch {
  return new PageMismatch(pageId, 'the level is wrong');
}

export class PageSource {
  readonly memory: SharedMemory;
  readonly cache: PageCache;
  readonly slot: ThreadSlot;
  readonly checksummer: Checksummer;
  file: StorageFile;
  /** This thread's walk record. */
  readonly walk: number;
  /** Where this thread puts the key that it is asked for. */
  readonly keyAddress: number;
  readonly #check: PageCheck;
  readonly #privateAddress: number;

  constructor(options: {
    memory: SharedMemory;
    slot: ThreadSlot;
    file: StorageFile;
    checksummer: Checksummer;
    check: PageCheck;
  }) {
    this.memory = options.memory;
    this.cache = new PageCache(options.memory, options.slot.index);
    this.slot = options.slot;
    this.file = options.file;
    this.checksummer = options.checksummer;
    this.#check = options.check;
    this.walk = options.memory.walkAddress(options.slot.index);
    this.keyAddress = options.memory.keyAddress(options.slot.index);
    options.memory.describeCache(this.walk);
    this.#privateAddress = options.memory.privatePageAddress(options.slot.index);
  }

  /**
   * Copies a key that MNEME itself looks for into the shared memory, beside the one that it was
   * asked for; good until the next. Returns its address.
   */
  placeKey(key: Uint8Array): number {
    const address = this.keyAddress + KEY_AREA_BYTES;
    this.memory.u8.set(key, address);
    return address;
  }

  /** Until `leave`, no frame that this thread was given an address in is used anew. */
  enter(): void {
    enterEpoch(this.memory, this.slot);
  }

  leave(): void {
    leaveEpoch(this.memory, this.slot);
  }

  /** The address of a page. Throws PageMismatch when the file holds something else there. */
  fetch(pageId: PageId, low: number, high: number, level: number): number {
    const frame = this.cache.lookup(pageId, low, high);
    if (frame < 0) return this.#fill(pageId, low, high, level);
    countHits(this.memory, this.slot, 1);
    const address = this.cache.frameAddress(frame);
    // It was checked for the level where it was first met; this pointer may stand elsewhere.
    if (pageLevel(this.memory, address) !== level) throw wrongLevel(pageId);
    return address;
  }

  fetchPointer(pointer: Readonly<PagePointer>, level: number): number {
    return this.fetch(pointer.pageId, pointer.low, pointer.high, level);
  }

  #fill(pageId: PageId, low: number, high: number, level: number): number {
    // Pages of the open transaction are in the cache, unless the file calls what it uses free.
    if (high < 0) throw new PageMismatch(pageId, 'it is in use twice');
    countMiss(this.memory, this.slot);
    this.enter(); // nothing fetched before is looked at any more
    const { cache } = this;
    const claimed = cache.claim();
    const address = claimed < 0 ? this.#privateAddress : cache.frameAddress(claimed);
    const problem = this.#readPage(address, pageId, low, high, level);
    if (problem !== undefined) {
      if (claimed >= 0) cache.unclaim(claimed);
      throw new PageMismatch(pageId, problem);
    }
    if (claimed >= 0 && !cache.publish(claimed, pageId, low, high, false)) {
      this.memory.kernels.copyBytes(this.#privateAddress, address, this.memory.pageSize);
      cache.unclaim(claimed);
      return this.#privateAddress;
    }
    return address;
  }

  #readPage(
    address: number,
    pageId: PageId,
    low: number,
    high: number,
    level: number,
  ): string | undefined {
    const { memory, checksummer } = this;
    const { pageSize } = memory;
    const count = this.file.read(memory.u8, address, pageSize, pageId * pageSize);
    if (count !== pageSize) return 'the file ends before it';
    checksummer.compute(address, pageSize);
    if (checksummer.low !== low || checksummer.high !== high) return 'the checksum differs';
    return this.#check(memory, address, pageId, level);
  }
}
