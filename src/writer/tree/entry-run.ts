/**
 * Entries of one or two neighbouring nodes and one more, in a row: what rebalance.ts deals out.
 *
 * The run refers to copies of the nodes, so that the pages they came from can be rewritten; the
 * kernels draw how (kernels/assembly/run.ts).
 */
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount } from '../../shared/pages/page.js';
import { BORDERS, FRESH, NEIGHBOUR_COPY, OWN_COPY, RUN, SPARE } from './workspace.js';

/** An entry on its way into a node; key and value lie in the shared memory. */
export interface NewEntry {
  readonly key: number;
  readonly end: number;
  /** A record, or the 18 bytes of a child. */
  readonly value: number;
  readonly valueLength: number;
}

export class EntryRun {
  length = 0;
  #level = 0;
  readonly #memory: SharedMemory;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
  }

  /** Starts with the copy of a node whose entries `pushOwn` appends. */
  begin(level: number, node: number): void {
    this.#level = level;
    this.#copy(node, OWN_COPY);
    this.clear();
  }

  clear(): void {
    this.length = 0;
  }

  #copy(node: number, copy: number): void {
    this.#memory.kernels.copyBytes(copy, node, this.#memory.nodeBytes);
  }

  /** Appends the node's entries, with a new one before that at `index`. */
  pushOwn(index = 0, entry?: NewEntry): void {
    const count = entryCount(this.#memory, OWN_COPY);
    this.#append(OWN_COPY, 0, index);
    if (entry !== undefined) {
      const { i32 } = this.#memory;
      i32[FRESH >>> 2] = entry.key;
      i32[(FRESH >>> 2) + 1] = entry.end;
      i32[(FRESH >>> 2) + 2] = entry.value;
      i32[(FRESH >>> 2) + 3] = entry.valueLength;
      this.#append(0, 0, 1);
    }
    this.#append(OWN_COPY, index, count);
  }

  pushNeighbour(node: number): void {
    this.#copy(node, NEIGHBOUR_COPY);
    this.#append(NEIGHBOUR_COPY, 0, entryCount(this.#memory, NEIGHBOUR_COPY));
  }

  #append(source: number, from: number, to: number): void {
    const { kernels } = this.#memory;
    this.length = kernels.appendEntries(RUN, this.length, source, from, to);
  }

  /** Bytes of a page that would hold all entries. */
  bytes(): number {
    const { kernels, nodeBytes } = this.#memory;
    return kernels.runBytes(RUN, 0, this.length, FRESH, nodeBytes, this.#level, SPARE);
  }

  /**
   * Borders of even shares, as few as fit pages that are full to `fillMax` at most, and at least
   * `sharesMin`.
   */
  deal(fillMax: number, sharesMin: number): number[] {
    const { kernels, nodeBytes, i32 } = this.#memory;
    const level = this.#level;
    const spare = SPARE;
    const shares = kernels.dealRun(
      ...([RUN, this.length, FRESH, nodeBytes, level, fillMax, sharesMin, BORDERS, spare] as const),
    );
    return Array.from(i32.subarray(BORDERS >>> 2, (BORDERS >>> 2) + shares + 1));
  }

  /** Fills a page with the entries `from` to `to`. */
  writePage(page: number, from: number, to: number): void {
    const { kernels, nodeBytes } = this.#memory;
    kernels.writeRun(RUN, from, to, FRESH, page, nodeBytes, this.#level, SPARE);
  }

  /** Entries below the children `from` to `to`, or the entries themselves in a leaf. */
  countBelow(from: number, to: number): number {
    if (this.#level === 0) return to - from;
    return this.#memory.kernels.runChildCount(RUN, from, to, FRESH);
  }

  /** The shortest key that is above entry `index - 1` and not above entry `index`. */
  separator(index: number): Uint8Array {
    const { kernels, nodeBytes, u8 } = this.#memory;
    const length = kernels.runSeparator(RUN, index, FRESH, nodeBytes, this.#level, SPARE);
    return u8.slice(SPARE, SPARE + length);
  }
}
