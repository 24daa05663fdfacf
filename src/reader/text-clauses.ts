/**
 * What a text search looks for: postings of one term in blocks of a tree, or of a term, a phrase or
 * a prefix in memory. Each goes through its documents once, a window at a time.
 */
import type { PostingList } from '../shared/bytes/postings.js';
import { type Bm25, inverseDocumentFrequency, termScore } from '../shared/keyspaces/bm25.js';
import type { PageSource } from '../shared/pages/page-source.js';
import type { TreeRoot } from '../shared/tree-root.js';
import { type BlockDirectory, directoryOf, type Posting } from './block-directory.js';
import type { TextWindow } from './text-window.js';

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

/** Postings in the blocks of a tree. */
export class ListClause extends TextClause {
  readonly #source: PageSource;
  readonly #directory: BlockDirectory;
  /** The blocks with documents in the window. */
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
    this.#directory = directoryOf(source, postings, term.number);
  }

  readonly #score = (frequency: number, length: number) => this.sum(frequency, length);

  enter(first: number, end: number): void {
    const directory = this.#directory;
    while (directory.last(this.#from) < first) this.#from++;
    this.bound = 0;
    this.#to = this.#from;
    for (; directory.first(this.#to) < end; this.#to++) {
      this.bound = Math.max(this.bound, directory.bound(this.#to, this.#score));
    }
  }

  next(end: number): number {
    const directory = this.#directory;
    if (this.#to > this.#from && directory.last(this.#to - 1) >= end) return end;
    return directory.first(this.#to);
  }

  add(window: TextWindow): void {
    const { kernels } = this.#source.memory;
    window.weigh(this.bm25, this.times * this.idf);
    this.#directory.run(this.#source, this.#from, this.#to, (leaf, from, to) =>
      kernels.addPostings(window.address, leaf, from, to),
    );
  }

  probe(window: TextWindow): void {
    const { kernels } = this.#source.memory;
    window.weigh(this.bm25, this.times * this.idf);
    this.#directory.run(this.#source, this.#from, this.#to, (leaf, from, to) =>
      kernels.probePostings(window.address, leaf, from, to),
    );
  }

  find(number: number): Posting | undefined {
    return this.#directory.find(this.#source, number);
  }
}
