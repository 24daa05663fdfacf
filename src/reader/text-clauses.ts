/**
 * What a text search looks for: postings of one term in blocks of a tree, or of a term, a phrase or
 * a prefix in memory. Each goes through its documents once, a window at a time.
 */
import {
  type BlockPlace,
  bestBound,
  blockFrequency,
  blockLength,
  findInBlock,
  newBlockPlace,
  type PostingList,
  readBlock,
} from '../shared/bytes/postings.js';
import type { PagePointer } from '../shared/ids.js';
import { type Bm25, inverseDocumentFrequency, termScore } from '../shared/keyspaces/bm25.js';
import { pairKey } from '../shared/keyspaces/fulltext.js';
import { entryCount } from '../shared/pages/page.js';
import { PageMismatch } from '../shared/pages/page-file.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { Cursor } from '../shared/tree/cursor.js';
import { findKey, valueAddress, valueLength } from '../shared/tree/node.js';
import type { TreeRoot } from '../shared/tree-root.js';
import type { TextWindow } from './text-window.js';

/** How often a term stands in a document, and how long that is. */
export interface Posting {
  readonly frequency: number;
  readonly length: number;
}

export abstract class TextClause {
  readonly idf: number;
  readonly documents: number;
  protected readonly bm25: Bm25;
  /** How often it stands in the query. */
  protected readonly times: number;
  /** No posting in the window adds more; 0 when there is none. */
  bound = 0;

  constructor(bm25: Bm25, documents: number, times: number) {
    this.bm25 = bm25;
    this.documents = documents;
    this.times = times;
    this.idf = inverseDocumentFrequency(bm25, documents);
  }

  /** What a posting adds, as often as this stands in the query, but for rounding. */
  protected sum(frequency: number, length: number): number {
    return this.times * termScore(this.bm25, this.idf, frequency, length);
  }

  /** What a posting adds each time. */
  scoreOf(posting: Posting | undefined): number {
    if (posting === undefined) return 0;
    return termScore(this.bm25, this.idf, posting.frequency, posting.length);
  }

  /** Goes to the documents from `first` up to, not including, `end`, and sets the bound. */
  abstract enter(first: number, end: number): void;
  /** The first document behind the window, or one before it; Infinity when there is none. */
  abstract next(end: number): number;
  /** Adds what the postings in the window score, and makes these hits. */
  abstract add(window: TextWindow): void;
  /** The same for documents that are hits already, which become seen. */
  abstract probe(window: TextWindow): void;
  /** The posting of a document, once all windows are through. */
  abstract find(number: number): Posting | undefined;
}

/** Postings in memory. */
export class ArrayClause extends TextClause {
  readonly #list: PostingList;
  readonly #scores: Float64Array;
  #from = 0;
  #to = 0;

  constructor(bm25: Bm25, list: PostingList, times: number) {
    super(bm25, list.count, times);
    this.#list = list;
    this.#scores = new Float64Array(list.count);
    for (let index = 0; index < list.count; index++) {
      const length = list.lengths[index] as number;
      this.#scores[index] = this.sum(list.frequencies[index] as number, length);
    }
  }

