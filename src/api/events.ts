/**
 * What a database tells those who listen: channels of node:diagnostics_channel, and lines for
 * NODE_DEBUG=mneme. Nothing is computed while nobody does, and nothing told holds a key, a value or
 * a query.
 *
 * Whoever subscribes is called on the thread of the operation, before it returns, so in the middle
 * of what that does: a subscriber may read, but one that writes or closes is refused.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { MnemeError } from '../shared/errors.js';
import {
  type CommittedState,
  GATHERS,
  readState,
  writerTurn,
} from '../shared/memory/control-block.js';
import { evictionCount, usedCacheBytes } from '../shared/memory/page-cache.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { cacheCounters, missesOf, type ThreadSlot } from '../shared/memory/thread-slots.js';
import { monotonicMs } from '../shared/system.js';

const commits = channel('mneme:commit');
const searches = channel('mneme:search');
const caches = channel('mneme:cache');
const debug = debuglog('mneme');

/** `mneme:commit`: a transaction of this thread was committed. */
export interface CommitEvent {
  readonly path: string;
  /** The newest transaction; without that of this commit when it is gathered. */
  readonly txnId: bigint;
  /** True with `sync: 'none'` when it shares a transaction with commits that are to come. */
  readonly gathered: boolean;
  readonly batch: boolean;
  readonly sync: 'full' | 'none';
  /** Sent to the writer: keys, values, and what says what to do with them. */
  readonly bytes: number;
  /** From when the commit was sent until it was answered. */
  readonly durationMs: number;
}

/** `mneme:search`: a search of this thread is over. */
export interface SearchEvent {
  readonly path: string;
  readonly keyspace: string;
  readonly kind: 'text' | 'vector' | 'hybrid';
  readonly hits: number;
  readonly durationMs: number;
}

/** `mneme:cache`: a read of this thread found pages missing, and has read them from the file. */
export interface CacheEvent {
  readonly path: string;
  /** By this read. */
  readonly pagesRead: number;
  /** In use, of all threads that share the database. */
  readonly bytes: number;
  /** Since it was opened, of all threads. */
  readonly hits: number;
  readonly misses: number;
  /** Pages that made room for others. */
  readonly evictions: number;
}

/** The database that is told of. */
export interface EventSource {
  readonly path: string;
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly options: { readonly sync: 'full' | 'none'; readonly readonly: boolean };
}

/** What a commit was to who sent it. */
export interface SentCommit {
  readonly isBatch: boolean;
  readonly bytes: number;
  readonly durationMs: number;
}

export class Events {
  readonly #source: EventSource;
  #misses = 0;
  #isTelling = false;

  constructor(source: EventSource) {
    this.#source = source;
  }

  /** @param hasRejected - The file ends with a commit that was never acknowledged. */
  opened({ txnId, pageCount }: CommittedState, hasRejected: boolean): void {
    const { memory, options } = this.#source;
    const how = options.readonly ? 'opened for reading' : 'opened';
    this.note(`${how} at %d, %d pages of %d bytes`, txnId, pageCount, memory.pageSize);
    if (hasRejected) this.note('the last commit was never acknowledged, and is not there');
  }

  /** True when somebody wants to know of commits. */
  get wantsCommits(): boolean {
    return commits.hasSubscribers || debug.enabled;
  }

  committed({ isBatch, bytes, durationMs }: SentCommit): void {
    const { path, memory, options } = this.#source;
    const txnId = BigInt(readState(memory).txnId);
    const gathered = writerTurn(memory) === GATHERS;
    const { sync } = options;
    const event: CommitEvent = {
      ...{ path, txnId, gathered, batch: isBatch, sync },
      ...{ bytes, durationMs },
    };
    debug('%s: commit %s, %d bytes, %s ms', path, String(txnId), bytes, durationMs.toFixed(3));
    this.#tell(commits, event);
  }

  /** Runs a search, and tells of it. */
  search<T>(
    kind: SearchEvent['kind'],
    keyspace: string,
    run: () => T[],
    count = (hits: readonly T[]) => hits.length,
  ): T[] {
    if (!searches.hasSubscribers && !debug.enabled) return run();
    const start = monotonicMs();
    const hits = run();
    this.#searched(kind, keyspace, count(hits), start);
    return hits;
  }

  /** The same for a search that ends later. */
  async searchAsync<T extends { readonly length: number }>(
    kind: SearchEvent['kind'],
    keyspace: string,
    run: () => Promise<T>,
  ): Promise<T> {
    const start = monotonicMs();
    const hits = await run();
    if (searches.hasSubscribers || debug.enabled) {
      this.#searched(kind, keyspace, hits.length, start);
    }
    return hits;
  }

  #searched(kind: SearchEvent['kind'], keyspace: string, hits: number, start: number): void {
    const { path } = this.#source;
    const durationMs = monotonicMs() - start;
    debug('%s: %s search, %d hits, %s ms', path, kind, hits, durationMs.toFixed(3));
    const event: SearchEvent = { path, keyspace, kind, hits, durationMs };
    this.#tell(searches, event);
  }

  /** A read is over. */
  read(): void {
    if (!caches.hasSubscribers) return;
    const { path, memory, slot } = this.#source;
    const misses = missesOf(memory, slot);
    const pagesRead = (misses - this.#misses) >>> 0;
    this.#misses = misses;
    if (pagesRead === 0) return;
    const bytes = usedCacheBytes(memory);
    const counters = { ...cacheCounters(memory), evictions: evictionCount(memory) };
    const event: CacheEvent = { path, pagesRead, bytes, ...counters };
    this.#tell(caches, event);
  }

  /** A line for who debugs. */
  note(format: string, ...values: readonly (string | number | bigint)[]): void {
    if (debug.enabled) debug(`%s: ${format}`, this.#source.path, ...values);
  }

  #tell(to: typeof commits, event: CommitEvent | SearchEvent | CacheEvent): void {
    if (!to.hasSubscribers || this.#isTelling) return;
    this.#isTelling = true;
    try {
      to.publish(event);
    } finally {
      this.#isTelling = false;
    }
  }

  /** @throws {MnemeError} `ERR_MNEME_BATCH_ACTIVE` when a subscriber writes or closes. */
  assertNotTelling(): void {
    if (this.#isTelling) throw new MnemeError('ERR_MNEME_BATCH_ACTIVE');
  }
}
