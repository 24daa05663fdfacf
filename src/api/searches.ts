/**
 * Who runs a search: the calling thread, with readers where it pays.
 */
import { emitWarning } from 'node:process';
import { ReaderPool } from '../reader/pool.js';
import { isLarge, search, type VectorSearch } from '../reader/shared-search.js';
import {
  explainTextQuery,
  runTextQuery,
  type TextExplanation,
  type TextRequest,
} from '../reader/text-query.js';
import type { FoundDocument } from '../reader/text-search.js';
import type { NearSlot } from '../reader/vector-search.js';
import type { ReaderStart } from '../reader/worker.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { SearchBoard } from '../shared/memory/search-job.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { DESCRIPTORS_OF_THREAD, expectDescriptors } from '../shared/system.js';
import { preferLargePages } from './large-pages.js';

export class Searches {
  readonly #source: PageSource;
  readonly #board: SearchBoard;
  readonly #threads: number;
  readonly #start: (() => ReaderStart) | undefined;
  #pool: ReaderPool | undefined;
  #mayStart = true;
  /** True when there was a search that readers could have helped with. */
  #hasSearched = false;

  /**
   * @param threads - That a search may use, the calling one included.
   * @param start - What readers are told; undefined where another thread starts them.
   */
  constructor(source: PageSource, threads: number, start: (() => ReaderStart) | undefined) {
    this.#source = source;
    this.#board = new SearchBoard(source.memory, source.slot.index);
    this.#threads = threads;
    this.#start = start;
  }

  /** At most so many threads as the database may use. */
  threadsOf(wanted: number | undefined): number {
    return Math.min(wanted ?? this.#threads, this.#threads);
  }

  /** Runs a search on the calling thread; readers help with a large one. */
  run(record: KeyspaceRecord, wanted: VectorSearch): NearSlot[][] {
    if (isLarge(this.#source, record)) {
      preferLargePages(this.#source.memory);
      // The first one mostly waits for the file; to start readers as well would double its time.
      if (wanted.threads > 1 && this.#hasSearched) this.#ensurePool();
      this.#hasSearched = true;
    }
    return search(this.#source.of(record), this.#board, record, wanted);
  }

  /** Runs a search on a reader; undefined where there is none. */
  runElsewhere(record: KeyspaceRecord, wanted: VectorSearch): Promise<NearSlot[][]> | undefined {
    if (this.#threads > 1) this.#ensurePool();
    return this.#pool?.search({ record, ...wanted });
  }

  /** Runs a text search on the calling thread. */
  runText(record: KeyspaceRecord, request: TextRequest): FoundDocument[] {
    return runTextQuery(this.#source.of(record), record, request);
  }

  /** Runs a text search on the calling thread, and says how it comes to its scores. */
  explainText(record: KeyspaceRecord, request: TextRequest): TextExplanation {
    return explainTextQuery(this.#source.of(record), record, request);
  }

  /** Runs a text search on a reader; undefined where there is none. */
  runTextElsewhere(
    record: KeyspaceRecord,
    request: TextRequest,
  ): Promise<FoundDocument[]> | undefined {
    if (this.#threads > 1) this.#ensurePool();
    return this.#pool?.searchText({ record, request });
  }

  /** One pool serves all threads of the process that have the database. */
  #ensurePool(): void {
    if (this.#pool !== undefined || this.#start === undefined || !this.#mayStart) return;
    try {
      expectDescriptors(DESCRIPTORS_OF_THREAD * (this.#threads - 1));
      this.#pool = new ReaderPool(this.#start(), this.#threads - 1);
    } catch (error) {
      // Without workers, as under --permission, searches run where they are called.
      this.#mayStart = false;
      emitWarning(`MNEME searches without readers: ${error}`);
    }
  }

  /** Ends the readers that this thread has started. */
  close(): void {
    this.#board.ring();
    this.#pool?.close();
  }
}
