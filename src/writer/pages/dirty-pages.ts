/**
 * The pages of the open transaction: taken from the free list, held in the cache, changed in place.
 *
 * Until the transaction commits its pages have no checksum; pointers to them carry the generation
 * in which they were made. A page may be changed in place if its generation is no older than the
 * last freeze (a savepoint or an iterator); else it is copied, as a committed page is.
 */
import { assert } from '../../shared/assert.js';
import { type PageId, STAMP_HIGH, type TxnId, toPageId } from '../../shared/ids.js';
import type { FrameIndex } from '../../shared/memory/page-cache.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { birthTxn, initPage, stampPage } from '../../shared/pages/page.js';
import { PageMismatch } from '../../shared/pages/page-file.js';
import type { PageSource } from '../../shared/pages/page-source.js';
import type { FreeList } from './free-list.js';
import type { FreedRun, PageRun } from './free-state.js';
import { firstDataPage, type PageFileWriter } from './page-file-writer.js';

const WAIT_MS = 1;

/** Where a page of the open transaction stands, and the stamp of pointers to it. */
export interface DirtyPage {
  readonly pageId: PageId;
  readonly low: number;
  readonly high: number;
  readonly address: number;
}

interface TakenRun {
  readonly generation: number;
  readonly length: number;
  readonly serial: number;
}

/** What a savepoint goes back to. */
export interface DirtyMark {
  readonly generation: number;
  readonly freedCount: number;
}

