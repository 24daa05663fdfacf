/**
 * The reader threads of one open database: a piscina pool, started by the first search that is
 * large enough.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import { debug, isDebugged } from '../shared/debug-log.js';
import { MnemeError } from '../shared/errors.js';
import type { FoundDocument } from './text-search.js';
import type { NearSlot } from './vector-search.js';
import type { ReaderStart, SearchTask, TextTask } from './worker.js';

/** Loaded when it is needed: opening a file does not have to wait for it. */
const require = createRequire(import.meta.url);

export class ReaderPool {
  readonly #pool: Piscina;
  #isClosed = false;

  /** @param threads - How many readers. */
  constructor(start: ReaderStart, threads: number) {
    const { Piscina: Pool } = require('piscina') as { Piscina: typeof Piscina };
    this.#pool = new Pool({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      name: 'search',
      workerData: start,
      minThreads: threads,
      maxThreads: threads,
      atomics: 'disabled', // a reader waits for what the shared memory tells, too
      execArgv: [],
    });
    // A thread that ends is replaced; what it was at, others do.
    this.#pool.on('error', (error) => {
      if (isDebugged) debug(`readers: one has ended and is replaced: ${error}`);
    });
    if (isDebugged) debug(`readers: ${threads} started`);
  }

  /** Runs a whole search on a reader. @throws {MnemeError} `ERR_MNEME_CLOSED` */
  search(task: SearchTask): Promise<NearSlot[][]> {
    return this.#run('search', task);
  }

  /** Runs a text search on a reader. @throws {MnemeError} `ERR_MNEME_CLOSED` */
  searchText(task: TextTask): Promise<FoundDocument[]> {
    return this.#run('searchText', task);
  }

  /** @param name - What `worker.ts` exports. */
  async #run<T>(name: string, task: unknown): Promise<T> {
    try {
      return await this.#pool.run(task, { name });
    } catch (error) {
      if (this.#isClosed) throw new MnemeError('ERR_MNEME_CLOSED', {}, { cause: error });
      throw error;
    }
  }

  /** Ends the readers; what they are at is given up. */
  close(): void {
    this.#isClosed = true;
    void this.#pool.destroy();
  }
}
