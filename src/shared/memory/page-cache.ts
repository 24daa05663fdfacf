/**
 * The page cache: frames of the shared memory that hold pages, found by pointer.
 *
 * A frame is valid for a pointer only if page id *and* checksum (or stamp) agree, so a page whose
 * id was reused is never taken for its successor. The page table is a hash of buckets of 16
 * entries, one cache line each; an entry is a tag of 12 bits and a frame number of 20. Lookups take
 * no lock; inserting and removing are single compare-and-swaps.
 *
 *   word of a frame record   field
 *      0                     state: FREE, READY (clean, may be evicted), HELD (not written yet)
 *      1, 2, 3               page id, checksum low, checksum high
 *      4                     1 when used since the clock hand last passed
 *
 * A frame leaves the table first and is filled anew only when its epoch has passed
 * (thread-slots.ts). Each thread gathers such frames for itself, so nobody waits for another.
 */
import { assert } from '../assert.js';
import { type PageId, toPageId } from '../ids.js';
import { CLOCK_HAND_WORD, FRESH_FRAME_WORD } from './control-block.js';
import { BUCKET_SLOTS, FRAME_RECORD_BYTES, type SharedMemory } from './shared-memory.js';
import { advanceEpoch, epochHasPassed } from './thread-slots.js';

const RECORD_WORDS = FRAME_RECORD_BYTES >>> 2;
const STATE = 0;
const PAGE = 1;
const LOW = 2;
const HIGH = 3;
const USED = 4;

const FREE = 0;
const READY = 1;
const HELD = 2;

const FRAME_BITS = 20;
const FRAME_MASK = 2 ** FRAME_BITS - 1;
const EVICTION_BATCH = 64;
const UNSTAMPED = 0;
const HASH_FACTOR = 0x9e3779b1 | 0;

export type FrameIndex = number;

/** This thread's way into the shared cache. */
export class PageCache {
  readonly memory: SharedMemory;
  readonly #i32: Int32Array;
  readonly #tableWord: number;
  readonly #recordsWord: number;
  readonly #bucketMask: number;
  #ready: FrameIndex[] = [];
  #aging: FrameIndex[] = [];
  #agingEpoch = 0;
  readonly #evictionBatch: number;

  constructor(memory: SharedMemory) {
    this.memory = memory;
    this.#i32 = memory.i32;
    this.#tableWord = memory.tableAddress >>> 2;
    this.#recordsWord = memory.recordsAddress >>> 2;
    this.#bucketMask = memory.bucketCount - 1;
    this.#evictionBatch = Math.min(EVICTION_BATCH, memory.frameCount >>> 4);
  }

  frameAddress(frame: FrameIndex): number {
    return this.memory.framesAddress + frame * this.memory.pageSize;
  }

  frameAt(address: number): FrameIndex {
    return (address - this.memory.framesAddress) / this.memory.pageSize;
  }

  /** The frame that holds exactly this page, or -1. */
  lookup(pageId: PageId, low: number, high: number): FrameIndex {
    const i32 = this.#i32;
    const hash = Math.imul(pageId, HASH_FACTOR);
    const tag = hash & ~FRAME_MASK;
    let bucket = (hash >>> 4) & this.#bucketMask;
    for (let attempt = 0; attempt < 2; attempt++) {
      const start = this.#tableWord + bucket * BUCKET_SLOTS;
      for (let slot = start; slot < start + BUCKET_SLOTS; slot++) {
        const entry = Atomics.load(i32, slot);
        if (entry === 0 || (entry & ~FRAME_MASK) !== tag) continue;
        const frame = (entry & FRAME_MASK) - 1;
        if (frame < 0) continue;
        const record = this.#recordsWord + frame * RECORD_WORDS;
        if (i32[record + PAGE] !== pageId || i32[record + LOW] !== low) continue;
        if (i32[record + HIGH] !== high) continue;
        if (i32[record + USED] === 0) i32[record + USED] = 1;
        return frame;
      }
      bucket ^= 1;
    }
    return -1;
  }

