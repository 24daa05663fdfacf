/**
 * One slot per thread that reads pages: the epoch of its running operation, and who it is.
 *
 * Epochs say when a frame may be used anew. A frame that leaves the page table is stamped with the
 * global epoch; whoever could still look at it runs an operation that began no later. So it is free
 * once every slot is idle or at a later epoch.
 *
 *   word   field
 *      0   operating system's id of the thread that has it, -1 when unknown; 0 when free
 *      1   epoch of the running operation, 0 when idle
 *      2   page reads answered by the cache (wraps)
 *      3   page reads that went to the file (wraps)
 */
import { assert } from '../assert.js';
import { THREAD_SLOT_COUNT } from '../limits.js';
import { EPOCH_WORD } from './control-block.js';
import { type SharedMemory, THREAD_SLOT_BYTES, THREAD_SLOTS_ADDRESS } from './shared-memory.js';

const BASE = THREAD_SLOTS_ADDRESS >>> 2;
const WORDS = THREAD_SLOT_BYTES >>> 2;
const EPOCH = 1;
const HITS = 2;
const MISSES = 3;
const FREE = 0;
const UNKNOWN = -1;

/** A thread's place; `word` is the index of the slot's first word. */
export interface ThreadSlot {
  readonly index: number;
  readonly word: number;
}

export function claimThreadSlot(memory: SharedMemory, systemThreadId: number): ThreadSlot {
  for (let index = 0; index < THREAD_SLOT_COUNT; index++) {
    const word = BASE + index * WORDS;
    // Taken by the same write that says by whom: nobody finds the id of the one before.
    const holder = systemThreadId === 0 ? UNKNOWN : systemThreadId;
    if (Atomics.compareExchange(memory.i32, word, FREE, holder) === FREE) return { index, word };
  }
  assert(false, 'there are fewer threads than thread slots');
}

/** The places of threads that are gone. */
export function deadSlots(
  memory: SharedMemory,
  mayLive: (systemThreadId: number) => boolean,
): number[] {
  const dead: number[] = [];
  for (let index = 0; index < THREAD_SLOT_COUNT; index++) {
    if (!mayLive(systemThreadId(memory, index))) dead.push(index);
  }
  return dead;
}

/** The place with this number, whoever has it. */
export function threadSlotAt(index: number): ThreadSlot {
  return { index, word: BASE + index * WORDS };
}

export function releaseThreadSlot(memory: SharedMemory, slot: ThreadSlot): void {
  Atomics.store(memory.i32, slot.word + EPOCH, 0);
  Atomics.store(memory.i32, slot.word, FREE);
}

/** 0 when it is unknown, or nobody has the place. */
export function systemThreadId(memory: SharedMemory, slotIndex: number): number {
  return Math.max(0, Atomics.load(memory.i32, BASE + slotIndex * WORDS));
}

/** From here on, no frame that this thread may come to see is used anew. */
export function enterEpoch(memory: SharedMemory, slot: ThreadSlot): void {
  Atomics.store(memory.i32, slot.word + EPOCH, epochNumber(Atomics.load(memory.i32, EPOCH_WORD)));
}

/** Odd, so that it is never 0 (idle), and it may wrap: epochs are compared by their difference. */
function epochNumber(counter: number): number {
  return ((counter + 1) << 1) | 1;
}

export function leaveEpoch(memory: SharedMemory, slot: ThreadSlot): void {
  Atomics.store(memory.i32, slot.word + EPOCH, 0);
}

export function isInEpoch(memory: SharedMemory, slot: ThreadSlot): boolean {
  return Atomics.load(memory.i32, slot.word + EPOCH) !== 0;
}

/** Ends the epoch that retired frames belong to and returns it. */
export function advanceEpoch(memory: SharedMemory): number {
  return epochNumber(Atomics.add(memory.i32, EPOCH_WORD, 1));
}

/** True when every thread has begun anew, or rests, since `epoch` ended. */
export function epochHasPassed(memory: SharedMemory, epoch: number): boolean {
  for (let index = 0; index < THREAD_SLOT_COUNT; index++) {
    const running = Atomics.load(memory.i32, BASE + index * WORDS + EPOCH);
    if (running !== 0 && ((running - epoch) | 0) <= 0) return false;
  }
  return true;
}

export function countHits(memory: SharedMemory, slot: ThreadSlot, count: number): void {
  const at = slot.word + HITS;
  memory.i32[at] = ((memory.i32[at] as number) + count) | 0;
}

export function countMiss(memory: SharedMemory, slot: ThreadSlot): void {
  const at = slot.word + MISSES;
  memory.i32[at] = ((memory.i32[at] as number) + 1) | 0;
}

/** Pages that a thread has read from the file; goes round at 2^32. */
export function missesOf(memory: SharedMemory, slot: ThreadSlot): number {
  return (memory.i32[slot.word + MISSES] as number) >>> 0;
}

export function cacheCounters(memory: SharedMemory): { hits: number; misses: number } {
  let hits = 0;
  let misses = 0;
  for (let index = 0; index < THREAD_SLOT_COUNT; index++) {
    hits += (memory.i32[BASE + index * WORDS + HITS] as number) >>> 0;
    misses += (memory.i32[BASE + index * WORDS + MISSES] as number) >>> 0;
  }
  return { hits, misses };
}
