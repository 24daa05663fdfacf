/**
 * The pages of the open transaction: taken from the free list, held in the cache, changed in place.
 *
 * Until the transaction commits its pages have no checksum; pointers to them carry the generation
 * in which they were made. A page may be changed in place if its generation is no older than the
 * last freeze (a savepoint or an iterator); else it is copied, as a committed page is.
 */
import { assert } from '../../shared/assert.js';
import {
  type PageId,
  type PagePointer,
  STAMP_HIGH,
  type TxnId,
  toPageId,
} from '../../shared/ids.js';
import { type FrameIndex, giveBackFramesOf } from '../../shared/memory/page-cache.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { deadSlots } from '../../shared/memory/thread-slots.js';
import { firstDataPage } from '../../shared/pages/meta-page.js';
import { birthTxn, initPage, stampPage } from '../../shared/pages/page.js';
import { PageBitmap } from '../../shared/pages/page-bitmap.js';
import type { PageCipher, Sealing } from '../../shared/pages/page-cipher.js';
import { PageMismatch } from '../../shared/pages/page-file.js';
import type { PageSource } from '../../shared/pages/page-source.js';
import { threadMayLive } from '../../shared/system.js';
import type { FreedRun, FreeList } from './free-list.js';
import type { PageFileWriter } from './page-file-writer.js';

const WAIT_MS = 1;

/** Where a page of the open transaction stands, and what pointers to it have. */
export interface DirtyPage extends Readonly<PagePointer> {
  readonly address: number;
}

/** A page that the open transaction took for a node, or the pages of an extent. */
export interface TakenPages {
  readonly pageId: PageId;
  readonly length: number;
  readonly generation: number;
  /** A stamp until it is sealed or, as an extent, written; then its checksum. */
  low: number;
  high: number;
  /** The frame that is held for it, NO_FRAME when it is in the file, and where that stands. */
  frame: FrameIndex;
  address: number;
  /** What seals it; undefined for a plain one. */
  cipher: PageCipher | undefined;
  /** False once it is freed or given back: the new state will not see it. */
  isLive: boolean;
}

const NO_FRAME = -1;

/** What a savepoint goes back to. */
export interface DirtyMark {
  readonly generation: number;
  readonly freedCount: number;
}

export class DirtyPages {
  /** Where the pages of the keyspace come from that is being changed. */
  source: PageSource;
  readonly memory: SharedMemory;
  readonly #free: FreeList;
  readonly #writer: PageFileWriter;
  /** What new pages of encrypted keyspaces are sealed with; set with the first that is changed. */
  #sealing: Sealing | undefined;
  /** Pages of the file; grows with the transaction. */
  pageCount = 0;
  /** Held frames of this transaction. */
  heldCount = 0;
  #txnId: TxnId = 0;
  #generation = 1;
  #freezeGeneration = 1;
  /** Everything this transaction took and did not give back, by first page. */
  readonly #taken = new Map<number, TakenPages>();
  /** What it freed of older states, or made itself and froze before. */
  readonly freed: FreedRun[] = [];
  /** The pages of `freed`: none is freed twice, and so given to two. */
  readonly #dying = new PageBitmap();
  #sleeper: Int32Array | undefined;

  constructor(source: PageSource, free: FreeList, writer: PageFileWriter) {
    this.source = source;
    this.memory = source.memory;
    this.#free = free;
    this.#writer = writer;
  }

  begin(txnId: TxnId, pageCount: number): void {
    this.#txnId = txnId;
    this.pageCount = pageCount;
    this.#taken.clear();
    this.#forgetFreed(0);
    this.heldCount = 0;
    this.#generation = (this.#generation + 1) & 0x3fffffff;
    this.#freezeGeneration = this.#generation;
  }

  get isSealing(): boolean {
    return this.#sealing !== undefined;
  }

