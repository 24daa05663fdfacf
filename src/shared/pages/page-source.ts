/**
 * From a pointer to the address of its page: the cache first, then the file.
 *
 * An address is good until the same thread fetches the next page: the frame of the last one may be
 * evicted then, and a page that found no frame lies in this thread's one private page.
 */
import type { PageId, PagePointer } from '../ids.js';
import { KeyArea } from '../memory/key-area.js';
import { PageCache, PLAIN } from '../memory/page-cache.js';
import { KEY_AREA_BYTES, type SharedMemory } from '../memory/shared-memory.js';
import {
  countHits,
  countMiss,
  enterEpoch,
  leaveEpoch,
  type ThreadSlot,
} from '../memory/thread-slots.js';
import { pageLevel } from './page.js';
import { PageCipher } from './page-cipher.js';
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

/** What the sources of one thread have in common, whatever keyspace they read. */
interface SourceParts {
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly file: StorageFile;
  readonly checksummer: Checksummer;
  readonly check: PageCheck;
  readonly databaseId: Uint8Array;
}

export class PageSource {
  readonly memory: SharedMemory;
  readonly cache: PageCache;
  readonly slot: ThreadSlot;
  readonly checksummer: Checksummer;
  readonly file: StorageFile;
  /** Opens the pages that are read; undefined where they are plain. */
  readonly cipher: PageCipher | undefined;
  /** Of the frames that are looked for. */
  readonly mark: number;
  readonly keys: KeyArea;
  readonly databaseId: Uint8Array;
  /** This thread's walk record. */
  readonly walk: number;
  /** Where this thread puts the key that it is asked for. */
  readonly keyAddress: number;
  readonly #parts: SourceParts;
  readonly #privateAddress: number;
  /** The source of plain pages, and by keyspace id those of sealed ones. */
  readonly #plain: PageSource;
  readonly #sealed = new Map<string, PageSource>();
  /** The same, by the ids that were asked for; a record keeps its own. */
  readonly #known = new WeakMap<Uint8Array, PageSource>();

  constructor(parts: SourceParts, plain?: PageSource, cipher?: PageCipher) {
    const { memory, slot } = parts;
    this.memory = memory;
    this.cache = plain?.cache ?? new PageCache(memory, slot.index);
    this.slot = slot;
    this.file = parts.file;
    this.checksummer = parts.checksummer;
    this.keys = plain?.keys ?? new KeyArea(memory);
    this.databaseId = parts.databaseId;
    this.cipher = cipher;
    this.mark = cipher?.mark ?? PLAIN;
    this.walk = memory.walkAddress(slot.index);
    this.keyAddress = memory.keyAddress(slot.index);
    if (plain === undefined) memory.describeCache(this.walk);
    this.#parts = parts;
    this.#plain = plain ?? this;
    this.#privateAddress = memory.privatePageAddress(slot.index);
  }

  /**
   * Where the pages of a keyspace come from: plain ones, or those that are sealed for the keyspace
   * with this id. Everything but the cipher is the same, so an address is good until any of them
   * fetches another page.
   */
  of({ keyspaceId }: { readonly keyspaceId: Uint8Array | undefined }): PageSource {
    const plain = this.#plain;
    if (keyspaceId === undefined) return plain;
    const known = plain.#known.get(keyspaceId);
    if (known !== undefined) return known;
    const source = plain.#sealedFor(keyspaceId);
    plain.#known.set(keyspaceId, source);
    return source;
  }

  /** Overwrites the keys that this thread has derived: it ends. */
  clearKeys(): void {
    for (const { cipher } of this.#plain.#sealed.values()) cipher?.clear();
  }

  #sealedFor(keyspaceId: Uint8Array): PageSource {
    const name = Buffer.from(keyspaceId).toString('latin1');
    const known = this.#sealed.get(name);
    if (known !== undefined) return known;
    const { memory, keys, databaseId } = this;
    const cipher = new PageCipher(memory, keys, databaseId, keyspaceId);
    const source = new PageSource(this.#parts, this, cipher);
    this.#sealed.set(name, source);
    return source;
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
    const frame = this.cache.lookup(pageId, low, high, this.mark);
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
    const { mark } = this;
    if (claimed >= 0 && !cache.publish(claimed, { pageId, low, high, mark }, false)) {
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
    const broken = this.cipher?.openPage(address, pageId, level);
    return broken ?? this.#parts.check(memory, address, pageId, level);
  }
}
