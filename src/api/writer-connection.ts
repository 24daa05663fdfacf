/**
 * The calling thread's way to the writer: starts it, fills segments, waits, and notices when it is
 * gone.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { isErrorCode, MnemeError } from '../shared/errors.js';
import {
  ANSWER_ADDRESS,
  ChannelCaller,
  segmentAddress,
  setMaySpin,
  WRITER_ENDED,
  WRITER_NOT_STARTED,
  writerSlot,
} from '../shared/memory/channel.js';
import {
  ANSWER_HEADER_BYTES,
  finishOperation,
  OPERATION_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  type WriterStart,
} from '../shared/memory/messages.js';
import {
  CHANNEL_SEGMENT_BYTES,
  CHANNEL_SEGMENT_COUNT,
  type SharedMemory,
} from '../shared/memory/shared-memory.js';
import { systemThreadId } from '../shared/memory/thread-slots.js';
import { monotonicMs, threadMayLive } from '../shared/system.js';
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
  readonly #start: () => WriterStart;
  readonly #channel: ChannelCaller;
  #worker: Worker | undefined;
  #inline: InlineWriter | undefined;
  #startedMs = 0;
  #ended = false;
  /** Address of the segment being filled and where its next operation goes. */
  #segment = 0;
  #end = 0;
  #own = false;
  #now = 0;
  readonly #waiting = new WaitingPolicy(availableParallelism());
  #spins = true;

  constructor(memory: SharedMemory, start: () => WriterStart) {
    this.#memory = memory;
    this.#start = start;
    this.#channel = new ChannelCaller(memory);
  }

  get isStarted(): boolean {
    return this.#worker !== undefined || this.#inline !== undefined;
  }

  /** Starts a segment. `own`: it is a transaction of its own. */
  begin(own: boolean, now: number): void {
    this.#ensureStarted();
    if (!this.isEmpty) this.#post();
    if (!this.#channel.hasAtMost(CHANNEL_SEGMENT_COUNT - 1)) this.#wait(CHANNEL_SEGMENT_COUNT - 1);
    this.#segment = segmentAddress(this.#channel.nextSequence);
    this.#end = this.#segment + SEGMENT_HEADER_BYTES;
    this.#own = own;
    this.#now = now;
  }

  /** Goes on with a batch's segment, or starts one: a segment has one reading of the clock. */
  continueBatch(now: number): void {
    if (this.#segment === 0 || this.#own || this.#now !== now) this.begin(false, now);
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
    const word = ANSWER_ADDRESS >>> 2;
    if (this.#memory.i32[word] !== 0) throw this.#answeredError();
    return ANSWER_ADDRESS + ANSWER_HEADER_BYTES;
  }

  get answerLength(): number {
    return this.#memory.i32[(ANSWER_ADDRESS >>> 2) + 1] as number;
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
    i32[(segment >>> 2) + 1] = this.#own ? 1 : 0;
    f64[(segment >>> 3) + 1] = this.#now;
    this.#segment = 0;
    this.#decideWaiting();
    this.#channel.post();
    if (this.#inline !== undefined) this.#runInline(segment);
  }

  #runInline(segment: number): void {
    this.#inline?.run(segment);
    this.#channel.finishInline();
  }

  /** Waits until at most `count` segments are open. */
  #wait(count: number): void {
    if (this.#channel.hasAtMost(count)) return;
    const started = monotonicMs();
    const spinEnd = this.#spins ? started + SPIN_MS_MAX : started;
    do {
      if (this.#channel.spin(count, SPINS_PER_CLOCK_READING)) break;
    } while (monotonicMs() < spinEnd);
    while (!this.#channel.hasAtMost(count)) {
      this.#channel.sleep(count, SLEEP_MS);
      if (!this.#channel.hasAtMost(count)) this.#checkWriter();
    }
    this.#waiting.learn(monotonicMs() - started);
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
    throw new MnemeError('ERR_MNEME_WRITER_DIED');
  }

  #ensureStarted(): void {
    if (this.#ended) throw new MnemeError('ERR_MNEME_WRITER_DIED');
    if (this.isStarted) return;
    this.#startedMs = monotonicMs();
    const workerData = this.#start();
    try {
      this.#worker = this.#startWorker(workerData);
    } catch (error) {
      if (!isWithoutWorkers(error)) throw error;
      process.emitWarning('no worker threads here: MNEME writes on the calling thread');
      this.#inline = new InlineWriter(workerData);
    }
  }

  #startWorker(workerData: WriterStart): Worker {
    const url = new URL('../writer/worker.js', import.meta.url);
    const worker = new Worker(url, {
      workerData,
      execArgv: [],
      name: 'mneme writer',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.on('error', () => {
      this.#ended = true; // whoever waits, or writes next, is told
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
    const start = ANSWER_ADDRESS + ANSWER_HEADER_BYTES;
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