  get sealing(): Sealing {
    assert(this.#sealing !== undefined, 'an encrypted keyspace is opened before it is changed');
    return this.#sealing;
  }

  set sealing(sealing: Sealing | undefined) {
    this.#sealing = sealing;
  }

  /** Pages of this generation and later ones may be changed in place. */
  get writableGeneration(): number {
    return this.#freezeGeneration;
  }

  /** From here on every free page is taken before the file grows. */
  spareNone(): void {
    this.#free.sweep.spareNone();
  }

  /** From here on, pages made so far are copied before they change. */
  freeze(): DirtyMark {
    const mark = { generation: this.#generation, freedCount: this.freed.length };
    this.#generation = (this.#generation + 1) & 0x3fffffff;
    this.#freezeGeneration = this.#generation;
    return mark;
  }

  /** Gives back whatever was taken after the mark, and takes up again what was freed since. */
  rollBack(mark: DirtyMark): void {
    for (const { start } of this.#forgetFreed(mark.freedCount)) {
      const revived = this.#taken.get(start);
      if (revived !== undefined) revived.isLive = true;
    }
    for (const taken of this.#taken.values()) {
      if (taken.generation > mark.generation) this.#giveBack(taken);
    }
    this.freeze();
  }

  /** Forgets what was freed but for the first `count` runs; returns what is forgotten. */
  #forgetFreed(count: number): readonly FreedRun[] {
    const forgotten = this.freed.splice(count);
    for (const { start, length } of forgotten) this.#dying.remove(start, length);
    return forgotten;
  }

  /** Undoes the whole transaction. */
  abort(committedPageCount: number): void {
    for (const taken of this.#taken.values()) this.#giveBack(taken);
    this.#forgetFreed(0);
    this.#trimBehind(committedPageCount);
  }

  /** Pages behind the end of the committed file are not free: they do not exist yet. */
  #trimBehind(pageCount: number): void {
    for (let page = pageCount; page < this.pageCount; page++) {
      if (this.#free.free.has(page)) this.#free.free.remove(page, 1);
    }
    this.pageCount = pageCount;
  }

  #giveBack(taken: TakenPages): void {
    this.#taken.delete(taken.pageId);
    this.#free.sweep.giveBack(taken.pageId, taken.length);
    taken.isLive = false;
    this.#dropFrame(taken);
  }

  #dropFrame(taken: TakenPages): void {
    if (taken.frame === NO_FRAME) return;
    this.source.cache.drop(taken.frame);
    this.forgetFrame(taken);
  }

  /** Everything that the transaction took and did not give back. */
  get taken(): Iterable<Readonly<TakenPages>> {
    return this.#taken.values();
  }

