/**
 * What a transaction does to an index, gathered until somebody has to see it: postings by term, so
 * that each list is written once for many documents.
 */
import { encodeForward } from '../../shared/keyspaces/fulltext.js';
import { TermTable } from './term-table.js';

const CAPACITY_MIN = 32;
/** Sorted by insertion: to call the runtime's sort takes longer. */
const SHORT = 32;

type Words = Uint32Array<ArrayBuffer>;

function grown(words: Words, needed: number): Words {
  if (needed <= words.length) return words;
  const larger = new Uint32Array(2 * needed);
  larger.set(words);
  return larger;
}

/** Postings by terms: what of one field belongs to the same posting stands at the same place. */
class PostingColumns {
  terms = new Uint32Array(CAPACITY_MIN);
  numbers = new Uint32Array(CAPACITY_MIN);
  /** 0: the posting goes. */
  frequencies = new Uint32Array(CAPACITY_MIN);
  lengths = new Uint32Array(CAPACITY_MIN);
  count = 0;

  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.terms.length) return;
    this.terms = grown(this.terms, needed);
    this.numbers = grown(this.numbers, needed);
    this.frequencies = grown(this.frequencies, needed);
    this.lengths = grown(this.lengths, needed);
  }
}

/** Words one by one. */
class WordList {
  words = new Uint32Array(CAPACITY_MIN);
  count = 0;

  push(word: number): void {
    this.words = grown(this.words, this.count + 1);
    this.words[this.count++] = word;
  }
}

/** A document that was added last: which of the added postings are its own. */
export interface AddedDocument {
  readonly from: number;
  readonly to: number;
  /** Terms of it, each as often as it stands there. */
  readonly length: number;
}

/** Changes of lists, by rising terms and documents; those of a frequency of 0 go. */
export interface ListChanges {
  readonly numbers: Uint32Array;
  readonly frequencies: Uint32Array;
  readonly lengths: Uint32Array;
}

/** The changes of one term: a part of all. */
export interface TermChange {
  /** The term's number in the index. */
  readonly term: number;
  /** Its number in the table; -1 when documents lose it only. */
  readonly local: number;
  /** The index has no list of it yet. */
  readonly isNew: boolean;
  readonly from: number;
  readonly to: number;
}

export class TextChanges {
  readonly table = new TermTable();
  /** By term of the table: its number in the index. */
  readonly numbers = new WordList();
  /** Documents that are changed: those of a range without holes, and single ones. */
  readonly #touched = new Set<number>();
  #touchedFrom = 0;
  #touchedTo = 0;
  readonly #keepsTokens: boolean;
  readonly #lastTerm: number;
  /** Terms of the last document one by one, when they are kept. */
  readonly #tokens = new WordList();
  /** Of terms by their numbers in the table. */
  readonly #added = new PostingColumns();
  /** Of terms by their numbers in the index. */
  readonly #removed = new PostingColumns();
  /** By term of the table: its last added posting, plus 1. */
  #latest = new Uint32Array(CAPACITY_MIN);
  #sorted = new Uint32Array(CAPACITY_MIN);

  /** @param lastTerm - Terms with higher numbers are new. */
  constructor(keepsTokens: boolean, lastTerm: number) {
    this.#keepsTokens = keepsTokens;
    this.#lastTerm = lastTerm;
  }

