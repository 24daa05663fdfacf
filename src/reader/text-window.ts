/**
 * A window of documents that a text search is at, in this thread's part of the shared memory: their
 * scores so far, and which of them are hits. kernels/scalar-text.ts draws the record. A search
 * leaves it as clean as it was.
 */

import { assert } from '../shared/assert.js';
import type { Bm25 } from '../shared/keyspaces/bm25.js';
import {
  SCRATCH_BYTES,
  type SharedMemory,
  TEXT_WINDOW_BYTES,
} from '../shared/memory/shared-memory.js';

/** Documents in a window: their scores stay in the processor's cache. */
export const WINDOW_DOCUMENTS_MAX = 8192;
const RECORD_BYTES = 64;
/** A word of the record that no kernel looks at. */
const IN_USE = 5;
const SCORES_BYTES = 8 * WINDOW_DOCUMENTS_MAX;
const BITS_BYTES = WINDOW_DOCUMENTS_MAX / 8;
export const HIT_BYTES = 16;

assert(RECORD_BYTES + SCORES_BYTES + 2 * BITS_BYTES <= TEXT_WINDOW_BYTES, 'a window has room');
assert(HIT_BYTES * WINDOW_DOCUMENTS_MAX <= SCRATCH_BYTES, 'its hits fit the scratch window');

/** A document and its score, but for rounding. */
export interface TextHit {
  readonly number: number;
  readonly score: number;
}

export class TextWindow {
  /** Of the record. */
  readonly address: number;
  /** Where hits are written: this thread's scratch window. */
  readonly out: number;
  readonly #memory: SharedMemory;
  readonly #scores: number;
  readonly #hits: number;
  readonly #seen: number;
  #first = 0;

  constructor(memory: SharedMemory, threadSlot: number) {
    const address = memory.textWindowAddress(threadSlot);
    this.#memory = memory;
    this.address = address;
    this.out = memory.scratchAddress(threadSlot);
    this.#scores = address + RECORD_BYTES;
    this.#hits = this.#scores + SCORES_BYTES;
    this.#seen = this.#hits + BITS_BYTES;
    const { i32 } = memory;
    const word = address >>> 2;
    // A search that failed has left what it was at.
    if (i32[word + IN_USE] !== 0)
      memory.f64.fill(0, address >>> 3, (this.#seen + BITS_BYTES) >>> 3);
    i32[word + 2] = this.#scores;
    i32[word + 3] = this.#hits;
    i32[word + 4] = this.#seen;
    i32[word + IN_USE] = 1;
  }

  /** The search is over. */
  close(): void {
    this.#memory.i32[(this.address >>> 2) + IN_USE] = 0;
  }

  /** Goes to `count` documents from `first` on. */
  moveTo(first: number, count: number): void {
    this.#first = first;
    this.#memory.i32[this.address >>> 2] = first;
    this.#memory.i32[(this.address >>> 2) + 1] = count;
  }

  /** What the kernels need for the postings of a term. */
  weigh({ k1, b, averageLength }: Bm25, idf: number): void {
    const { f64 } = this.#memory;
    const at = this.address >>> 3;
    f64[at + 3] = idf * (k1 + 1);
    f64[at + 4] = k1 * (1 - b);
    f64[at + 5] = (k1 * b) / averageLength;
  }

  /** Hits below this are forgotten by what follows. */
  setFloor(floor: number): void {
    this.#memory.f64[(this.address >>> 3) + 6] = floor;
  }

  add(number: number, score: number): void {
    const document = number - this.#first;
    this.#set(this.#hits, document);
    this.#addScore(document, score);
  }

  probe(number: number, score: number): void {
    const document = number - this.#first;
    const word = this.#memory.i32[this.#wordOf(this.#hits, document)] as number;
    if ((word & (1 << (document & 31))) === 0) return;
    this.#set(this.#seen, document);
    this.#addScore(document, score);
  }

  #wordOf(bits: number, document: number): number {
    return (bits >>> 2) + (document >>> 5);
  }

  #set(bits: number, document: number): void {
    const { i32 } = this.#memory;
    const word = this.#wordOf(bits, document);
    i32[word] = (i32[word] as number) | (1 << (document & 31));
  }

  #addScore(document: number, score: number): void {
    const { f64 } = this.#memory;
    const at = (this.#scores >>> 3) + document;
    f64[at] = (f64[at] as number) + score;
  }

  keepSeen(): void {
    this.#memory.kernels.keepSeen(this.address);
  }

  forgetSeen(): void {
    this.#memory.kernels.forgetSeen(this.address);
  }

  prune(): void {
    this.#memory.kernels.pruneHits(this.address);
  }

  /** Writes the hits to `out`, as the kernel draws them, and forgets all; returns how many. */
  take(): number {
    return this.#memory.kernels.takeHits(this.address, this.out);
  }
}
