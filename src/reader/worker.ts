/**
 * A reader's thread: waits for searches that others share with it, and runs whole ones.
 *
 * It listens from its start on, by the shared memory alone: who waits for a search need not turn
 * the event loop. Whole searches come through the pool.
 */
import { workerData } from 'node:worker_threads';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { isMarkedClosed } from '../shared/memory/control-block.js';
import { SearchBoard } from '../shared/memory/search-job.js';
import { type MemoryHandle, SharedMemory } from '../shared/memory/shared-memory.js';
import { claimThreadSlot, releaseThreadSlot } from '../shared/memory/thread-slots.js';
import { MemoryStorage } from '../shared/pages/memory-storage.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import { Checksummer, type ChecksumSeed } from '../shared/pages/page-file.js';
import { PageSource } from '../shared/pages/page-source.js';
import { checksumWord } from '../shared/pages/recovery.js';
import { openSameFile } from '../shared/pages/storage.js';
import { currentSystemThreadId, monotonicMs } from '../shared/system.js';
import { nodeProblem } from '../shared/tree/node.js';
import { helpWith, search as searchHere, type VectorSearch } from './shared-search.js';
import { runTextQuery, type TextRequest } from './text-query.js';
import type { FoundDocument } from './text-search.js';
import type { NearSlot } from './vector-search.js';

/** What a reader is told when it starts; crosses threads. */
export interface ReaderStart {
  readonly memory: MemoryHandle;
  readonly path: string;
  readonly fileIdentity: string;
  readonly memoryFile: SharedArrayBuffer | undefined;
  readonly seed: ChecksumSeed;
  readonly databaseId: Uint8Array;
}

/** A whole search, of a state that the caller has pinned. */
export interface SearchTask extends VectorSearch {
  readonly record: KeyspaceRecord;
}

/** A text search, of a state that the caller has pinned. */
export interface TextTask {
  readonly record: KeyspaceRecord;
  readonly request: TextRequest;
}

/** Searches often follow each other; a wake-up takes longer than this. */
const SPIN_MS = 0.1;
const SPINS_PER_CLOCK_READING = 64;

function openSource({ memory: handle, ...start }: ReaderStart) {
  const { path, fileIdentity, memoryFile, seed, databaseId } = start;
  const memory = new SharedMemory(handle);
  const storage = memoryFile === undefined ? new NodeStorage() : new MemoryStorage(memoryFile);
  const file = openSameFile(storage, path, fileIdentity, 'read');
  const slot = claimThreadSlot(memory, currentSystemThreadId());
  const scratch = { memory, window: memory.scratchAddress(slot.index) };
  const checksummer = new Checksummer(memory, seed, checksumWord(scratch));
  return new PageSource({ memory, slot, file, checksummer, check: nodeProblem, databaseId });
}

const source = openSource(workerData as ReaderStart);
const board = new SearchBoard(source.memory, source.slot.index);

/** Runs a whole search on this thread, with the help of others. */
export function search({ record, ...wanted }: SearchTask): NearSlot[][] {
  source.enter();
  try {
    return searchHere(source.of(record), board, record, wanted);
  } finally {
    source.leave();
  }
}

/** Runs a text search on this thread. */
export function searchText({ record, request }: TextTask): FoundDocument[] {
  source.enter();
  try {
    return runTextQuery(source.of(record), record, request);
  } finally {
    source.leave();
  }
}

/** Helps with every job from one on, until the database is closed. */
function listen(from: number): void {
  for (let seen = from; ; ) {
    if (isMarkedClosed(source.memory)) {
      end();
      return;
    }
    const bell = spin(seen);
    if (bell !== seen) {
      seen = bell;
      helpWith(board, source, seen);
      continue;
    }
    const { words, index } = board.bellWord;
    const waiting = Atomics.waitAsync(words, index, seen);
    if (!waiting.async) continue;
    void waiting.value.then(() => listen(seen));
    return;
  }
}

/** The newest job, once it is another than the one seen or some time has passed. */
function spin(seen: number): number {
  const deadlineMs = monotonicMs() + SPIN_MS;
  for (let count = 1; ; count++) {
    const { bell } = board;
    if (bell !== seen) return bell;
    if (count % SPINS_PER_CLOCK_READING === 0 && monotonicMs() > deadlineMs) return seen;
  }
}

function end(): void {
  source.clearKeys();
  source.cache.giveBack();
  releaseThreadSlot(source.memory, source.slot);
  source.file.close();
}

// The job that rang for this thread to be started may still be under way.
helpWith(board, source, board.bell);
listen(board.bell);