  /** Drops the frames of pages that died within the transaction while something could see them. */
  dropDeadFrames(): void {
    for (const taken of this.#taken.values()) if (!taken.isLive) this.#dropFrame(taken);
  }

  /** Pages of older states that the transaction has freed. */
  get freedPages(): number {
    return this.#dying.count;
  }

  get isUnchanged(): boolean {
    return this.#taken.size === 0 && this.freed.length === 0;
  }

  /** A fresh page; its content is undefined but for the header. */
  create(level: number): DirtyPage {
    const frame = this.#claimFrame();
    const page = this.#remember(this.#takePage(), 1);
    this.#publish(page, frame);
    initPage(this.memory, page.address, level);
    stampPage(this.memory, page.address, page.pageId, this.#txnId);
    return page;
  }

  /** The page ready to be changed: itself when it may be, else a copy under another id. */
  writable(pageId: PageId, low: number, high: number, level: number): DirtyPage {
    const known = this.#taken.get(pageId);
    if (known !== undefined && (known.low !== low || known.high !== high)) throw usedTwice(pageId);
    const mayStay = known !== undefined && this.#mayChange(known);
    if (mayStay && known.high < 0) return known;
    const frame = this.#claimFrame();
    const { cache } = this.source;
    try {
      const origin = this.source.fetch(pageId, low, high, level);
      this.memory.kernels.copyBytes(cache.frameAddress(frame), origin, this.memory.pageSize);
      if (!mayStay) this.freePages({ pageId, low, high }, 1, birthTxn(this.memory, origin));
    } catch (error) {
      cache.unclaim(frame);
      throw error;
    }
    // A page of this transaction that was written early to make room keeps its place.
    const page = mayStay ? known : this.#remember(this.#takePage(), 1);
    this.#publish(page, frame);
    stampPage(this.memory, page.address, page.pageId, this.#txnId);
    return page;
  }

  /** The page is not part of the trees any more; others may still see it until they are done. */
  freePages(first: Readonly<PagePointer>, length: number, birth: TxnId): void {
    const { pageId: start } = first;
    this.#checkFreed(first, length, birth);
    const taken = this.#taken.get(start);
    if (taken !== undefined && this.#mayChange(taken)) {
      this.#giveBack(taken);
      return;
    }
    if (taken !== undefined) taken.isLive = false;
    this.freed.push({ start, length, birth, freedBy: this.#txnId });
    this.#dying.add(start, length);
  }

  /** Some pages are freed unread, and what a page says of its birth may be made up. */
  #checkFreed({ pageId, low, high }: PagePointer, length: number, birth: TxnId): void {
    const { free, waiting } = this.#free;
    const start: number = pageId;
    if (start < firstDataPage(this.memory.pageSize) || start + length > this.pageCount) {
      throw new PageMismatch(toPageId(start), 'it is outside of the file');
    }
    if (birth < 0 || birth > this.#txnId) {
      throw new PageMismatch(toPageId(start), 'no transaction made it');
    }
    const known = this.#taken.get(start);
    if (known !== undefined && (known.low !== low || known.high !== high)) throw usedTwice(pageId);
    for (let page = start; page < start + length; page++) {
      if (page > start && this.#taken.has(page)) throw usedTwice(pageId);
      if (!free.has(page) && !waiting.has(page) && !this.#dying.has(page)) continue;
      throw new PageMismatch(toPageId(page), 'it is free already');
    }
  }

  #mayChange(taken: TakenPages): boolean {
    return taken.generation >= this.#freezeGeneration;
  }

  /** Frees a tree page by its pointer. */
  freePage(pageId: PageId, low: number, high: number, level: number): void {
    const address = this.source.fetch(pageId, low, high, level);
    this.freePages({ pageId, low, high }, 1, birthTxn(this.memory, address));
  }

  /** Takes contiguous pages for an extent; the file is grown to hold them. */
  takeExtent(length: number): TakenPages {
    const { sweep } = this.#free;
    const { pageCount } = this;
    let start = length === 1 ? sweep.takeOne(pageCount) : sweep.takeRun(length, pageCount);
    const end = start < 0 ? this.pageCount + length : start + length;
    // Free pages too may lie behind the file's end, taken and given back by this transaction.
    this.#writer.ensurePages(end);
    if (start < 0) {
      start = this.pageCount;
      this.pageCount = end;
    }
    return this.#remember(toPageId(start), length);
  }

  #remember(pageId: PageId, length: number): TakenPages {
    const low = this.#generation;
    const place = { frame: NO_FRAME, address: 0, cipher: undefined };
    const taken = {
      pageId,
      length,
      generation: low,
      low,
      high: STAMP_HIGH,
      ...place,
      isLive: true,
    };
    this.#taken.set(pageId, taken);
    return taken;
  }

  /** A page of this transaction. */
  takenPage(start: number): TakenPages {
    const taken = this.#taken.get(start);
    if (taken === undefined) throw usedTwice(toPageId(start));
    return taken;
  }

  #takePage(): PageId {
    const page = this.#free.sweep.takeOne(this.pageCount);
    if (page < 0) return toPageId(this.pageCount++);
    const pageId = toPageId(page);
    this.source.cache.forgetOlder(pageId);
    return pageId;
  }

  #publish(page: TakenPages, frame: FrameIndex): void {
    const { cache } = this.source;
    page.low = this.#generation;
    page.high = STAMP_HIGH;
    const { mark, cipher } = this.source;
    const { pageId, low, high } = page;
    const published = cache.publish(frame, { pageId, low, high, mark }, true);
    assert(published, 'the page table has room for every dirty page');
    page.cipher = cipher;
    page.frame = frame;
    page.address = cache.frameAddress(frame);
    this.heldCount++;
  }

  /** The frame of a page of this transaction leaves its care: written, or waiting to be. */
  forgetFrame(taken: TakenPages): void {
    taken.frame = NO_FRAME;
    this.heldCount--;
  }

  /** A frame to write to. Waits for readers that still look at evicted ones; none waits for us. */
  #claimFrame(): FrameIndex {
    for (;;) {
      const frame = this.source.cache.claim();
      if (frame >= 0) return frame;
      this.source.enter();
      const renewed = this.source.cache.claim();
      if (renewed >= 0) return renewed;
      this.#sleeper ??= new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(this.#sleeper, 0, 0, WAIT_MS);
      for (const slot of deadSlots(this.memory, threadMayLive)) giveBackFramesOf(this.memory, slot);
    }
  }
}

/** A page that the file calls free, or that has two parents. */
function usedTwice(pageId: PageId): PageMismatch {
  return new PageMismatch(pageId, 'it is in use twice');
}
