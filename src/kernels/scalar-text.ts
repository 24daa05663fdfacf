/**
 * The plain loops of a text search over blocks of postings: the definition of the right answer, and
 * what runs without WebAssembly. shared/bytes/postings.ts draws the blocks. They work on a window
 * of documents, described by a record:
 *
 *   offset  size  field
 *        0     4  number of the first document
 *        4     4  documents
 *        8     4  scores: a double for each document; 0 where its bit in `hits` is 0
 *       12     4  hits: a bit for each document, in words of 4 bytes, lowest first
 *       16     4  seen: the same; all 0 between calls
 *       20     4  not 0 while a search is under way
 *       24     8  weight         idf * (k1 + 1)
 *       32     8  norm           k1 * (1 - b)
 *       40     8  normPerTerm    k1 * b / average length
 *       48     8  floor
 *
 * What a posting adds is `weight * f / (f + (norm + normPerTerm * length))`.
 */
import type { TextKernels } from './kernel-interface.js';
import { ScalarVectors } from './scalar-vector.js';

const WINDOW = {
  first: 0,
  count: 4,
  scores: 8,
  hits: 12,
  seen: 16,
  weight: 24,
  norm: 32,
  normPerTerm: 40,
  floor: 48,
} as const;
const BLOCK_HEADER = 8;
const WIDTHS = [0, 1, 2, 4] as const;
const HIT = 16;

/** Where the parts of a block lie. */
interface Block {
  readonly count: number;
  readonly first: number;
  readonly distances: number;
  readonly distanceWidth: number;
  readonly frequencies: number;
  readonly frequencyWidth: number;
  readonly lengths: number;
  readonly lengthWidth: number;
}

