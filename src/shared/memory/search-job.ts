/**
 * A search that several threads work at, and what each of them finds.
 *
 * There is one place for a job. Whoever has it writes down what is looked for and rings; threads
 * that wait for that claim slices, and so does the owner, who needs none of them: a slice that
 * somebody claimed and does not finish in time is taken from him and done by the owner. Every word
 * that is changed by exchange has the job's sequence number in it, so whoever comes late from an
 * older job changes nothing: his threshold, above all, is that of another query.
 *
 *   word   field
 *      0   bell: the sequence of the newest job
 *      1   owner: thread slot + 1; 0 when nobody has the place
 *      2   claim: sequence (20 bits), next slice (12 bits)
 *      3   slices
 *    4-5   threshold: a float32 whose bits sort as it does, and in the upper word the sequence
 *      6   finished: raised with every slice that is
 *      7   threads that may still help
 *   8-11   root of the tree of codes: page id, checksum low and high, level
 *  12-15   vectors in the keyspace, dimension, metric, topK
 *  16-20   1 when the keyspace is encrypted, and its id
 *     64   a word for each slice: sequence (20 bits), state
 *   4160   the query's numbers, float32
 *
 *   word   field of what a thread has found
 *      0   sequence of the job
 *      1   how many
 *      2   each: slot and, as a float32 that is not below it, the upper bound of its goodness
 */
import { THREAD_SLOT_COUNT } from '../limits.js';
import { threadMayLive } from '../system.js';
import {
  FINDINGS_ADDRESS,
  FINDINGS_BYTES,
  JOB_ADDRESS,
  type SharedMemory,
} from './shared-memory.js';
import { systemThreadId } from './thread-slots.js';

const BASE = JOB_ADDRESS >>> 2;
const BELL = BASE;
const OWNER = BASE + 1;
const CLAIM = BASE + 2;
const SLICES = BASE + 3;
const THRESHOLD = BASE + 4;
const FINISHED = BASE + 6;
const HELPERS = BASE + 7;
const FIELDS = BASE + 8;
const FIELD_COUNT = 8;
const HAS_ID = FIELDS + FIELD_COUNT;
const ID_ADDRESS = (HAS_ID + 1) << 2;
const ID_BYTES = 16;
const STATES = BASE + 64;
export const SLICES_MAX = 2 ** 12 - 1;
const QUERY = BASE + 4160;
const SEQUENCE_MASK = 2 ** 20 - 1;
const SLICE_BITS = 12;

const CLAIMED = 1;
const DONE = 2;
const LEFT = 3;

const FINDING_WORDS = 2;
const FINDINGS_MAX = (FINDINGS_BYTES >>> 2) / FINDING_WORDS - 1;

/** What is looked for, as plain numbers: see the fields above. */
export interface SearchJob {
  readonly fields: readonly number[];
  /** Of an encrypted keyspace. */
  readonly keyspaceId: Uint8Array | undefined;
  readonly vector: Float32Array;
}

/** Slots and the upper bounds of their goodness. */
export interface Findings {
  readonly slots: number[];
  readonly uppers: number[];
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Integers that sort as the floats do. */
function orderedBits(word: number): number {
  return word ^ ((word >> 31) & 0x7fffffff);
}

/** The greatest float32 that is not above a number. */
function floatBelow(value: number): number {
  float[0] = value;
  if ((float[0] as number) > value) bits[0] = orderedBits(orderedBits(bits[0] as number) - 1);
  return float[0] as number;
}

function floatAbove(value: number): number {
  return -floatBelow(-value);
}

/** This thread's way to the place of the job. */
export class SearchBoard {
  readonly #i32: Int32Array;
  readonly #i64: BigInt64Array;
  readonly #f32: Float32Array;
  readonly #memory: SharedMemory;
  readonly #slot: number;

  /** @param threadSlot - This thread's. */
  constructor(memory: SharedMemory, threadSlot: number) {
    this.#memory = memory;
    this.#i32 = memory.i32;
    this.#i64 = new BigInt64Array(memory.handle.buffer);
    this.#f32 = new Float32Array(memory.handle.buffer);
    this.#slot = threadSlot;
  }

