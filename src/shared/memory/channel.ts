/**
 * The exchange between callers and the writer: for each thread slot a ring of request segments and
 * one answer, for all of them one bell.
 *
 * Sequence numbers, not flags: a caller raises `posted` and then the bell, the writer raises
 * `done`, each after the bytes that it speaks of. Who has nothing to do spins first and then waits
 * on the other's number with `Atomics.wait`, which returns at once when the number moved meanwhile;
 * so no wake-up is lost.
 *
 *   word   field, common to all
 *      0   bell       rises with every segment that is posted
 *      1   1 while the writer sleeps
 *      2   thread slot + 1 of the writer; 0: not started, -1: ended
 *      3   1 while both sides had better sleep at once than spin
 *      4   channels that were ever used
 *      5   channel + 1 of whose batch is open, 0 when none is
 *
 *   word   field of a channel
 *      0   posted     segments that the caller has filled
 *      1   done       segments that the writer has carried out
 *      2   1 while the caller sleeps
 */
import {
  ANSWER_BYTES,
  CHANNEL_ADDRESS,
  CHANNEL_BYTES,
  CHANNEL_SEGMENT_BYTES,
  CHANNEL_SEGMENT_COUNT,
  CHANNELS_ADDRESS,
  type SharedMemory,
} from './shared-memory.js';

const WORD = CHANNEL_ADDRESS >>> 2;
const BELL = WORD;
const WRITER_SLEEPS = WORD + 1;
const WRITER_SLOT = WORD + 2;
const NO_SPIN = WORD + 3;
const CHANNEL_LIMIT = WORD + 4;
const BATCH_OWNER = WORD + 5;
const CHANNEL_WORDS = WORD + 256;
/** A cache line each, so that callers do not get in each other's way. */
const WORDS_PER_CHANNEL = 16;
const POSTED = 0;
const DONE = 1;
const CALLER_SLEEPS = 2;

export const ANSWER_PAYLOAD_BYTES_MAX = ANSWER_BYTES - 64;
export const WRITER_NOT_STARTED = 0;
export const WRITER_ENDED = -1;

function channelWord(channel: number): number {
  return CHANNEL_WORDS + channel * WORDS_PER_CHANNEL;
}

/** Where a channel's answers lie. */
export function answerAddress(channel: number): number {
  return CHANNELS_ADDRESS + channel * CHANNEL_BYTES + CHANNEL_SEGMENT_COUNT * CHANNEL_SEGMENT_BYTES;
}

/** Where a channel's segment with this number lies. */
export function segmentAddress(channel: number, sequence: number): number {
  const ring = CHANNELS_ADDRESS + channel * CHANNEL_BYTES;
  return ring + (sequence % CHANNEL_SEGMENT_COUNT) * CHANNEL_SEGMENT_BYTES;
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
  const limit = Atomics.load(memory.i32, CHANNEL_LIMIT);
  for (let channel = 0; channel < limit; channel++) {
    Atomics.notify(memory.i32, channelWord(channel) + DONE);
  }
}

/** Where the machine runs only one of the two at a time, who spins keeps the other waiting. */
export function maySpin(memory: SharedMemory): boolean {
  return Atomics.load(memory.i32, NO_SPIN) === 0;
}

export function setMaySpin(memory: SharedMemory, value: boolean): void {
  Atomics.store(memory.i32, NO_SPIN, value ? 0 : 1);
}

/** A caller's end: the channel of its thread slot. */
export class ChannelCaller {
  readonly #memory: SharedMemory;
  readonly channel: number;
  readonly #word: number;
  #posted: number;

  constructor(memory: SharedMemory, channel: number) {
    this.#memory = memory;
    this.channel = channel;
    this.#word = channelWord(channel);
    this.#posted = Atomics.load(memory.i32, this.#word + POSTED);
    raiseLimit(memory, channel + 1);
  }