export class ScalarTexts extends ScalarVectors implements TextKernels {
  addPostings(window: number, leaf: number, from: number, to: number): boolean {
    return this.#visit(window, leaf, from, to, (document, score) => {
      this.#setBit(window, WINDOW.hits, document);
      this.#addScore(window, document, score);
    });
  }

  probePostings(window: number, leaf: number, from: number, to: number): boolean {
    return this.#visit(window, leaf, from, to, (document, score) => {
      if (!this.#bit(window, WINDOW.hits, document)) return;
      this.#setBit(window, WINDOW.seen, document);
      this.#addScore(window, document, score);
    });
  }

  keepSeen(window: number): void {
    for (let document = 0; document < this.u32(window + WINDOW.count); document++) {
      if (!this.#bit(window, WINDOW.hits, document)) continue;
      if (!this.#bit(window, WINDOW.seen, document)) this.#forget(window, document);
    }
    this.#clearSeen(window);
  }

  forgetSeen(window: number): void {
    this.#clearSeen(window);
  }

  pruneHits(window: number): void {
    const floor = this.view.getFloat64(window + WINDOW.floor, true);
    for (let document = 0; document < this.u32(window + WINDOW.count); document++) {
      if (!this.#bit(window, WINDOW.hits, document)) continue;
      if (!(this.#score(window, document) >= floor)) this.#forget(window, document);
    }
  }

  takeHits(window: number, out: number): number {
    this.pruneHits(window);
    let at = out;
    for (let document = 0; document < this.u32(window + WINDOW.count); document++) {
      if (!this.#bit(window, WINDOW.hits, document)) continue;
      this.setU32(at, this.u32(window + WINDOW.first) + document);
      this.view.setFloat64(at + 8, this.#score(window, document), true);
      at += HIT;
      this.#forget(window, document);
    }
    return (at - out) / HIT;
  }

  /** Shows the postings of some blocks that are in the window; false when one is no block. */
  #visit(
    window: number,
    leaf: number,
    from: number,
    to: number,
    show: (document: number, score: number) => void,
  ): boolean {
    const first = this.u32(window + WINDOW.first);
    const count = this.u32(window + WINDOW.count);
    for (let index = from; index < to; index++) {
      const block = this.#block(leaf, index);
      if (block === undefined) return false;
      for (let posting = 0; posting < block.count; posting++) {
        const distance = this.#wide(block.distances, block.distanceWidth, posting);
        const document = block.first + distance - first;
        if (document >= 0 && document < count) {
          show(document, this.#scoreOf(window, block, posting));
        }
      }
    }
    return true;
  }

  #scoreOf(window: number, block: Block, posting: number): number {
    const { frequencies, frequencyWidth, lengths, lengthWidth } = block;
    const isOne = frequencyWidth === 0;
    const frequency = isOne ? 1 : this.#wide(frequencies, frequencyWidth, posting);
    const length = this.#wide(lengths, lengthWidth, posting);
    const weight = this.view.getFloat64(window + WINDOW.weight, true);
    const norm = this.view.getFloat64(window + WINDOW.norm, true);
    const normPerTerm = this.view.getFloat64(window + WINDOW.normPerTerm, true);
    return (weight * frequency) / (frequency + (norm + normPerTerm * length));
  }

  #block(leaf: number, index: number): Block | undefined {
    const cell = this.cell(leaf, index);
    const size = this.u16(cell);
    const start = cell + this.cellBytes(leaf, index) - size;
    if (size < BLOCK_HEADER) return undefined;
    const count = (this.bytes[start] as number) + 1;
    const codes = this.bytes[start + 1] as number;
    const distanceWidth = WIDTHS[(codes & 3) as 0 | 1 | 2 | 3];
    const frequencyWidth = WIDTHS[((codes >>> 2) & 3) as 0 | 1 | 2 | 3];
    const lengthWidth = WIDTHS[((codes >>> 4) & 3) as 0 | 1 | 2 | 3];
    const bounds = (codes >>> 6) + 1;
    const distances = start + BLOCK_HEADER + bounds * (frequencyWidth + lengthWidth);
    const frequencies = distances + count * distanceWidth;
    const lengths = frequencies + count * frequencyWidth;
    const isWhole = distanceWidth !== 0 && lengthWidth !== 0;
    if (!isWhole || lengths + count * lengthWidth !== start + size) return undefined;
    const first = this.u32(start + 4);
    const places = { distances, distanceWidth, frequencies, frequencyWidth, lengths, lengthWidth };
    return { count, first, ...places };
  }

  #wide(start: number, width: number, index: number): number {
    if (width === 1) return this.bytes[start + index] as number;
    return width === 2 ? this.u16(start + 2 * index) : this.u32(start + 4 * index);
  }

  #bit(window: number, field: number, document: number): boolean {
    const word = this.u32(window + field) + ((document >>> 5) << 2);
    return ((this.u32(word) >>> (document & 31)) & 1) !== 0;
  }

  #setBit(window: number, field: number, document: number): void {
    const word = this.u32(window + field) + ((document >>> 5) << 2);
    this.setU32(word, (this.u32(word) | (1 << (document & 31))) >>> 0);
  }

  #score(window: number, document: number): number {
    return this.view.getFloat64(this.u32(window + WINDOW.scores) + 8 * document, true);
  }

  #addScore(window: number, document: number, score: number): void {
    const at = this.u32(window + WINDOW.scores) + 8 * document;
    this.view.setFloat64(at, this.view.getFloat64(at, true) + score, true);
  }

  #forget(window: number, document: number): void {
    const word = this.u32(window + WINDOW.hits) + ((document >>> 5) << 2);
    this.setU32(word, (this.u32(word) & ~(1 << (document & 31))) >>> 0);
    this.view.setFloat64(this.u32(window + WINDOW.scores) + 8 * document, 0, true);
  }

  #clearSeen(window: number): void {
    const bytes = Math.ceil(this.u32(window + WINDOW.count) / 32) * 4;
    const seen = this.u32(window + WINDOW.seen);
    this.bytes.fill(0, seen, seen + bytes);
  }
}
