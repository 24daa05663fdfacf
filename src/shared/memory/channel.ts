/**
 * The exchange between a caller and the writer: a ring of request segments, one answer.
 *
 * Sequence numbers, not flags: the caller raises `posted`, the writer raises `done`, each after the
 * bytes that it speaks of. Who has nothing to do spins first and then waits on the other's number
 * with `Atomics.wait`, which returns at once when the number moved meanwhile; so no wake-up is
 * lost.
 *
 *   word   field
 *      0   posted     segments that the caller has filled
 *      1   done       segments that the writer has carried out
 *      2   1 while the writer sleeps
 *      3   1 while the caller sleeps
 *      4   thread slot + 1 of the writer; 0: not started, -1: ended
 *      5   1 while both sides had better sleep at once than spin
 */
import {
  ANSWER_BYTES,
  CHANNEL_ADDRESS,
  CHANNEL_SEGMENT_BYTES,
  CHANNEL_SEGMENT_COUNT,
  type SharedMemory,
} from './shared-memory.js';

const WORD = CHANNEL_ADDRESS >>> 2;
const POSTED = WORD;
const DONE = WORD + 1;
const WRITER_SLEEPS = WORD + 2;
const CALLER_SLEEPS = WORD + 3;
const WRITER_SLOT = WORD + 4;
const NO_SPIN = WORD + 5;
const SEGMENTS_ADDRESS = CHANNEL_ADDRESS + 65536;
export const ANSWER_ADDRESS = SEGMENTS_ADDRESS + CHANNEL_SEGMENT_COUNT * CHANNEL_SEGMENT_BYTES;
export const ANSWER_PAYLOAD_BYTES_MAX = ANSWER_BYTES - 64;
export const WRITER_NOT_STARTED = 0;
export const WRITER_ENDED = -1;

/** Where the segment with this number lies. */
export function segmentAddress(sequence: number): number {
  return SEGMENTS_ADDRESS + (sequence % CHANNEL_SEGMENT_COUNT) * CHANNEL_SEGMENT_BYTES;
}

/** Numbers wrap at 2^31; only their difference matters. */
function next(sequence: number): number {
  return (sequence + 1) & 0x7fffffff;
}

export function writerSlot(memory: SharedMemory): number {
  return Atomics.load(memory.i32, WRITER_SLOT);
}

/** Tells callers who the writer is, or that it is gone. */
export function announceWriter(memory: SharedMemory, slotPlusOne: number): void {
  Atomics.store(memory.i32, WRITER_SLOT, slotPlusOne);
  Atomics.notify(memory.i32, DONE);
}

/** Where the machine runs only one of the two at a time, who spins keeps the other waiting. */
export function maySpin(memory: SharedMemory): boolean {
  return Atomics.load(memory.i32, NO_SPIN) === 0;
}

export function setMaySpin(memory: SharedMemory, value: boolean): void {
  Atomics.store(memory.i32, NO_SPIN, value ? 0 : 1);
}

/** The caller's end. */
export class ChannelCaller {
  readonly #memory: SharedMemory;
  #posted = 0;
  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.#posted = Atomics.load(memory.i32, POSTED);
  }

  /** The number of the segment to fill next. */
  get nextSequence(): number {
    return this.#posted;
  }

  /** Hands the filled segment over. */
  post(): void {
    const { i32 } = this.#memory;
    this.#posted = next(this.#posted);
    Atomics.store(i32, POSTED, this.#posted);
    if (Atomics.load(i32, WRITER_SLEEPS) !== 0) Atomics.notify(i32, POSTED);
  }

  /** Where the writer is this very thread: the posted segment has been carried out. */
  finishInline(): void {
    Atomics.store(this.#memory.i32, DONE, this.#posted);
  }

  /** True when at most `count` segments are not carried out yet. */
  hasAtMost(count: number): boolean {
    const done = Atomics.load(this.#memory.i32, DONE);
    return ((this.#posted - done) & 0x7fffffff) <= count;
  }

  /** Spins until `hasAtMost(count)` or `spins` looks are over. */
  spin(count: number, spins: number): boolean {
    for (let look = 0; look < spins; look++) if (this.hasAtMost(count)) return true;
    return false;
  }

  /** Sleeps until the writer has done something, `timeoutMs` at most. */
  sleep(count: number, timeoutMs: number): void {
    const { i32 } = this.#memory;
    Atomics.store(i32, CALLER_SLEEPS, 1);
    const done = Atomics.load(i32, DONE);
    if (!this.hasAtMost(count)) Atomics.wait(i32, DONE, done, timeoutMs);
    Atomics.store(i32, CALLER_SLEEPS, 0);
  }
}

/** The writer's end. */
export class ChannelWriter {
  readonly #memory: SharedMemory;
  #done: number;
  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.#done = Atomics.load(memory.i32, DONE);
  }

  /** The number of the next segment, or -1 when there is none. */
  poll(): number {
    return Atomics.load(this.#memory.i32, POSTED) === this.#done ? -1 : this.#done;
  }

  finish(): void {
    const { i32 } = this.#memory;
    this.#done = next(this.#done);
    Atomics.store(i32, DONE, this.#done);
    if (Atomics.load(i32, CALLER_SLEEPS) !== 0) Atomics.notify(i32, DONE);
  }

  /** Sleeps until a segment is posted, `timeoutMs` at most. */
  sleep(timeoutMs: number): void {
    const { i32 } = this.#memory;
    Atomics.store(i32, WRITER_SLEEPS, 1);
    if (this.poll() < 0) Atomics.wait(i32, POSTED, this.#done, timeoutMs);
    Atomics.store(i32, WRITER_SLEEPS, 0);
  }
}
