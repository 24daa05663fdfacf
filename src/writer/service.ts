/**
 * Serves all channels: whose segment is next, which transactions go together, when to write
 * behind, when to let others write.
 */
import { debug, isDebugged } from '../shared/debug-log.js';
import { type ChannelWriter, maySpin } from '../shared/memory/channel.js';
import {
  MODE_ANYTIME,
  MODE_CANCELLED,
  MODE_OWN,
  MODE_TAKEN,
  type SyncMode,
} from '../shared/memory/messages.js';
import { giveBackFramesOf } from '../shared/memory/page-cache.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { reclaimSlot } from '../shared/memory/snapshot-pins.js';
import { deadSlots } from '../shared/memory/thread-slots.js';
import { monotonicMs, threadMayLive } from '../shared/system.js';
import type { Engine } from './engine.js';
import { Gathering } from './gathering.js';
import type { RequestExecutor, Segment } from './requests.js';
import type { RunningWriter } from './start.js';
import type { WriterTurn } from './turn.js';

const LOOKS_PER_CLOCK_READING = 64;
const WRITE_BEHIND_MS = 10;
/** How long transactions are gathered for one commit. */
const GATHER_MS = 2;
const REST_MS = 1000;
/** How often is looked whether the thread whose batch is open is still there. */
const BATCH_REST_MS = 100;
const NOBODY = -1;

interface TakenSegment extends Segment {
  /** True when it is done whoever's batch is open. */
  readonly isAnytime: boolean;
}

export class WriterService {
  readonly #memory: SharedMemory;
  readonly #channels: ChannelWriter;
  readonly #turn: WriterTurn;
  readonly #executor: RequestExecutor;
  readonly #sync: SyncMode;
  /** With `sync: 'none'`: what is answered already and goes into the next commit. */
  readonly #gathering: Gathering | undefined;
  readonly #spinMs: number;
  /** Whose batch is open. */
  #batchChannel = NOBODY;
  #dueMs = 0;
  #settleDueMs = 0;
  #lookDueMs = 0;

  constructor(
    memory: SharedMemory,
    channels: ChannelWriter,
    { turn, executor, slot }: Pick<RunningWriter, 'turn' | 'executor' | 'slot'>,
    sync: SyncMode,
    spinMs: number,
  ) {
    this.#memory = memory;
    this.#channels = channels;
    this.#turn = turn;
    this.#executor = executor;
    this.#sync = sync;
    this.#spinMs = spinMs;
    this.#gathering = sync === 'none' ? new Gathering(memory, executor, slot) : undefined;
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
    const wasPending = this.#isPending;
    const segment = this.#take(channel);
    const gathering = this.#gathering;
    if (segment !== undefined && gathering?.take(segment) === true) {
      this.#channels.finish(channel);
    } else {
      gathering?.settle();
      if (segment === undefined) this.#channels.finish(channel);
      else this.#serveAlone(segment);
    }
    if (wasPending) return;
    const now = monotonicMs();
    this.#dueMs = now + WRITE_BEHIND_MS;
    this.#settleDueMs = now + GATHER_MS;
  }

