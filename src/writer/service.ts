/**
 * Serves all channels: whose segment is next, which transactions go together, when to write
 * behind, when to let others write.
 */
import { type ChannelWriter, maySpin } from '../shared/memory/channel.js';
import {
  MODE_CANCELLED,
  MODE_DEFINE,
  MODE_OWN,
  MODE_TAKEN,
  type SyncMode,
} from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { reclaimDeadSlots } from '../shared/memory/snapshot-pins.js';
import { systemThreadId } from '../shared/memory/thread-slots.js';
import { monotonicMs, threadMayLive } from '../shared/system.js';
import type { Engine } from './engine.js';
import type { RequestExecutor, Segment } from './requests.js';
import type { WriterTurn } from './turn.js';

const LOOKS_PER_CLOCK_READING = 64;
const WRITE_BEHIND_MS = 10;
const REST_MS = 1000;
/** How often is looked whether the thread whose batch is open is still there. */
const BATCH_REST_MS = 100;
const NOBODY = -1;

export class WriterService {
  readonly #memory: SharedMemory;
  readonly #channels: ChannelWriter;
  readonly #turn: WriterTurn;
  readonly #executor: RequestExecutor;
  readonly #sync: SyncMode;
  readonly #spinMs: number;
  /** Whose batch is open. */
  #batchChannel = NOBODY;
  #dueMs = 0;
  #lookDueMs = 0;

  constructor(
    memory: SharedMemory,
    channels: ChannelWriter,
    { turn, executor }: { turn: WriterTurn; executor: RequestExecutor },
    sync: SyncMode,
    spinMs: number,
  ) {
    this.#memory = memory;
    this.#channels = channels;
    this.#turn = turn;
    this.#executor = executor;
    this.#sync = sync;
    this.#spinMs = spinMs;
  }

  /** Until the database is closed. */
  run(): void {
    while (!this.#executor.closed) {
      const channel = this.#nextChannel();
      if (channel !== NOBODY) this.#serve(channel);
      this.#betweenTransactions();
      this.#lookForDeadThreads();
    }
  }

  #serve(channel: number): void {
    const wasPending = this.#turn.engine?.needsWriteBehind;
    const segment = this.#take(channel);
    if (segment?.isDefinition === true) this.#executor.define(segment);
    if (segment === undefined || segment.isDefinition) {
      this.#channels.finish(channel);
      return;
    }
    const others = segment.isOwn && this.#sync === 'full' ? this.#takeOthers(channel) : [];
    if (others.length > 0) this.#executor.runTogether([segment, ...others]);
    else this.#executor.run(segment);
    this.#noteBatch(this.#turn.engine?.isOpen === true ? channel : NOBODY);
    for (const served of [segment, ...others]) this.#channels.finish(served.channel);
    if (wasPending !== true) this.#dueMs = monotonicMs() + WRITE_BEHIND_MS;
  }

  #noteBatch(channel: number): void {
    if (channel === this.#batchChannel) return;
    this.#batchChannel = channel;
    this.#channels.tellBatch(channel);
  }

  /** Takes the channel's next segment; undefined when its caller has given it up. */
  #take(channel: number): (Segment & { readonly isDefinition: boolean }) | undefined {
    const address = this.#channels.segment(channel);
    const mode = Atomics.exchange(this.#memory.i32, (address >>> 2) + 1, MODE_TAKEN);
    if (mode === MODE_CANCELLED) return undefined;
    return { channel, address, isOwn: mode === MODE_OWN, isDefinition: mode === MODE_DEFINE };
  }

  /** A channel with a segment that no transaction is needed for, while another's batch is open. */
  #definingChannel(): number {
    if (this.#batchChannel === NOBODY) return NOBODY;
    const { i32 } = this.#memory;
    const defining = this.#channels.waiting().find((channel) => {
      const address = this.#channels.segment(channel);
      return Atomics.load(i32, (address >>> 2) + 1) === MODE_DEFINE;
    });
    return defining ?? NOBODY;
  }

  /** Transactions of their own that wait at the same time in other channels. */
  #takeOthers(channel: number): Segment[] {
    const { i32 } = this.#memory;
    return this.#channels
      .waiting()
      .filter((other) => other !== channel)
      .map((other) => ({ channel: other, address: this.#channels.segment(other), isOwn: true }))
      .filter(({ address }) => {
        return Atomics.compareExchange(i32, (address >>> 2) + 1, MODE_OWN, MODE_TAKEN) === MODE_OWN;
      });
  }

  #betweenTransactions(): void {
    const { engine } = this.#turn;
    if (engine === undefined || engine.isOpen) return;
    if (engine.needsWriteBehind && monotonicMs() >= this.#dueMs) {
      attempt(engine, () => engine.writeBehind());
      this.#dueMs = monotonicMs() + WRITE_BEHIND_MS;
    }
    attempt(engine, () => this.#turn.yieldToOthers());
  }

  /** The channel to serve next, or nobody when something else is due. */
  #nextChannel(): number {
    const spinEnd = monotonicMs() + (maySpin(this.#memory) ? this.#spinMs : 0);
    do {
      for (let look = 0; look < LOOKS_PER_CLOCK_READING; look++) {
        const channel = this.#channels.poll(this.#batchChannel);
        if (channel !== NOBODY) return channel;
      }
      const defining = this.#definingChannel();
      if (defining !== NOBODY) return defining;
    } while (monotonicMs() < spinEnd);
    const { engine } = this.#turn;
    const isPending = engine?.needsWriteBehind === true;
    // Idle: others may write.
    if (engine?.isOpen === false && !isPending) attempt(engine, () => this.#turn.giveBack());
    const isInBatch = this.#batchChannel !== NOBODY;
    const restMs = isInBatch ? BATCH_REST_MS : REST_MS;
    const pauseMs = isPending && !isInBatch ? Math.max(0, this.#dueMs - monotonicMs()) : restMs;
    this.#channels.sleep(pauseMs);
    const channel = this.#channels.poll(this.#batchChannel);
    return channel === NOBODY ? this.#definingChannel() : channel;
  }

  /** A thread that is gone leaves its batch, its pins and its slot behind. */
  #lookForDeadThreads(): void {
    if (monotonicMs() < this.#lookDueMs) return;
    this.#lookDueMs = monotonicMs() + (this.#batchChannel === NOBODY ? REST_MS : BATCH_REST_MS);
    const channel = this.#batchChannel;
    if (channel !== NOBODY && !threadMayLive(systemThreadId(this.#memory, channel))) {
      this.#executor.abandonBatch();
      this.#channels.drop(channel);
      this.#noteBatch(NOBODY);
    }
    reclaimDeadSlots(this.#memory, threadMayLive);
  }
}

/** The engine remembers a failed write and tells whoever writes next. */
function attempt(engine: Engine, write: () => void): void {
  try {
    write();
  } catch (error) {
    engine.noteBackgroundError(error);
  }
}
