/**
 * The calling thread's way to the writer: starts it, fills segments, waits, and notices when it is
 * gone.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { isErrorCode, MnemeError } from '../shared/errors.js';
import {
  ChannelCaller,
  setMaySpin,
  WRITER_ENDED,
  WRITER_NOT_STARTED,
  writerSlot,
} from '../shared/memory/channel.js';
import { isMarkedClosed } from '../shared/memory/control-block.js';
import {
  ANSWER_HEADER_BYTES,
  BEGIN,
  DEFINE,
  finishOperation,
  MODE_ANYTIME,
  MODE_BEGIN,
  MODE_CANCELLED,
  MODE_IN_BATCH,
  MODE_OWN,
  OPERATION_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  SETTLE,
  type WriterStart,
} from '../shared/memory/messages.js';
import {
  CHANNEL_SEGMENT_BYTES,
  CHANNEL_SEGMENT_COUNT,
  type SharedMemory,
} from '../shared/memory/shared-memory.js';
import { systemThreadId } from '../shared/memory/thread-slots.js';
import {
  DESCRIPTORS_OF_THREAD,
  expectDescriptors,
  monotonicMs,
  processId,
  threadMayLive,
} from '../shared/system.js';
import type { Events } from './events.js';
import { InlineWriter } from './inline-writer.js';
import { WaitingPolicy } from './waiting.js';

const SPIN_MS_MAX = 1;
const SPINS_PER_CLOCK_READING = 64;
const SLEEP_MS = 100;
const START_MS_MAX = 10000;
/** The writer makes little garbage; without a bound its heap grows by tens of megabytes first. */
const YOUNG_GENERATION_MB = 8;

/** What an operation says besides key and value. */
export interface OperationFields {
  readonly code: number;
  readonly flags: number;
  readonly handle: number;
  readonly number: number;
}

/** Room that one operation may take of a segment; longer values go in parts. */
export const OPERATION_BYTES_MAX =
  CHANNEL_SEGMENT_BYTES - SEGMENT_HEADER_BYTES - OPERATION_HEADER_BYTES - 8;

export class WriterConnection {
  readonly #memory: SharedMemory;
  readonly #start: (() => WriterStart) | undefined;
  readonly #channel: ChannelCaller;
  readonly #lockTimeoutMs: number;
  /** The posted segment that begins a transaction, until it is answered. */
  #beginning = 0;
  #worker: Worker | undefined;
  #inline: InlineWriter | undefined;
  #startedMs = 0;
  #ended = false;
  /** Address of the segment being filled and where its next operation goes. */
  #segment = 0;
  #end = 0;
  #own = false;
  /** What the last transaction sent so far, and how long the last answer was waited for. */
  #sentBytes = 0;
  #waitedMs = 0;
  readonly #events: Events;
  #now = 0;
  readonly #waiting = new WaitingPolicy(availableParallelism());
  #spins = true;

  /**
   * @param channel - This thread's slot.
   * @param lockTimeoutMs - How long another thread's batch is waited for.
   * @param start - What the writer is told; undefined where another thread starts it.
   */
  constructor(
    memory: SharedMemory,
    channel: number,
    lockTimeoutMs: number,
    start: (() => WriterStart) | undefined,
    events: Events,
  ) {
    this.#memory = memory;
    this.#events = events;
    this.#start = start;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#channel = new ChannelCaller(memory, channel);
  }