  /** Where the segment lies that is to be filled next. */
  get nextSegment(): number {
    return segmentAddress(this.channel, this.#posted);
  }

  get answer(): number {
    return answerAddress(this.channel);
  }

  /** Hands the filled segment over. */
  post(): void {
    const { i32 } = this.#memory;
    this.#posted = next(this.#posted);
    Atomics.store(i32, this.#word + POSTED, this.#posted);
    Atomics.add(i32, BELL, 1);
    if (Atomics.load(i32, WRITER_SLEEPS) !== 0) Atomics.notify(i32, BELL);
  }

  /** Where the writer is this very thread: the posted segment has been carried out. */
  finishInline(): void {
    Atomics.store(this.#memory.i32, this.#word + DONE, this.#posted);
  }

  /** True when at most `count` segments are not carried out yet. */
  hasAtMost(count: number): boolean {
    const done = Atomics.load(this.#memory.i32, this.#word + DONE);
    return ((this.#posted - done) & 0x7fffffff) <= count;
  }

  /** True while another thread's batch is open, which lasts as long as that thread likes. */
  othersBatchIsOpen(): boolean {
    const owner = Atomics.load(this.#memory.i32, BATCH_OWNER);
    return owner !== 0 && owner !== this.channel + 1;
  }

  /** True when another thread waits for the writer too: all of them spinning, it could not run. */
  othersWait(): boolean {
    const { i32 } = this.#memory;
    const limit = Atomics.load(i32, CHANNEL_LIMIT);
    for (let channel = 0; channel < limit; channel++) {
      const word = channelWord(channel);
      const isWaiting = Atomics.load(i32, word + POSTED) !== Atomics.load(i32, word + DONE);
      if (isWaiting && channel !== this.channel) return true;
    }
    return false;
  }

  /** Spins until `hasAtMost(count)` or `spins` looks are over. */
  spin(count: number, spins: number): boolean {
    for (let look = 0; look < spins; look++) if (this.hasAtMost(count)) return true;
    return false;
  }

  /** Sleeps until the writer has done something, `timeoutMs` at most. */
  sleep(count: number, timeoutMs: number): void {
    const { i32 } = this.#memory;
    Atomics.store(i32, this.#word + CALLER_SLEEPS, 1);
    const done = Atomics.load(i32, this.#word + DONE);
    if (!this.hasAtMost(count)) Atomics.wait(i32, this.#word + DONE, done, timeoutMs);
    Atomics.store(i32, this.#word + CALLER_SLEEPS, 0);
  }
}

function raiseLimit(memory: SharedMemory, limit: number): void {
  for (;;) {
    const seen = Atomics.load(memory.i32, CHANNEL_LIMIT);
    if (seen >= limit) return;
    if (Atomics.compareExchange(memory.i32, CHANNEL_LIMIT, seen, limit) === seen) return;
  }
}

/** The writer's end of all channels. */
export class ChannelWriter {
  readonly #memory: SharedMemory;
  #bell = 0;
  /** Where the last look began to look: everybody's turn comes. */
  #first = 0;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
  }

  /** True when the channel holds a segment that is not carried out yet. */
  isWaiting(channel: number): boolean {
    const { i32 } = this.#memory;
    const word = channelWord(channel);
    return Atomics.load(i32, word + POSTED) !== Atomics.load(i32, word + DONE);
  }

  /**
   * A channel with a segment to be carried out, each in its turn; -1 when there is none. `only`
   * looks at one channel, unless it is -1.
   */
  poll(only: number): number {
    const { i32 } = this.#memory;
    const bell = Atomics.load(i32, BELL);
    if (only >= 0) {
      if (this.isWaiting(only)) return only;
      this.#bell = bell;
      return -1;
    }
    const limit = Atomics.load(i32, CHANNEL_LIMIT);
    for (let step = 0; step < limit; step++) {
      const channel = (this.#first + step) % limit;
      if (!this.isWaiting(channel)) continue;
      this.#first = channel + 1;
      return channel;
    }
    this.#bell = bell;
    return -1;
  }

  /** All channels with a segment to be carried out. */
  waiting(): number[] {
    const limit = Atomics.load(this.#memory.i32, CHANNEL_LIMIT);
    const channels: number[] = [];
    for (let at = 0; at < limit; at++) if (this.isWaiting(at)) channels.push(at);
    return channels;
  }

  /** Where the channel's next segment lies. */
  segment(channel: number): number {
    return segmentAddress(channel, Atomics.load(this.#memory.i32, channelWord(channel) + DONE));
  }

  finish(channel: number): void {
    const { i32 } = this.#memory;
    const word = channelWord(channel);
    Atomics.store(i32, word + DONE, next(Atomics.load(i32, word + DONE)));
    if (Atomics.load(i32, word + CALLER_SLEEPS) !== 0) Atomics.notify(i32, word + DONE);
  }

  /** Tells callers whose batch is open; -1 when none is. */
  tellBatch(channel: number): void {
    Atomics.store(this.#memory.i32, BATCH_OWNER, channel + 1);
  }

  /** Forgets what a caller that is gone has posted. */
  drop(channel: number): void {
    const { i32 } = this.#memory;
    const word = channelWord(channel);
    Atomics.store(i32, word + DONE, Atomics.load(i32, word + POSTED));
  }

  /** Sleeps until the bell has risen since a `poll` that found nothing, `timeoutMs` at most. */
  sleep(timeoutMs: number): void {
    const { i32 } = this.#memory;
    Atomics.store(i32, WRITER_SLEEPS, 1);
    Atomics.wait(i32, BELL, this.#bell, timeoutMs);
    Atomics.store(i32, WRITER_SLEEPS, 0);
  }
}
