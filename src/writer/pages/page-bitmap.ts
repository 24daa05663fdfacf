/**
 * One bit per page of the file: set for the pages that are free to be taken, or that wait for it.
 *
 * A bitmap, because taking and giving back are then single bit operations however torn the free
 * space is: 32 KiB hold the pages of a gigabyte.
 *
 * Pages are taken in a sweep through the file, which begins anew behind the last one. So the pages
 * that are freed have the time of a whole round to lie together, and what is taken is written in
 * few calls; where the lowest page is taken first, free ones stay single. Between two metas the
 * sweep waits: what was taken and given back in between is taken again.
 */
const GROWTH_WORDS = 1024;

export class PageBitmap {
  /** Pages whose bit is set. */
  count = 0;
  #words = new Uint32Array(GROWTH_WORDS);
  /** Where the sweep was at the last `moveOn`. */
  #floor = 0;
  /** Where the sweep is: no bit between `#floor` and here is set. */
  #cursor = 0;

  has(page: number): boolean {
    const word = this.#words[page >>> 5] ?? 0;
    return (word & (1 << (page & 31))) !== 0;
  }

  add(start: number, length: number): void {
    const end = start + length;
    if (end > this.#words.length * 32) {
      const larger = new Uint32Array(Math.ceil(end / 32 / GROWTH_WORDS) * 2 * GROWTH_WORDS);
      larger.set(this.#words);
      this.#words = larger;
    }
    for (let page = start; page < end; page++) {
      this.#words[page >>> 5] = (this.#words[page >>> 5] as number) | (1 << (page & 31));
    }
    this.count += length;
    if (start < this.#cursor) this.#cursor = Math.max(start, this.#floor);
  }

  remove(start: number, length: number): void {
    for (let page = start; page < start + length; page++) {
      this.#words[page >>> 5] = (this.#words[page >>> 5] as number) & ~(1 << (page & 31));
    }
    this.count -= length;
  }

  /** Takes the next page of the sweep; -1 when there is none. */
  takeOne(): number {
    if (this.count === 0) return -1;
    let page = this.#next(this.#cursor);
    if (page < 0) {
      this.#floor = 0;
      page = this.#next(0);
    }
    this.remove(page, 1);
    this.#cursor = page + 1;
    return page;
  }

  /** From here on, what is given back behind this place waits until the sweep comes round. */
  moveOn(): void {
    this.#floor = this.#cursor;
  }

  /** Takes `length` pages that lie together; -1 when there is no such run. */
  takeRun(length: number): number {
    if (this.count < length) return -1;
    let start = this.#findRun(length, this.#cursor, Number.POSITIVE_INFINITY);
    if (start < 0) start = this.#findRun(length, 0, this.#cursor);
    if (start >= 0) this.remove(start, length);
    return start;
  }

  /** Where the first such run starts that begins at or behind `from` and before `to`, or -1. */
  #findRun(length: number, from: number, to: number): number {
    let start = this.#next(from);
    while (start >= 0 && start < to) {
      const end = this.#runEnd(start, length);
      if (end - start >= length) return start;
      start = this.#next(end);
    }
    return -1;
  }

  /** Calls `visit` with each run of pages at or behind `from`, rising. */
  forEachRun(visit: (start: number, length: number) => void, from = 0): void {
    let start = this.#next(from);
    while (start >= 0) {
      const end = this.#runEnd(start, Number.POSITIVE_INFINITY);
      visit(start, end - start);
      start = this.#next(end);
    }
  }

  /** All runs, rising: start, length, start, length, … */
  runs(): number[] {
    const runs: number[] = [];
    this.forEachRun((start, length) => runs.push(start, length));
    return runs;
  }

  #runEnd(start: number, lengthMax: number): number {
    let end = start;
    while (end - start < lengthMax && this.has(end)) end++;
    return end;
  }

  /** The first page at or behind `from`, or -1. */
  #next(from: number): number {
    const words = this.#words;
    let index = from >>> 5;
    if (index >= words.length) return -1;
    let word = (words[index] as number) & (-1 << (from & 31));
    while (word === 0) {
      index++;
      if (index >= words.length) return -1;
      word = words[index] as number;
    }
    return index * 32 + 31 - Math.clz32(word & -word);
  }
}