  get isStarted(): boolean {
    if (this.#start === undefined) return writerSlot(this.#memory) !== WRITER_NOT_STARTED;
    return this.#worker !== undefined || this.#inline !== undefined;
  }

  /** Starts a segment. `own`: it is a transaction of its own. */
  begin(own: boolean, now: number): void {
    this.ensureStarted();
    if (!this.isEmpty) this.#post();
    if (!this.#channel.hasAtMost(CHANNEL_SEGMENT_COUNT - 1)) this.#wait(CHANNEL_SEGMENT_COUNT - 1);
    this.#segment = this.#channel.nextSegment;
    this.#end = this.#segment + SEGMENT_HEADER_BYTES;
    this.#own = own;
    this.#now = now;
  }

  /** Goes on with a batch's segment, or starts one: a segment has one reading of the clock. */
  continueBatch(now: number): void {
    if (this.#segment === 0 || this.#own || this.#now !== now) this.begin(false, now);
  }

  /** True when a segment of a batch is being filled. */
  get isUnderWay(): boolean {
    return this.#segment !== 0 && !this.#own;
  }

  /** Where the key of the next operation is to be written, `room` bytes for key and value. */
  reserve(room: number): number {
    const limit = this.#segment + CHANNEL_SEGMENT_BYTES;
    if (this.#end + OPERATION_HEADER_BYTES + room + 8 > limit) {
      this.#post();
      this.begin(this.#own, this.#now);
    }
    return this.#end + OPERATION_HEADER_BYTES;
  }

  /** Ends the operation whose key and value were written where `reserve` said. */
  add(fields: OperationFields, keyLength: number, valueLength: number): void {
    this.#end = finishOperation(this.#memory, this.#end, fields, keyLength, valueLength);
  }

  get isEmpty(): boolean {
    return this.#segment === 0 || this.#end === this.#segment + SEGMENT_HEADER_BYTES;
  }

  /**
   * Sends what is gathered and waits for the answer to all of it; returns the payload's address.
   */
  send(): number {
    if (!this.isEmpty) this.#post();
    this.#wait(0);
    const { answer } = this.#channel;
    if (this.#memory.i32[answer >>> 2] !== 0) throw this.#answeredError();
    if (this.#own && this.#events.wantsCommits) this.tellCommit(false);
    return answer + ANSWER_HEADER_BYTES;
  }

  /** Tells of the transaction that was answered last; its answer stays, whatever is read then. */
  tellCommit(isBatch: boolean): void {
    const { answer } = this.#channel;
    const { u8 } = this.#memory;
    const kept = u8.slice(answer, answer + ANSWER_HEADER_BYTES + this.answerLength);
    this.#events.committed({ isBatch, bytes: this.#sentBytes, durationMs: this.#waitedMs });
    u8.set(kept, answer);
  }

  get answerLength(): number {
    return this.#memory.i32[(this.#channel.answer >>> 2) + 1] as number;
  }

  /** Waits until everything sent is carried out, whatever came of it. */
  drain(): void {
    this.#wait(0);
  }

  /** Forgets what is gathered and not sent. */
  discard(): void {
    this.#segment = 0;
  }

  #post(): void {
    const { i32, f64 } = this.#memory;
    const segment = this.#segment;
    i32[segment >>> 2] = this.#end - segment - SEGMENT_HEADER_BYTES;
    const mode = this.#own ? MODE_OWN : this.#modeOf(segment);
    i32[(segment >>> 2) + 1] = mode;
    this.#beginning = mode === MODE_OWN || mode === MODE_BEGIN ? segment : 0;
    if (this.#beginning !== 0) this.#sentBytes = 0;
    this.#sentBytes += this.#end - segment;
    f64[(segment >>> 3) + 1] = this.#now;
    this.#segment = 0;
    this.#decideWaiting();
    this.#channel.post();
    if (this.#inline !== undefined) this.#runInline(segment);
  }

  /** How a segment that is no transaction of its own is to be taken: its first operation says. */
  #modeOf(segment: number): number {
    const code = this.#memory.u8[segment + SEGMENT_HEADER_BYTES];
    if (code === DEFINE || code === SETTLE) return MODE_ANYTIME;
    return code === BEGIN ? MODE_BEGIN : MODE_IN_BATCH;
  }

  #runInline(segment: number): void {
    this.#inline?.run(this.#channel.channel, segment);
    this.#channel.finishInline();
  }

  /** Waits until at most `count` segments are open. */
  #wait(count: number): void {
    this.#waitedMs = 0;
    if (this.#channel.hasAtMost(count)) return;
    const started = monotonicMs();
    const spinEnd = this.#spins ? started + SPIN_MS_MAX : started;
    do {
      if (this.#channel.spin(count, SPINS_PER_CLOCK_READING)) break;
    } while (monotonicMs() < spinEnd && !this.#channel.othersWait());
    while (!this.#channel.hasAtMost(count)) {
      this.#channel.sleep(count, SLEEP_MS);
      if (this.#channel.hasAtMost(count)) break;
      this.#checkWriter();
      if (monotonicMs() - started >= this.#lockTimeoutMs) this.#giveUp();
    }
    this.#waitedMs = monotonicMs() - started;
    this.#waiting.learn(this.#waitedMs);
  }

  /** Takes back what the writer has not begun: another thread's batch lasts too long. */
  #giveUp(): void {
    const mode = (this.#beginning >>> 2) + 1;
    if (this.#beginning === 0 || !this.#channel.othersBatchIsOpen()) return;
    const { i32 } = this.#memory;
    const seen = Atomics.load(i32, mode);
    if (seen !== MODE_OWN && seen !== MODE_BEGIN) return;
    if (Atomics.compareExchange(i32, mode, seen, MODE_CANCELLED) !== seen) return;
    throw new MnemeError('ERR_MNEME_LOCKED', { pid: processId() });
  }

  /** Both sides have to know before the writer takes up what it is sent. */
  #decideWaiting(): void {
    const spins = this.#waiting.next();
    if (spins === this.#spins) return;
    this.#spins = spins;
    setMaySpin(this.#memory, spins);
  }

  /** Throws when the writer will never answer. */
  #checkWriter(): void {
    const slot = writerSlot(this.#memory);
    if (slot === WRITER_NOT_STARTED) {
      if (!this.#ended && monotonicMs() - this.#startedMs < START_MS_MAX) return;
    } else if (slot !== WRITER_ENDED && !this.#ended) {
      if (threadMayLive(systemThreadId(this.#memory, slot - 1))) return;
    }
    this.#ended = true;
    if (isMarkedClosed(this.#memory)) throw new MnemeError('ERR_MNEME_CLOSED');
    this.#events.note('the writer does not answer any more');
    throw new MnemeError('ERR_MNEME_WRITER_DIED');
  }

  /** Starts the writer unless it is started, or another thread does so. */
  ensureStarted(): void {
    if (this.#ended) throw new MnemeError('ERR_MNEME_WRITER_DIED');
    if (this.isStarted) return;
    if (this.#startedMs === 0) this.#startedMs = monotonicMs();
    const start = this.#start;
    if (start === undefined) return;
    const workerData = start();
    this.#events.note('starts the writer');
    try {
      this.#worker = this.#startWorker(workerData);
    } catch (error) {
      if (!isWithoutWorkers(error)) throw error;
      process.emitWarning('no worker threads here: MNEME writes on the calling thread');
      this.#inline = new InlineWriter(this.#memory, workerData);
    }
  }

  #startWorker(workerData: WriterStart): Worker {
    expectDescriptors(DESCRIPTORS_OF_THREAD);
    const url = new URL('../writer/worker.js', import.meta.url);
    const worker = new Worker(url, {
      workerData,
      execArgv: [],
      name: 'mneme writer',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.on('error', () => {
      this.#ended = true; // whoever waits, or writes next, is told
      this.#events.note('the writer has died');
    });
    worker.on('exit', () => {
      this.#ended = true;
    });
    worker.unref();
    return worker;
  }

  /** The writer has closed the file; its thread ends by itself. */
  end(): void {
    this.#ended = true;
    this.#worker = undefined;
    this.#inline = undefined;
  }

  #answeredError(): Error {
    const start = this.#channel.answer + ANSWER_HEADER_BYTES;
    const text = this.#memory.text.toString('utf8', start, start + this.answerLength);
    const { code, details, message, cause, stack } = JSON.parse(text) as {
      code: string;
      details?: Record<string, unknown>;
      message?: string;
      cause?: string;
      stack?: string;
    };
    if (isErrorCode(code)) {
      const options = cause === undefined ? {} : { cause: new Error(cause) };
      return new MnemeError(code, details ?? {}, options);
    }
    return new Error(`the writer failed: ${message ?? text}`, { cause: stack });
  }
}

function isWithoutWorkers(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_ACCESS_DENIED' || error.code === 'ERR_WORKER_UNSUPPORTED_OPERATION';
}