  /** A frame that nobody looks at, or -1 when none can be had at this moment. */
  claim(): FrameIndex {
    const own = this.#ready.pop() ?? this.#recycle();
    if (own >= 0) return own;
    const { memory } = this;
    if (Atomics.load(this.#i32, FRESH_FRAME_WORD) < memory.frameCount) {
      const fresh = Atomics.add(this.#i32, FRESH_FRAME_WORD, 1);
      if (fresh < memory.frameCount) return fresh;
    }
    if (this.#aging.length < this.#evictionBatch) this.#evict();
    return this.#recycle();
  }

  /** A frame that left the table before and that nobody looks at any more: warm, so used first. */
  #recycle(): FrameIndex {
    if (this.#aging.length === 0) return -1;
    const { memory } = this;
    if (this.#agingEpoch === UNSTAMPED) this.#agingEpoch = advanceEpoch(memory);
    if (!epochHasPassed(memory, this.#agingEpoch)) return -1;
    [this.#ready, this.#aging] = [this.#aging, this.#ready];
    this.#agingEpoch = UNSTAMPED;
    return this.#ready.pop() ?? -1;
  }

  /** Gives back a claimed frame that was never published. */
  unclaim(frame: FrameIndex): void {
    this.#ready.push(frame);
  }

  /**
   * Forgets older versions of a page whose id is used anew: no state that is in use can see them,
   * and under one id they all lie in one bucket.
   */
  forgetOlder(pageId: PageId): void {
    const i32 = this.#i32;
    let bucket = (Math.imul(pageId, HASH_FACTOR) >>> 4) & this.#bucketMask;
    const tag = Math.imul(pageId, HASH_FACTOR) & ~FRAME_MASK;
    for (let attempt = 0; attempt < 2; attempt++) {
      const start = this.#tableWord + bucket * BUCKET_SLOTS;
      for (let slot = start; slot < start + BUCKET_SLOTS; slot++) {
        const entry = i32[slot] as number;
        if (entry === 0 || (entry & ~FRAME_MASK) !== tag) continue;
        const frame = (entry & FRAME_MASK) - 1;
        const record = this.#record(frame);
        if (i32[record + PAGE] !== (pageId | 0)) continue;
        if (Atomics.compareExchange(i32, record + STATE, READY, FREE) !== READY) continue;
        this.#remove(frame, pageId);
        this.#aging.push(frame);
        this.#agingEpoch = UNSTAMPED;
      }
      bucket ^= 1;
    }
  }

  /** Makes a filled frame visible under its pointer. False when the table has no room for it. */
  publish(frame: FrameIndex, pageId: PageId, low: number, high: number, held: boolean): boolean {
    const i32 = this.#i32;
    const record = this.#record(frame);
    i32[record + PAGE] = pageId;
    i32[record + LOW] = low;
    i32[record + HIGH] = high;
    i32[record + USED] = 1;
    if (!this.#insert(frame, pageId)) return false;
    // Last, because from here on another thread may evict it, and looks for it in the table.
    Atomics.store(i32, record + STATE, held ? HELD : READY);
    return true;
  }

  /** Gives a held frame its final pointer; only the writer does so, for pages nobody else sees. */
  retag(frame: FrameIndex, low: number, high: number): void {
    const record = this.#record(frame);
    this.#i32[record + LOW] = low;
    this.#i32[record + HIGH] = high;
  }

  /** The page of a held frame is in the file: from here on it may be evicted. */
  release(frame: FrameIndex): void {
    Atomics.store(this.#i32, this.#record(frame) + STATE, READY);
  }

  /** Forgets a held page; its frame serves again when no thread can look at it any more. */
  drop(frame: FrameIndex): void {
    const record = this.#record(frame);
    this.#remove(frame, toPageId((this.#i32[record + PAGE] as number) >>> 0));
    Atomics.store(this.#i32, record + STATE, FREE);
    this.#aging.push(frame);
    this.#agingEpoch = UNSTAMPED;
  }

  #record(frame: FrameIndex): number {
    return this.#recordsWord + frame * RECORD_WORDS;
  }

  #insert(frame: FrameIndex, pageId: PageId): boolean {
    const hash = Math.imul(pageId, HASH_FACTOR);
    const entry = (hash & ~FRAME_MASK) | (frame + 1);
    let bucket = (hash >>> 4) & this.#bucketMask;
    for (let attempt = 0; attempt < 2; attempt++) {
      const start = this.#tableWord + bucket * BUCKET_SLOTS;
      for (let slot = start; slot < start + BUCKET_SLOTS; slot++) {
        if (Atomics.load(this.#i32, slot) !== 0) continue;
        if (Atomics.compareExchange(this.#i32, slot, 0, entry) === 0) return true;
      }
      bucket ^= 1;
    }
    return false;
  }

  #remove(frame: FrameIndex, pageId: PageId): void {
    const hash = Math.imul(pageId, HASH_FACTOR);
    const entry = (hash & ~FRAME_MASK) | (frame + 1);
    let bucket = (hash >>> 4) & this.#bucketMask;
    for (let attempt = 0; attempt < 2; attempt++) {
      const start = this.#tableWord + bucket * BUCKET_SLOTS;
      for (let slot = start; slot < start + BUCKET_SLOTS; slot++) {
        if (Atomics.compareExchange(this.#i32, slot, entry, 0) === entry) return;
      }
      bucket ^= 1;
    }
    assert(false, 'a published frame stands in the page table');
  }

  /** Takes clean frames that were not used lately out of the table, by the clock algorithm. */
  #evict(): void {
    const i32 = this.#i32;
    const { frameCount } = this.memory;
    for (let step = 0; step < 2 * frameCount; step++) {
      if (this.#aging.length >= this.#evictionBatch) break;
      const frame = (Atomics.add(i32, CLOCK_HAND_WORD, 1) >>> 0) % frameCount;
      const record = this.#record(frame);
      if (Atomics.load(i32, record + STATE) !== READY) continue;
      if (i32[record + USED] !== 0) {
        i32[record + USED] = 0;
        continue;
      }
      if (Atomics.compareExchange(i32, record + STATE, READY, FREE) !== READY) continue;
      this.#remove(frame, toPageId((i32[record + PAGE] as number) >>> 0));
      this.#aging.push(frame);
      this.#agingEpoch = UNSTAMPED;
    }
  }
}

/** Bytes of the frames that were ever used. */
export function usedCacheBytes(memory: SharedMemory): number {
  const used = Math.min(Atomics.load(memory.i32, FRESH_FRAME_WORD), memory.frameCount);
  return used * memory.pageSize;
}
