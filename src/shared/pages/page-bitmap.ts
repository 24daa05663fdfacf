/**
 * One bit per page of the file: set for the pages that are free to be taken, or that wait for it.
 *
 * A bitmap, because taking and giving back are then single bit operations however torn the free
 * space is: 32 KiB hold the pages of a gigabyte.
 */
const GROWTH_WORDS = 1024;

export class PageBitmap {
  /** Pages whose bit is set. */
  count = 0;
  #words = new Uint32Array(GROWTH_WORDS);

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
  }

  remove(start: number, length: number): void {
    for (let page = start; page < start + length; page++) {
      this.#words[page >>> 5] = (this.#words[page >>> 5] as number) & ~(1 << (page & 31));
    }
    this.count -= length;
  }

  /** Where the first run of at least `length` pages begins, at or behind `from`, or -1. */
  findRun(length: number, from: number): number {
    let start = this.#next(from);
    while (start >= 0) {
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
