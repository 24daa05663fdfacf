/**
 * The page cache: frames of the shared memory that hold pages, found by pointer.
 *
 * A frame is valid for a pointer only if page id *and* checksum (or stamp) agree, so a page whose
 * id was reused is never taken for its successor. Its mark has to agree, too: a page that was
 * opened with a keyspace's key is found by that keyspace only, and that keyspace finds no plain
 * page in its place, though somebody made one with the same checksum. The page table is a hash of
 * buckets of 16 entries, one cache line each; an entry is a tag of 12 bits and a frame number of
 * 20. Lookups take no lock; inserting and removing are single compare-and-swaps.
 *
 *   word of a frame record   field
 *      0                     state: READY (clean, may be evicted), HELD (not written yet),
 *                            GIVEN_BACK (not in the table), below 0: a thread has it, see takenBy
 *      1, 2, 3               page id, checksum low, checksum high
 *      4                     1 when used since the clock hand last passed
 *      5                     mark: PLAIN, or of the keyspace that the page is sealed for
 *
 * A frame leaves the table first and is filled anew only when its epoch has passed
 * (thread-slots.ts). Each thread gathers such frames for itself, so nobody waits for another; when
 * it ends it gives them back, and when it dies they are taken from it.
 */
import { assert } from '../assert.js';
import { type PageId, type PagePointer, toPageId } from '../ids.js';
import { CLOCK_HAND_WORD, EVICTION_WORD, FRESH_FRAME_WORD } from './control-block.js';
import { BUCKET_SLOTS, FRAME_RECORD_BYTES, type SharedMemory } from './shared-memory.js';
import { advanceEpoch, epochHasPassed, leaveEpoch, threadSlotAt } from './thread-slots.js';

const RECORD_WORDS = FRAME_RECORD_BYTES >>> 2;
const STATE = 0;
const PAGE = 1;
const LOW = 2;
const HIGH = 3;
const USED = 4;
const MARK = 5;
/** The mark of pages that are not sealed. */
export const PLAIN = 0;

const READY = 1;
const HELD = 2;
const GIVEN_BACK = 3;

const FRAME_BITS = 20;
const FRAME_MASK = 2 ** FRAME_BITS - 1;
/** Frames that a thread gathers at once; of a small cache few, since resting threads keep them. */
const EVICTION_BATCH_MAX = 64;
const EVICTION_BATCH_MIN = 2;
const UNSTAMPED = 0;
const HASH_FACTOR = 0x9e3779b1 | 0;

export type FrameIndex = number;

/** By what a frame is found. */
export interface CachedPage extends Readonly<PagePointer> {
  readonly mark: number;
}