  /** True when something is known of a document: it can be changed once. */
  has(number: number): boolean {
    if (number >= this.#touchedFrom && number < this.#touchedTo) return true;
    return this.#touched.size > 0 && this.#touched.has(number);
  }

  #touch(number: number): void {
    if (this.isEmpty) this.#touchedFrom = this.#touchedTo = number;
    if (number === this.#touchedTo) this.#touchedTo++;
    else this.#touched.add(number);
  }

  get isEmpty(): boolean {
    return this.#touchedFrom === this.#touchedTo;
  }

  /** Lists that are changed, at most. */
  get listCount(): number {
    return this.table.count + this.#removed.count;
  }

  get size(): number {
    return this.#added.count + this.#removed.count;
  }

  /** A document has the terms of a stream (term-stream.ts). */
  add(number: number, stream: Uint8Array, start: number, end: number): AddedDocument {
    this.#touch(number);
    const added = this.#added;
    const { table } = this;
    const from = added.count;
    this.#tokens.count = 0;
    added.reserve(end - start);
    const { terms, frequencies } = added;
    let { count } = added;
    let length = 0;
    for (let at = start; at < end; length++) {
      const next = at + 1 + (stream[at] as number);
      const term = table.intern(stream, at + 1, next);
      at = next;
      if (this.#keepsTokens) this.#tokens.push(term);
      if (term >= this.#latest.length) this.#latest = grown(this.#latest, term + 1);
      const latest = (this.#latest[term] as number) - 1;
      if (latest >= from) frequencies[latest] = (frequencies[latest] as number) + 1;
      else {
        this.#latest[term] = count + 1;
        terms[count] = term;
        frequencies[count++] = 1;
      }
    }
    added.numbers.fill(number, from, count);
    added.lengths.fill(length, from, count);
    added.count = count;
    return { from, to: count, length };
  }

  /** A document has no longer the terms of these numbers. */
  remove(number: number, terms: readonly number[]): void {
    this.#touch(number);
    const removed = this.#removed;
    removed.reserve(terms.length);
    for (const term of terms) {
      removed.terms[removed.count] = term;
      removed.numbers[removed.count++] = number;
    }
  }

  /** The forward list of the document added last, whose terms have numbers by now. */
  forwardOf({ from, to, length }: AddedDocument): Uint8Array {
    const { words } = this.numbers;
    const count = to - from;
    this.#sorted = grown(this.#sorted, count);
    const terms = this.#sorted.subarray(0, count);
    for (let index = 0; index < count; index++) {
      terms[index] = words[this.#added.terms[from + index] as number] as number;
    }
    sortWords(terms);
    const positions = this.#keepsTokens ? this.#placesOf(terms) : undefined;
    return encodeForward({ length, terms, positions });
  }

  /** Where the terms stand in the document added last. */
  #placesOf(terms: Uint32Array): number[][] {
    const places = new Map<number, number[]>();
    for (const term of terms) places.set(term, []);
    const { words, count } = this.#tokens;
    for (let place = 0; place < count; place++) {
      const term = this.numbers.words[words[place] as number] as number;
      places.get(term)?.push(place);
    }
    return Array.from(terms, (term) => places.get(term) as number[]);
  }

  /** Shows all changes, term by term, by rising numbers of terms. */
  forEachTerm(visit: (change: TermChange, changes: ListChanges) => void): void {
    const [added, removed] = [this.#added, this.#removed];
    const numbers = this.numbers.words.subarray(0, this.numbers.count);
    const terms = sortedUnion(numbers, removed.terms.subarray(0, removed.count));
    const locals = new Int32Array(terms.length).fill(-1);
    const rankOfLocal = numbers.map((number) => rankIn(terms, number));
    for (let local = 0; local < numbers.length; local++) {
      locals[rankOfLocal[local] as number] = local;
    }
    const rankOfRemoved = (index: number) => rankIn(terms, removed.terms[index] as number);
    const rankOfAdded = (index: number) => rankOfLocal[added.terms[index] as number] as number;
    const ends = new Uint32Array(terms.length + 1);
    const count = (rank: number) => {
      ends[rank + 1] = (ends[rank + 1] as number) + 1;
    };
    for (let index = 0; index < removed.count; index++) count(rankOfRemoved(index));
    for (let index = 0; index < added.count; index++) count(rankOfAdded(index));
    for (let rank = 1; rank < ends.length; rank++) {
      ends[rank] = (ends[rank] as number) + (ends[rank - 1] as number);
    }
    const starts = ends.slice();
    const all = new PostingColumns();
    all.reserve(added.count + removed.count);
    // What a document loses stands before what it gains.
    scatter(removed, rankOfRemoved, starts, all);
    scatter(added, rankOfAdded, starts, all);
    for (let rank = 0; rank < terms.length; rank++) {
      const [from, to] = [ends[rank] as number, ends[rank + 1] as number];
      sortByNumber(all, from, to);
      const [term, local] = [terms[rank] as number, locals[rank] as number];
      visit({ term, local, isNew: term > this.#lastTerm, from, to }, all);
    }
  }
}

/** The second half of a counting sort: postings go where those of their terms begin. */
function scatter(
  from: PostingColumns,
  rankOf: (index: number) => number,
  starts: Uint32Array,
  to: PostingColumns,
): void {
  for (let index = 0; index < from.count; index++) {
    const rank = rankOf(index);
    const at = starts[rank] as number;
    starts[rank] = at + 1;
    to.numbers[at] = from.numbers[index] as number;
    to.frequencies[at] = from.frequencies[index] as number;
    to.lengths[at] = from.lengths[index] as number;
  }
}

/** Rising. */
export function sortWords(words: Uint32Array): Uint32Array {
  if (words.length > SHORT) return words.sort();
  for (let index = 1; index < words.length; index++) {
    const word = words[index] as number;
    let at = index;
    for (; at > 0 && (words[at - 1] as number) > word; at--) words[at] = words[at - 1] as number;
    words[at] = word;
  }
  return words;
}

function sortedUnion(a: Uint32Array, b: Uint32Array): Uint32Array {
  const all = new Uint32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  sortWords(all);
  let count = 0;
  for (let at = 0; at < all.length; at++) {
    if (at > 0 && all[at] === all[at - 1]) continue;
    all[count++] = all[at] as number;
  }
  return all.subarray(0, count);
}

function rankIn(sorted: Uint32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By rising documents, as they mostly are; what one loses and gains keeps its order. */
function sortByNumber(all: PostingColumns, from: number, to: number): void {
  const { numbers, frequencies, lengths } = all;
  let isSorted = true;
  for (let at = from + 1; at < to && isSorted; at++) {
    isSorted = (numbers[at - 1] as number) <= (numbers[at] as number);
  }
  if (isSorted) return;
  const order = Array.from({ length: to - from }, (_, index) => from + index);
  order.sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
  for (const column of [numbers, frequencies, lengths]) {
    column.set(
      order.map((index) => column[index] as number),
      from,
    );
  }
}
