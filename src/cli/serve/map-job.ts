/**
 * Makes the map of the file's pages while the page waits, in steps, so that other questions are
 * answered meanwhile; the last map is kept for as long as nothing is committed.
 */
import { setImmediate } from 'node:timers/promises';
import type { Database } from '../../api/database.js';
import { mapPages, type PageMap } from '../../api/page-map.js';
import type { MapAnswer } from './answers.js';

/** While others commit all the time, so many times as long as a map takes none is made. */
const REST_SHARE = 4;
/** Cells of the drawing. */
const CELLS_MAX = 16_384;

export class MapJob {
  readonly #database: Database;
  #running: Promise<PageMap> | undefined;
  #last: PageMap | undefined;
  #restUntil = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The newest map; whoever asks while one is made gets that. */
  async map(): Promise<MapAnswer> {
    const { txnId } = this.#database.info();
    const isOld = this.#last?.txnId !== txnId && performance.now() >= this.#restUntil;
    if (this.#last === undefined || isOld) {
      this.#running ??= this.#make();
      this.#last = await this.#running;
    }
    const { cells, ...about } = this.#last;
    return { ...about, txnId: String(about.txnId), cells: Array.from(cells) };
  }

  async #make(): Promise<PageMap> {
    const start = performance.now();
    try {
      const steps = mapPages(this.#database, CELLS_MAX);
      for (;;) {
        const { done, value } = steps.next();
        if (done === true) return value;
        await setImmediate();
      }
    } finally {
      const now = performance.now();
      this.#restUntil = now + REST_SHARE * (now - start);
      this.#running = undefined;
    }
  }
}