  /** The sequence of the newest job; whoever waits for another one waits on its word. */
  get bell(): number {
    return Atomics.load(this.#i32, BELL);
  }

  get bellWord(): { readonly words: Int32Array; readonly index: number } {
    return { words: this.#i32, index: BELL };
  }

  /** Wakes all who wait, so that they look around. */
  ring(): void {
    Atomics.notify(this.#i32, BELL);
  }

  /** Takes the place; false when another thread has it that lives. */
  acquire(): boolean {
    const owner = Atomics.compareExchange(this.#i32, OWNER, 0, this.#slot + 1);
    if (owner === 0) return true;
    if (threadMayLive(systemThreadId(this.#memory, owner - 1))) return false;
    return Atomics.compareExchange(this.#i32, OWNER, owner, this.#slot + 1) === owner;
  }

  release(): void {
    Atomics.store(this.#i32, OWNER, 0);
  }

  /** Makes a job known; returns its sequence. */
  publish(job: SearchJob, slices: number, helpers: number): number {
    const i32 = this.#i32;
    const sequence = (Atomics.load(i32, BELL) + 1) & SEQUENCE_MASK;
    // From here on nobody claims a slice of the job before.
    Atomics.store(i32, CLAIM, (sequence << SLICE_BITS) | SLICES_MAX);
    job.fields.forEach((field, index) => {
      i32[FIELDS + index] = field;
    });
    const { keyspaceId } = job;
    this.#i32[HAS_ID] = keyspaceId === undefined ? 0 : 1;
    if (keyspaceId !== undefined) this.#memory.u8.set(keyspaceId, ID_ADDRESS);
    this.#f32.set(job.vector, QUERY);
    Atomics.store(i32, SLICES, slices);
    Atomics.store(this.#i64, THRESHOLD >>> 1, thresholdWord(sequence, Number.NEGATIVE_INFINITY));
    Atomics.store(i32, HELPERS, helpers);
    Atomics.store(i32, CLAIM, sequence << SLICE_BITS);
    Atomics.store(i32, BELL, sequence);
    Atomics.notify(i32, BELL);
    return sequence;
  }

  /** The job with this sequence; undefined when it is over, or enough others help. */
  join(sequence: number): SearchJob | undefined {
    const i32 = this.#i32;
    if (Atomics.sub(i32, HELPERS, 1) <= 0) return undefined;
    const fields = Array.from({ length: FIELD_COUNT }, (_, index) => i32[FIELDS + index] as number);
    const id = this.#memory.u8.slice(ID_ADDRESS, ID_ADDRESS + ID_BYTES);
    const keyspaceId = i32[HAS_ID] === 1 ? id : undefined;
    const vector = this.#f32.slice(QUERY, QUERY + (fields[5] as number));
    const claim = Atomics.load(i32, CLAIM);
    if (claim >>> SLICE_BITS !== sequence || (claim & SLICES_MAX) === SLICES_MAX) return undefined;
    const word = this.#findings(this.#slot);
    Atomics.store(i32, word + 1, 0);
    Atomics.store(i32, word, sequence);
    return { fields, keyspaceId, vector };
  }

  /** The next slice that nobody has; -1 when there is none. */
  claim(sequence: number): number {
    const i32 = this.#i32;
    for (;;) {
      const claim = Atomics.load(i32, CLAIM);
      const slice = claim & SLICES_MAX;
      if (claim >>> SLICE_BITS !== sequence || slice >= Atomics.load(i32, SLICES)) return -1;
      if (Atomics.compareExchange(i32, CLAIM, claim, claim + 1) !== claim) continue;
      Atomics.store(i32, STATES + slice, (sequence << SLICE_BITS) | CLAIMED);
      return slice;
    }
  }

  /** Ends a slice: done, or left to the owner. False when it was taken away. */
  finish(sequence: number, slice: number, isDone: boolean): boolean {
    const claimed = (sequence << SLICE_BITS) | CLAIMED;
    const ended = (sequence << SLICE_BITS) | (isDone ? DONE : LEFT);
    const state = Atomics.compareExchange(this.#i32, STATES + slice, claimed, ended);
    Atomics.add(this.#i32, FINISHED, 1);
    Atomics.notify(this.#i32, FINISHED);
    return state === claimed;
  }

  /** How often a slice has been finished; see `waitForFinished`. */
  get finished(): number {
    return Atomics.load(this.#i32, FINISHED);
  }

  /** Waits until a slice is finished after `seen`, or some time has passed. */
  waitForFinished(seen: number, timeoutMs: number): void {
    Atomics.wait(this.#i32, FINISHED, seen, timeoutMs);
  }

  isDone(sequence: number, slice: number): boolean {
    return Atomics.load(this.#i32, STATES + slice) === ((sequence << SLICE_BITS) | DONE);
  }

  /** True when somebody works at the slice, or is about to. */
  isUnderWay(sequence: number, slice: number): boolean {
    return !this.isDone(sequence, slice) && !this.#isLeft(sequence, slice);
  }

  #isLeft(sequence: number, slice: number): boolean {
    return Atomics.load(this.#i32, STATES + slice) === ((sequence << SLICE_BITS) | LEFT);
  }

  /** Takes a slice away from whoever has claimed it; false when he has done it meanwhile. */
  takeAway(sequence: number, slice: number): boolean {
    const left = (sequence << SLICE_BITS) | LEFT;
    for (;;) {
      if (this.isDone(sequence, slice)) return false;
      const state = Atomics.load(this.#i32, STATES + slice);
      if (Atomics.compareExchange(this.#i32, STATES + slice, state, left) === state) return true;
    }
  }

  /** The highest threshold that anybody has found in a job; none when it is over. */
  threshold(sequence: number): number {
    const word = Atomics.load(this.#i64, THRESHOLD >>> 1);
    return Number(word >> 32n) === sequence ? thresholdIn(word) : Number.NEGATIVE_INFINITY;
  }

  raiseThreshold(sequence: number, threshold: number): void {
    const wanted = thresholdWord(sequence, floatBelow(threshold));
    for (;;) {
      const seen = Atomics.load(this.#i64, THRESHOLD >>> 1);
      if (Number(seen >> 32n) !== sequence || !(thresholdIn(wanted) > thresholdIn(seen))) return;
      if (Atomics.compareExchange(this.#i64, THRESHOLD >>> 1, seen, wanted) === seen) return;
    }
  }

  /** Adds to what this thread has found; false when there is no room. */
  addFindings({ slots, uppers }: Findings): boolean {
    const i32 = this.#i32;
    const word = this.#findings(this.#slot);
    const count = i32[word + 1] as number;
    if (count + slots.length > FINDINGS_MAX) return false;
    slots.forEach((slot, index) => {
      const at = word + FINDING_WORDS * (count + index + 1);
      i32[at] = slot;
      this.#f32[at + 1] = floatAbove(uppers[index] as number);
    });
    Atomics.store(i32, word + 1, count + slots.length);
    return true;
  }

  /** What all threads have found in a job. */
  findings(sequence: number): Findings {
    const i32 = this.#i32;
    const found: Findings = { slots: [], uppers: [] };
    for (let slot = 0; slot < THREAD_SLOT_COUNT; slot++) {
      const word = this.#findings(slot);
      if (Atomics.load(i32, word) !== sequence) continue;
      const count = Atomics.load(i32, word + 1);
      for (let index = 0; index < count; index++) {
        const at = word + FINDING_WORDS * (index + 1);
        found.slots.push((i32[at] as number) >>> 0);
        found.uppers.push(this.#f32[at + 1] as number);
      }
    }
    return found;
  }

  #findings(threadSlot: number): number {
    return (FINDINGS_ADDRESS + threadSlot * FINDINGS_BYTES) >>> 2;
  }
}

function thresholdWord(sequence: number, threshold: number): bigint {
  const low = BigInt.asUintN(32, BigInt(orderedBits(bitsOf(threshold))));
  return (BigInt(sequence) << 32n) | low;
}

function thresholdIn(word: bigint): number {
  bits[0] = orderedBits(Number(BigInt.asIntN(32, word)));
  return float[0] as number;
}

function bitsOf(value: number): number {
  float[0] = value;
  return bits[0] as number;
}