export class DirtyPages {
  readonly source: PageSource;
  readonly memory: SharedMemory;
  readonly #free: FreeList;
  readonly #writer: PageFileWriter;
  /** Pages of the file; grows with the transaction. */
  pageCount = 0;
  /** Held frames of this transaction. */
  heldCount = 0;
  #txnId: TxnId = 0;
  #generation = 1;
  #freezeGeneration = 1;
  /** Everything this transaction took and did not give back, by first page. */
  readonly #taken = new Map<number, TakenRun>();
  #serial = 0;
  readonly freed: FreedRun[] = [];
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
    this.freed.length = 0;
    this.heldCount = 0;
    this.#generation = (this.#generation + 1) & 0x3fffffff;
    this.#freezeGeneration = this.#generation;
  }

  /** Pages of this generation and later ones may be changed in place. */
  get writableGeneration(): number {
    return this.#freezeGeneration;
  }

  /** From here on, pages made so far are copied before they change. */
  freeze(): DirtyMark {
    const mark = { generation: this.#generation, freedCount: this.freed.length };
    this.#generation = (this.#generation + 1) & 0x3fffffff;
    this.#freezeGeneration = this.#generation;
    return mark;
  }

  /** Gives back whatever was taken after the mark. Frames stay held until `forget`. */
  rollBack(mark: DirtyMark): void {
    this.freed.length = mark.freedCount;
    for (const [start, { generation, length }] of this.#taken) {
      if (generation <= mark.generation) continue;
      this.#taken.delete(start);
      this.#giveBack(start, length);
    }
    this.freeze();
  }

  /** Undoes the whole transaction. */
  abort(committedPageCount: number): void {
    for (const [start, { length }] of this.#taken) this.#giveBack(start, length);
    this.#taken.clear();
    this.freed.length = 0;
    this.#trimBehind(committedPageCount);
  }

  /** Pages behind the end of the committed file are not free: they do not exist yet. */
  #trimBehind(pageCount: number): void {
    for (let page = pageCount; page < this.pageCount; page++) {
      if (this.#free.free.has(page)) this.#free.free.remove(page, 1);
    }
    this.pageCount = pageCount;
  }

  #giveBack(start: number, length: number): void {
    this.#free.free.add(start, length);
    if (length === 1) this.#dropFrame(toPageId(start));
  }

  /** Frames of pages that are given back, found by the stamp their page would have. */
  readonly #frames = new Map<number, FrameIndex>();

  #dropFrame(pageId: PageId): void {
    const frame = this.#frames.get(pageId);
    if (frame === undefined) return;
    this.#frames.delete(pageId);
    this.heldCount--;
    this.source.cache.drop(frame);
  }

  /** What the transaction took and still uses, for the free list's log. */
  takenRuns(): PageRun[] {
    const runs = [...this.#taken].map(([start, { length }]) => ({ start, length }));
    return runs.sort((a, b) => a.start - b.start);
  }

  /** Pages behind the committed end of the file that were taken and given back again. */
  lostRuns(committedPageCount: number): FreedRun[] {
    const lost: FreedRun[] = [];
    for (let page = committedPageCount; page < this.pageCount; page++) {
      if (this.#free.free.has(page)) {
        const birth = this.#txnId;
        lost.push({ start: page, length: 1, birth, freedBy: birth });
      }
    }
    return lost;
  }

  /** Drops the frames of pages that died within the transaction while something could see them. */
  dropDeadFrames(): void {
    for (const pageId of [...this.#frames.keys()]) this.#dropFrame(toPageId(pageId));
  }

  get isUnchanged(): boolean {
    return this.#taken.size === 0 && this.freed.length === 0;
  }

  /** A fresh page; its content is undefined but for the header. */
  create(level: number): DirtyPage {
    const frame = this.#claimFrame();
    const page = this.#publish(frame, this.#takePage());
    initPage(this.memory, page.address, level);
    stampPage(this.memory, page.address, page.pageId, this.#txnId);
    return page;
  }

  /** The page ready to be changed: itself when it may be, else a copy under another id. */
  writable(pageId: PageId, low: number, high: number, level: number): DirtyPage {
    if (high < 0 && low >= this.#freezeGeneration) {
      return { pageId, low, high, address: this.source.fetch(pageId, low, high, level) };
    }
    const frame = this.#claimFrame();
    const origin = this.source.fetch(pageId, low, high, level);
    const taken = this.#taken.get(pageId);
    const mayStay = taken !== undefined && taken.generation >= this.#freezeGeneration;
    const birth = birthTxn(this.memory, origin);
    const target = this.source.cache.frameAddress(frame);
    this.memory.kernels.copyBytes(target, origin, this.memory.pageSize);
    // A page of this transaction that was written early to make room keeps its place.
    const newId = mayStay ? pageId : this.#takePage();
    if (!mayStay) this.freePages(pageId, 1, birth);
    const page = this.#publish(frame, newId);
    stampPage(this.memory, page.address, page.pageId, this.#txnId);
    return page;
  }

  /** The page is not part of the trees any more; others may still see it until they are done. */
  freePages(start: number, length: number, birth: TxnId): void {
    // Some are freed unread, so nothing has proved the pointer to them.
    if (start < firstDataPage(this.memory.pageSize) || start + length > this.pageCount) {
      throw new PageMismatch(toPageId(start), 'it is outside of the file');
    }
    const taken = this.#taken.get(start);
    if (taken !== undefined && taken.generation >= this.#freezeGeneration) {
      this.#taken.delete(start);
      this.#giveBack(start, length);
      return;
    }
    this.freed.push({ start, length, birth, freedBy: this.#txnId });
  }

  /** Frees a tree page by its pointer. */
  freePage(pageId: PageId, low: number, high: number, level: number): void {
    const address = this.source.fetch(pageId, low, high, level);
    this.freePages(pageId, 1, birthTxn(this.memory, address));
  }

  /** Takes contiguous pages for an extent; the file is grown to hold them. */
  takeExtent(length: number): PageId {
    let start = length === 1 ? this.#free.free.takeOne() : this.#free.free.takeRun(length);
    const end = start < 0 ? this.pageCount + length : start + length;
    // Free pages too may lie behind the file's end, taken and given back by this transaction.
    this.#writer.ensurePages(end);
    if (start < 0) {
      start = this.pageCount;
      this.pageCount = end;
    }
    this.#taken.set(start, this.#takenRun(length));
    return toPageId(start);
  }

  #takenRun(length: number): TakenRun {
    return { generation: this.#generation, length, serial: ++this.#serial };
  }

  /** Tells one taking of a page from a later one of the same page; 0 when it is not taken. */
  serialOf(start: number): number {
    return this.#taken.get(start)?.serial ?? 0;
  }

  #takePage(): PageId {
    let page = this.#free.free.takeOne();
    if (page < 0) page = this.pageCount++;
    else this.source.cache.forgetOlder(toPageId(page));
    this.#taken.set(page, this.#takenRun(1));
    return toPageId(page);
  }

  #publish(frame: FrameIndex, pageId: PageId): DirtyPage {
    const low = this.#generation;
    const published = this.source.cache.publish(frame, pageId, low, STAMP_HIGH, true);
    assert(published, 'the page table has room for every dirty page');
    this.#frames.set(pageId, frame);
    this.heldCount++;
    return { pageId, low, high: STAMP_HIGH, address: this.source.cache.frameAddress(frame) };
  }

  /** The frame of a page of this transaction leaves its care: written, or waiting to be. */
  forgetFrame(pageId: PageId): void {
    this.#frames.delete(pageId);
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
    }
  }
}