  #number(index: number): number {
    return index < this.#list.count ? (this.#list.numbers[index] as number) : Infinity;
  }

  enter(first: number, end: number): void {
    while (this.#number(this.#to) < first) this.#to++;
    this.#from = this.#to;
    this.bound = 0;
    for (; this.#number(this.#to) < end; this.#to++) {
      this.bound = Math.max(this.bound, this.#scores[this.#to] as number);
    }
  }

  next(): number {
    return this.#number(this.#to);
  }

  add(window: TextWindow): void {
    for (let index = this.#from; index < this.#to; index++) {
      window.add(this.#number(index), this.#scores[index] as number);
    }
  }

  probe(window: TextWindow): void {
    for (let index = this.#from; index < this.#to; index++) {
      window.probe(this.#number(index), this.#scores[index] as number);
    }
  }

  find(number: number): Posting | undefined {
    let [low, high] = [0, this.#list.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#number(middle) < number) low = middle + 1;
      else high = middle;
    }
    if (this.#number(low) !== number) return undefined;
    const { frequencies, lengths } = this.#list;
    return { frequency: frequencies[low] as number, length: lengths[low] as number };
  }
}

/** A term whose postings stand in blocks. */
export interface TermOfBlocks {
  readonly number: number;
  /** In which it stands. */
  readonly documents: number;
}

/** Postings in the blocks of a tree. Leaves are kept as pointers, and fetched when needed. */
export class ListClause extends TextClause {
  readonly #source: PageSource;
  readonly #term: number;
  readonly #cursor: Cursor;
  readonly #place: BlockPlace = newBlockPlace();
  /** Leaves met so far; of each its first block's number and its entry. */
  readonly #leaves: PagePointer[] = [];
  readonly #leafBlocks: number[] = [];
  readonly #leafEntries: number[] = [];
  /** Blocks met so far. */
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  readonly #bounds: number[] = [];
  readonly #leafOf: number[] = [];
  #isComplete = false;
  #from = 0;
  #to = 0;

  constructor(
    source: PageSource,
    postings: Readonly<TreeRoot>,
    bm25: Bm25,
    term: TermOfBlocks,
    times: number,
  ) {
    super(bm25, term.documents, times);
    this.#source = source;
    this.#term = term.number;
    this.#cursor = new Cursor(source, { ...postings });
    if (!this.#cursor.seekKey(pairKey(term.number, 1)))
      throw damaged(postings, 'a list has no blocks');
    this.#load(this.#cursor.index);
  }

  /** Takes in the blocks of the cursor's leaf from an entry on. */
  #load(from: number): void {
    const { memory } = this.#source;
    const leaf = this.#cursor.leaf();
    const count = entryCount(memory, leaf);
    const key = this.#source.placeKey(pairKey(this.#term + 1, 0));
    const found = findKey(memory, leaf, key, key + 8);
    const to = found >= 0 ? found : ~found;
    this.#isComplete = to < count;
    if (to <= from) return;
    this.#leaves.push(this.#cursor.pointer());
    this.#leafBlocks.push(this.#firsts.length);
    this.#leafEntries.push(from);
    const score = (frequency: number, length: number) => this.sum(frequency, length);
    for (let index = from; index < to; index++) {
      const place = this.#blockAt(leaf, index);
      this.#firsts.push(place.first);
      this.#lasts.push(place.last);
      this.#bounds.push(bestBound(memory.u8, place, score));
      this.#leafOf.push(this.#leaves.length - 1);
    }
  }

  #blockAt(leaf: number, index: number): BlockPlace {
    const { memory } = this.#source;
    const at = valueAddress(memory, leaf, index);
    return readBlock(memory.u8, at, at + valueLength(memory, leaf, index), this.#place);
  }

  /** True when there is a block with this number, which may have to be read. */
  #has(block: number): boolean {
    while (block >= this.#firsts.length) {
      if (this.#isComplete) return false;
      if (!this.#cursor.moveLeaf(1)) this.#isComplete = true;
      else this.#load(0);
    }
    return true;
  }

  enter(first: number, end: number): void {
    while (this.#has(this.#from) && (this.#lasts[this.#from] as number) < first) this.#from++;
    this.bound = 0;
    this.#to = this.#from;
    while (this.#has(this.#to) && (this.#firsts[this.#to] as number) < end) {
      this.bound = Math.max(this.bound, this.#bounds[this.#to++] as number);
    }
  }

  next(end: number): number {
    if (this.#to > this.#from && (this.#lasts[this.#to - 1] as number) >= end) return end;
    return this.#has(this.#to) ? (this.#firsts[this.#to] as number) : Infinity;
  }

  add(window: TextWindow): void {
    const { kernels } = this.#source.memory;
    window.weigh(this.bm25, this.times * this.idf);
    this.#forLeaves((leaf, from, to) => kernels.addPostings(window.address, leaf, from, to));
  }

  probe(window: TextWindow): void {
    const { kernels } = this.#source.memory;
    window.weigh(this.bm25, this.times * this.idf);
    this.#forLeaves((leaf, from, to) => kernels.probePostings(window.address, leaf, from, to));
  }

  /** Calls a kernel for the entries of each leaf that the window reaches. */
  #forLeaves(run: (leaf: number, from: number, to: number) => boolean | 0 | 1): void {
    for (let block = this.#from; block < this.#to; ) {
      const which = this.#leafOf[block] as number;
      const pointer = this.#leaves[which] as PagePointer;
      const blocksEnd = this.#leafBlocks[which + 1] ?? this.#firsts.length;
      const end = Math.min(blocksEnd, this.#to);
      const entry = (this.#leafEntries[which] as number) - (this.#leafBlocks[which] as number);
      const leaf = this.#source.fetchPointer(pointer, 0);
      if (!run(leaf, entry + block, entry + end)) throw damaged(pointer, 'it is no block');
      block = end;
    }
  }

  find(number: number): Posting | undefined {
    let [low, high] = [0, this.#lasts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    if (low === this.#lasts.length || (this.#firsts[low] as number) > number) return undefined;
    const which = this.#leafOf[low] as number;
    const leaf = this.#source.fetchPointer(this.#leaves[which] as PagePointer, 0);
    const entry = (this.#leafEntries[which] as number) - (this.#leafBlocks[which] as number);
    const { u8 } = this.#source.memory;
    const place = this.#blockAt(leaf, entry + low);
    const index = findInBlock(u8, place, number);
    if (index < 0) return undefined;
    return { frequency: blockFrequency(u8, place, index), length: blockLength(u8, place, index) };
  }
}

function damaged({ pageId }: PagePointer, reason: string): PageMismatch {
  return new PageMismatch(pageId, reason);
}