  #serveAlone(segment: TakenSegment): void {
    if (segment.isAnytime) {
      this.#executor.runAnytime(segment);
      this.#channels.finish(segment.channel);
      return;
    }
    const others = segment.isOwn && this.#sync === 'full' ? this.#takeOthers(segment.channel) : [];
    if (others.length > 0) this.#executor.runTogether([segment, ...others]);
    else this.#executor.run(segment);
    this.#noteBatch(this.#turn.engine?.isOpen === true ? segment.channel : NOBODY);
    for (const served of [segment, ...others]) this.#channels.finish(served.channel);
  }

  /** True while something that was answered is not in the file. */
  get #isPending(): boolean {
    return this.#gathering?.isOpen === true || this.#turn.engine?.needsWriteBehind === true;
  }

  #noteBatch(channel: number): void {
    if (channel === this.#batchChannel) return;
    this.#batchChannel = channel;
    this.#channels.tellBatch(channel);
    if (channel === NOBODY) return;
    this.#lookDueMs = Math.min(this.#lookDueMs, monotonicMs() + BATCH_REST_MS);
  }

  /** Takes the channel's next segment; undefined when its caller has given it up. */
  #take(channel: number): TakenSegment | undefined {
    const address = this.#channels.segment(channel);
    const mode = Atomics.exchange(this.#memory.i32, (address >>> 2) + 1, MODE_TAKEN);
    if (mode === MODE_CANCELLED) return undefined;
    return { channel, address, isOwn: mode === MODE_OWN, isAnytime: mode === MODE_ANYTIME };
  }

  /** A channel with a segment that is done at any time, while another's batch is open. */
  #anytimeChannel(): number {
    if (this.#batchChannel === NOBODY) return NOBODY;
    const { i32 } = this.#memory;
    const anytime = this.#channels.waiting().find((channel) => {
      const address = this.#channels.segment(channel);
      return Atomics.load(i32, (address >>> 2) + 1) === MODE_ANYTIME;
    });
    return anytime ?? NOBODY;
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
    const now = monotonicMs();
    if (now >= this.#settleDueMs) this.#settle(now);
    if (engine === undefined || engine.isOpen) return;
    if (engine.needsWriteBehind && now >= this.#dueMs) {
      attempt(engine, () => engine.writeBehind());
      this.#dueMs = now + WRITE_BEHIND_MS;
    }
    attempt(engine, () => this.#turn.yieldToOthers());
  }

  #settle(now: number): void {
    this.#gathering?.settle();
    this.#settleDueMs = now + GATHER_MS;
  }

  /** The channel to serve next, or nobody when something else is due. */
  #nextChannel(): number {
    const spinEnd = monotonicMs() + (maySpin(this.#memory) ? this.#spinMs : 0);
    do {
      for (let look = 0; look < LOOKS_PER_CLOCK_READING; look++) {
        const channel = this.#channels.poll(this.#batchChannel);
        if (channel !== NOBODY) return channel;
      }
      const anytime = this.#anytimeChannel();
      if (anytime !== NOBODY) return anytime;
    } while (monotonicMs() < spinEnd);
    const { engine } = this.#turn;
    const isPending = this.#isPending;
    // Idle: others may write.
    if (engine?.isOpen === false && !isPending) attempt(engine, () => this.#turn.giveBack());
    const isBusy = isPending || this.#batchChannel !== NOBODY;
    this.#channels.sleep(isBusy ? this.#busyRestMs() : REST_MS);
    const channel = this.#channels.poll(this.#batchChannel);
    return channel === NOBODY ? this.#anytimeChannel() : channel;
  }

  /** How long the writer may sleep while a batch is open, or something is not in the file yet. */
  #busyRestMs(): number {
    if (this.#batchChannel !== NOBODY) return BATCH_REST_MS;
    const dueMs = this.#gathering?.isOpen === true ? this.#settleDueMs : this.#dueMs;
    return Math.max(0, dueMs - monotonicMs());
  }

  /** A thread that is gone leaves batch, requests, frames, pins and slot behind. */
  #lookForDeadThreads(): void {
    if (monotonicMs() < this.#lookDueMs) return;
    for (const slot of deadSlots(this.#memory, threadMayLive)) {
      if (isDebugged) debug(`threads: the one with slot ${slot} is gone; its place is cleared`);
      if (slot === this.#batchChannel) {
        this.#executor.abandonBatch();
        this.#noteBatch(NOBODY);
      }
      // Else they would be carried out as the requests of whoever has the slot next.
      this.#channels.drop(slot);
      giveBackFramesOf(this.#memory, slot);
      reclaimSlot(this.#memory, slot);
    }
    this.#lookDueMs = monotonicMs() + (this.#batchChannel === NOBODY ? REST_MS : BATCH_REST_MS);
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