/** The state of a frame that the thread with this slot has taken. */
function takenBy(threadSlot: number): number {
  return -1 - threadSlot;
}

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
  readonly #taken: number;

  constructor(memory: SharedMemory, threadSlot: number) {
    this.memory = memory;
    this.#taken = takenBy(threadSlot);
    this.#i32 = memory.i32;
    this.#tableWord = memory.tableAddress >>> 2;
    this.#recordsWord = memory.recordsAddress >>> 2;
    this.#bucketMask = memory.bucketCount - 1;
    const share = memory.frameCount >>> 8;
    this.#evictionBatch = Math.max(EVICTION_BATCH_MIN, Math.min(EVICTION_BATCH_MAX, share));
  }

  frameAddress(frame: FrameIndex): number {
    return this.memory.framesAddress + frame * this.memory.pageSize;
  }

  frameAt(address: number): FrameIndex {
    return (address - this.memory.framesAddress) / this.memory.pageSize;
  }

  /** The frame that holds exactly this page, or -1. */
  lookup(pageId: PageId, low: number, high: number, mark: number): FrameIndex {
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
        if (i32[record + HIGH] !== high || i32[record + MARK] !== mark) continue;
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
      if (fresh < memory.frameCount) return this.#markTaken(fresh);
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
        if (!this.#take(record, READY)) continue;
        this.#remove(frame, pageId);
        this.#aging.push(frame);
        this.#agingEpoch = UNSTAMPED;
      }
      bucket ^= 1;
    }
  }

  /** Makes a filled frame visible under its pointer. False when the table has no room for it. */
  publish(frame: FrameIndex, page: CachedPage, held: boolean): boolean {
    const i32 = this.#i32;
    const record = this.#record(frame);
    const { pageId } = page;
    i32[record + PAGE] = pageId;
    i32[record + LOW] = page.low;
    i32[record + HIGH] = page.high;
    i32[record + MARK] = page.mark;
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
    this.#aging.push(this.#markTaken(frame));
    this.#agingEpoch = UNSTAMPED;
  }

  /** Leaves the frames that this thread has gathered to others: it ends. */
  giveBack(): void {
    for (const frame of [...this.#ready, ...this.#aging]) {
      Atomics.store(this.#i32, this.#record(frame) + STATE, GIVEN_BACK);
    }
    this.#ready = [];
    this.#aging = [];
  }

  #markTaken(frame: FrameIndex): FrameIndex {
    Atomics.store(this.#i32, this.#record(frame) + STATE, this.#taken);
    return frame;
  }

  /** False when the frame is not in this state any more. */
  #take(record: number, state: number): boolean {
    return Atomics.compareExchange(this.#i32, record + STATE, state, this.#taken) === state;
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
    assert(
      removeFromTable(this.memory, frame, pageId),
      'a published frame stands in the page table',
    );
  }

  /** Takes clean frames that were not used lately out of the table, by the clock algorithm. */
  #evict(): void {
    const i32 = this.#i32;
    const { frameCount } = this.memory;
    for (let step = 0; step < 2 * frameCount; step++) {
      if (this.#aging.length >= this.#evictionBatch) break;
      const frame = (Atomics.add(i32, CLOCK_HAND_WORD, 1) >>> 0) % frameCount;
      const record = this.#record(frame);
      const state = Atomics.load(i32, record + STATE);
      if (state !== READY && state !== GIVEN_BACK) continue;
      if (state === READY && i32[record + USED] !== 0) {
        i32[record + USED] = 0;
        continue;
      }
      if (!this.#take(record, state)) continue;
      if (state === READY) {
        this.#remove(frame, toPageId((i32[record + PAGE] as number) >>> 0));
        Atomics.add(i32, EVICTION_WORD, 1);
      }
      this.#aging.push(frame);
      this.#agingEpoch = UNSTAMPED;
    }
  }
}

/** False when it does not stand there. */
function removeFromTable(memory: SharedMemory, frame: FrameIndex, pageId: PageId): boolean {
  const hash = Math.imul(pageId, HASH_FACTOR);
  const entry = (hash & ~FRAME_MASK) | (frame + 1);
  let bucket = (hash >>> 4) & (memory.bucketCount - 1);
  for (let attempt = 0; attempt < 2; attempt++) {
    const start = (memory.tableAddress >>> 2) + bucket * BUCKET_SLOTS;
    for (let slot = start; slot < start + BUCKET_SLOTS; slot++) {
      if (Atomics.compareExchange(memory.i32, slot, entry, 0) === entry) return true;
    }
    bucket ^= 1;
  }
  return false;
}

/** Leaves the frames of a thread that is gone to others, and those too that it looked at. */
export function giveBackFramesOf(memory: SharedMemory, threadSlot: number): void {
  const { i32, frameCount } = memory;
  leaveEpoch(memory, threadSlotAt(threadSlot));
  for (let frame = 0; frame < frameCount; frame++) {
    const record = (memory.recordsAddress >>> 2) + frame * RECORD_WORDS;
    if (Atomics.load(i32, record + STATE) !== takenBy(threadSlot)) continue;
    // It may have died just before it took it out of the table, or just after it put it in.
    removeFromTable(memory, frame, toPageId((i32[record + PAGE] as number) >>> 0));
    Atomics.store(i32, record + STATE, GIVEN_BACK);
  }
}

/** Frames that were ever used. */
export function usedFrames(memory: SharedMemory): number {
  return Math.min(Atomics.load(memory.i32, FRESH_FRAME_WORD), memory.frameCount);
}

/** Bytes of the frames that were ever used. */
export function usedCacheBytes(memory: SharedMemory): number {
  return usedFrames(memory) * memory.pageSize;
}

/** Pages that made room for others (wraps). */
export function evictionCount(memory: SharedMemory): number {
  return Atomics.load(memory.i32, EVICTION_WORD) >>> 0;
}
