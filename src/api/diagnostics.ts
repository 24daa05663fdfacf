/**
 * What a database tells whoever listens on `node:diagnostics_channel`: commits, searches and how
 * the cache fares.
 *
 * All of it is published on the thread that called, once the call is done. Where a channel has no
 * subscriber nothing is measured, computed or allocated: each place asks that first. No message
 * holds a key, a value, a text or a query.
 */
import { channel } from 'node:diagnostics_channel';
import { GATHERS, readState, writerTurn } from '../shared/memory/control-block.js';
import * as messages from '../shared/memory/messages.js';
import { evictionCount, usedFrames } from '../shared/memory/page-cache.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { cacheCounters } from '../shared/memory/thread-slots.js';
import { monotonicMs } from '../shared/system.js';
import { type CheckedOptions, MEMORY_PATH } from './options.js';

const COMMITS = channel('mneme:commit');
const SEARCHES = channel('mneme:search');
const CACHE = channel('mneme:cache');

/** Where nobody listens there is no moment to measure from. */
const UNWATCHED = -1;

/** Operations that change nothing by themselves. */
const BESIDE_CHANGES: ReadonlySet<number> = new Set([
  ...[messages.BEGIN, messages.COMMIT, messages.SAVEPOINT, messages.RELEASE, messages.ROLL_BACK],
  ...[messages.DEFINE, messages.ROOTS, messages.FREEZE, messages.UNUSED, messages.NAMES],
  ...[messages.PART, messages.TERMS],
]);

/** Published on 'mneme:commit' for each transaction of this thread that has been acknowledged. */
export interface CommitMessage {
  path: string;
  /**
   * The newest committed state once the call is done: this transaction's, or a later one where
   * several threads write. Undefined while the transaction is gathered with others, which
   * `sync: 'none'` does with small ones: they are one commit soon.
   */
  txnId: bigint | undefined;
  /** Changes that were asked for, and those that came to nothing too. */
  operations: number;
  /** Keys and values that were sent to the writer. */
  bytes: number;
  /** From the beginning of the call; of a batch, its callback included. */
  durationMs: number;
  /** Pages of the file in that state. */
  pageCount: number;
  sync: 'full' | 'none';
  /** True when it outlasts a power cut. */
  durable: boolean;
}

/** Published on 'mneme:search' for each search that has found what there is. */
export interface SearchMessage {
  path: string;
  /** The keyspace that was searched; of a hybrid search, the one of full text. */
  keyspace: string;
  /** The parts of a hybrid search are told of before it, each by itself. */
  kind: 'text' | 'vector' | 'hybrid';
  /** More than one by `vsearchMany` only. */
  queries: number;
  topK: number;
  /** Hits of all queries. */
  hits: number;
  /** True when a filter was given. */
  filtered: boolean;
  /** True when it may have run on a reader; `durationMs` is then until its promise was kept. */
  async: boolean;
  durationMs: number;
}

/** Published on 'mneme:cache' after commits and searches, when a count has moved since the last. */
export interface CacheMessage {
  path: string;
  /** Page reads that the cache answered, and those that went to the file, since it was opened. */
  hits: number;
  misses: number;
  /** Pages that made room for others. */
  evictions: number;
  /** Places for pages that have been used, and how many there are. */
  frames: number;
  framesMax: number;
}

/** What is told of a search besides where it was and how long it took. */
export type SearchFacts = Omit<SearchMessage, 'path' | 'durationMs'>;

/** A transaction that somebody wants to hear of. */
export class WatchedTransaction {
  readonly startMs = monotonicMs();
  operations = 0;
  bytes = 0;

  add(code: number, bytes: number): void {
    this.bytes += bytes;
    if (!BESIDE_CHANGES.has(code)) this.operations++;
  }
}

/** The events of one opening on one thread. */
export class Diagnostics {
  readonly #path: string;
  readonly #sync: 'full' | 'none';
  readonly #memory: SharedMemory;
  /** What the last message about the cache said. */
  #seen = '';

  constructor(path: string, memory: SharedMemory, { sync }: Pick<CheckedOptions, 'sync'>) {
    this.#path = path;
    this.#sync = sync;
    this.#memory = memory;
  }

  /** What a transaction that begins now is to be counted in; undefined when nobody listens. */
  watchTransaction(): WatchedTransaction | undefined {
    return COMMITS.hasSubscribers || CACHE.hasSubscribers ? new WatchedTransaction() : undefined;
  }

  /** Tells of a transaction that is acknowledged; one without changes is none. */
  tellCommit({ operations, bytes, startMs }: WatchedTransaction): void {
    if (operations > 0 && COMMITS.hasSubscribers) {
      const durationMs = monotonicMs() - startMs;
      const isGathered = writerTurn(this.#memory) === GATHERS;
      const { txnId, pageCount } = readState(this.#memory);
      const message: CommitMessage = {
        path: this.#path,
        txnId: isGathered ? undefined : BigInt(txnId),
        ...{ operations, bytes, durationMs, pageCount, sync: this.#sync },
        durable: this.#sync === 'full' && this.#path !== MEMORY_PATH,
      };
      COMMITS.publish(message);
    }
    this.#tellCache();
  }

  /** When a search begins that `tellSearch` may tell of. */
  searchStart(): number {
    return SEARCHES.hasSubscribers || CACHE.hasSubscribers ? monotonicMs() : UNWATCHED;
  }

  /** Tells of a search that began then. */
  tellSearch(startMs: number, facts: SearchFacts): void {
    const durationMs = monotonicMs() - startMs;
    if (SEARCHES.hasSubscribers) {
      const message: SearchMessage = { path: this.#path, ...facts, durationMs };
      SEARCHES.publish(message);
    }
    this.#tellCache();
  }

  #tellCache(): void {
    if (!CACHE.hasSubscribers) return;
    const { frameCount: framesMax } = this.#memory;
    const counts = { ...cacheCounters(this.#memory), evictions: evictionCount(this.#memory) };
    const seen = Object.values(counts).join();
    if (seen === this.#seen) return;
    this.#seen = seen;
    const frames = usedFrames(this.#memory);
    const message: CacheMessage = { path: this.#path, ...counts, frames, framesMax };
    CACHE.publish(message);
  }
}

/** True when somebody listened as a search began. */
export function isWatched(startMs: number): boolean {
  return startMs !== UNWATCHED;
}
