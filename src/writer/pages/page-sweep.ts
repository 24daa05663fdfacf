/**
 * In which order free pages are taken.
 *
 * What a commit writes should lie together: on the disk, each place apart costs a sync more time
 * than the pages there. So a sweep goes through the file and takes runs of free pages, not single
 * ones, and begins anew behind the last one; what it passes over has time to grow together. While
 * little is free, the file grows instead: a share of spare pages is what keeps runs long. With a
 * fifth of the file spare, a commit of many random changes has half as many places as pages; with
 * none spare, nearly as many.
 *
 * Between two metas the sweep waits: what was taken and given back in between is taken again.
 */
import type { PageBitmap } from '../../shared/pages/page-bitmap.js';

/** The file grows rather than that more than this share of it is taken in single pages. */
const SPARE_SHARE = 1 / 5;
const RUN_MIN_MAX = 8;
/** Shares of the free pages: a round that finds less looks for shorter runs next, or longer. */
const POOR_ROUND = 1 / 16;
const RICH_ROUND = 1 / 4;

export class PageSweep {
  readonly #free: PageBitmap;
  /** Where the sweep was at the last meta. */
  #floor = 0;
  /** Where it is. */
  #front = 0;
  /** Pages between the two that were given back since the last meta, those to take first last. */
  #givenBack: number[] = [];
  /** Shorter runs are passed over. */
  #runMin = RUN_MIN_MAX;
  #takenInRound = 0;
  #spareShare = SPARE_SHARE;

  constructor(free: PageBitmap) {
    this.#free = free;
  }

  /** From here on the file grows only when no page is free: it is to be small, not quick. */
  spareNone(): void {
    this.#spareShare = 0;
  }

  /** Takes the next page; -1 when the file, of `pageCount` pages, is to grow by one. */
  takeOne(pageCount: number): number {
    const again = this.#takeAgain();
    if (again >= 0) return again;
    let page = this.#next();
    while (page < 0 && this.#free.count > pageCount * this.#spareShare) {
      this.#beginRound();
      page = this.#next();
    }
    this.#front = (page < 0 ? pageCount : page) + 1;
    if (page >= 0) {
      this.#free.remove(page, 1);
      this.#takenInRound++;
    }
    return page;
  }

  /** Takes `length` pages that lie together; -1 when the file is to grow by them. */
  takeRun(length: number, pageCount: number): number {
    const free = this.#free;
    let start = free.findRun(length, this.#front);
    if (start < 0 && free.count > pageCount * this.#spareShare) start = free.findRun(length, 0);
    if (start >= 0) free.remove(start, length);
    return start;
  }

  giveBack(start: number, length: number): void {
    this.#free.add(start, length);
    if (start < this.#floor || start >= this.#front) return;
    for (let page = start + length - 1; page >= start; page--) this.#givenBack.push(page);
  }

  /** A meta is written: what is given back behind this place waits until the sweep comes round. */
  moveOn(): void {
    this.#floor = this.#front;
    this.#givenBack.length = 0;
  }

  #takeAgain(): number {
    for (;;) {
      const page = this.#givenBack.pop();
      if (page === undefined) return -1;
      // A run may have been taken meanwhile.
      if (!this.#free.has(page)) continue;
      this.#free.remove(page, 1);
      return page;
    }
  }

  #next(): number {
    return this.#free.has(this.#front)
      ? this.#front
      : this.#free.findRun(this.#runMin, this.#front);
  }

  #beginRound(): void {
    const share = this.#takenInRound / this.#free.count;
    if (share < POOR_ROUND) this.#runMin = Math.max(1, this.#runMin / 2);
    else if (share > RICH_ROUND) this.#runMin = Math.min(RUN_MIN_MAX, this.#runMin * 2);
    this.#takenInRound = 0;
    this.#front = 0;
    this.#floor = 0;
  }
}
