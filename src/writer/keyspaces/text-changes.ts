/**
 * What a transaction does to an index, gathered until somebody has to see it: postings by term, so
 * that each list is written once for many documents.
 */
import { TermTable } from './term-table.js';

/** An array of words that grows. */
class Words {
  #words = new Uint32Array(256);
  length = 0;

  push(word: number): void {
    if (this.length === this.#words.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.length++] = word;
  }

  at(index: number): number {
    return this.#words[index] as number;
  }

  increment(index: number): void {
    this.#words[index] = this.at(index) + 1;
  }

  set(index: number, word: number): void {
    while (this.length <= index) this.push(0);
    this.#words[index] = word;
  }

  view(): Uint32Array {
    return this.#words.subarray(0, this.length);
  }
}

/** A document that was added: which of the added postings are its own. */
export interface AddedDocument {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  /** Its terms one by one, by their numbers in the table, from here on; `length` of them. */
  readonly tokens: number;
  readonly length: number;
}

/** Changes of the postings of one term, by rising documents; those of a frequency of 0 go. */
export interface ListChange {
  readonly numbers: Uint32Array;
  readonly frequencies: Uint32Array;
  readonly lengths: Uint32Array;
}

/** The changes of one term. */
export interface TermChange extends ListChange {
  /** The term's number in the index. */
  readonly term: number;
  /** Its number in the table; -1 when documents lose it only. */
  readonly local: number;
}

export class TextChanges {
  readonly table = new TermTable();
  readonly documents: AddedDocument[] = [];
  readonly #touched = new Set<number>();
  readonly #keepsTokens: boolean;
  readonly #addedTerms = new Words();
  readonly #addedNumbers = new Words();
  readonly #frequencies = new Words();
  readonly #lengths = new Words();
  readonly #removedTerms = new Words();
  readonly #removedNumbers = new Words();
  /** By term of the table: its last added posting, plus 1. */
  readonly #latest = new Words();
  readonly #tokens = new Words();

  constructor(keepsTokens: boolean) {
    this.#keepsTokens = keepsTokens;
  }

  /** True when something is known of a document: it can be changed once. */
  has(number: number): boolean {
    return this.#touched.has(number);
  }

  get isEmpty(): boolean {
    return this.#touched.size === 0;
  }

  get size(): number {
    return this.#addedTerms.length + this.#removedTerms.length + this.#tokens.length;
  }

  /** A document has the terms of a stream (term-stream.ts); returns how many. */
  add(number: number, stream: Uint8Array, start: number, end: number): number {
    this.#touched.add(number);
    const from = this.#addedTerms.length;
    const tokens = this.#tokens.length;
    let length = 0;
    for (let at = start; at < end; length++) {
      const next = at + 1 + (stream[at] as number);
      const term = this.table.intern(stream, at + 1, next);
      at = next;
      if (this.#keepsTokens) this.#tokens.push(term);
      const latest = term < this.#latest.length ? this.#latest.at(term) - 1 : -1;
      if (latest >= from) this.#frequencies.increment(latest);
      else {
        this.#latest.set(term, this.#addedTerms.length + 1);
        this.#addedTerms.push(term);
        this.#addedNumbers.push(number);
        this.#frequencies.push(1);
      }
    }
    const to = this.#addedTerms.length;
    for (let at = from; at < to; at++) this.#lengths.push(length);
    this.documents.push({ number, from, to, tokens, length });
    return length;
  }

  /** A document has no longer the terms of these numbers. */
  remove(number: number, terms: readonly number[]): void {
    this.#touched.add(number);
    for (const term of terms) {
      this.#removedTerms.push(term);
      this.#removedNumbers.push(number);
    }
  }

  /** The terms of an added document, by their numbers in the table, each once. */
  termsOf({ from, to }: AddedDocument): Uint32Array {
    return this.#addedTerms.view().subarray(from, to);
  }

  /** The terms of an added document in their order; only when they are kept. */
  tokensOf({ tokens, length }: AddedDocument): Uint32Array {
    return this.#tokens.view().subarray(tokens, tokens + length);
  }

  /** All changes, term by term, by rising numbers of terms. `numbers` are those of the table's. */
  *byTerm(numbers: Uint32Array): Generator<TermChange> {
    const removed = this.#removedTerms.view();
    const terms = sortedUnion(numbers, removed);
    const locals = new Int32Array(terms.length).fill(-1);
    const rankOfLocal = numbers.map((number) => rankIn(terms, number));
    rankOfLocal.forEach((rank, local) => {
      locals[rank] = local;
    });
    const starts = new Uint32Array(terms.length + 1);
    const removedRanks = removed.map((term) => rankIn(terms, term));
    const addedRanks = this.#addedTerms.view().map((local) => rankOfLocal[local] as number);
    for (const rank of removedRanks) starts[rank + 1] = (starts[rank + 1] as number) + 1;
    for (const rank of addedRanks) starts[rank + 1] = (starts[rank + 1] as number) + 1;
    for (let rank = 0; rank < terms.length; rank++) {
      starts[rank + 1] = (starts[rank + 1] as number) + (starts[rank] as number);
    }
    const change = this.#grouped(starts, removedRanks, addedRanks);
    for (let rank = 0; rank < terms.length; rank++) {
      const [from, to] = [starts[rank] as number, starts[rank + 1] as number];
      const own = {
        numbers: change.numbers.subarray(from, to),
        frequencies: change.frequencies.subarray(from, to),
        lengths: change.lengths.subarray(from, to),
      };
      const term = terms[rank] as number;
      yield { ...byNumber(own), term, local: locals[rank] as number };
    }
  }

  /** A counting sort: what a document loses stands before what it gains. */
  #grouped(starts: Uint32Array, removed: Uint32Array, added: Uint32Array): ListChange {
    const next = starts.slice();
    const count = removed.length + added.length;
    const numbers = new Uint32Array(count);
    const frequencies = new Uint32Array(count);
    const lengths = new Uint32Array(count);
    for (let index = 0; index < removed.length; index++) {
      const rank = removed[index] as number;
      const at = next[rank] as number;
      next[rank] = at + 1;
      numbers[at] = this.#removedNumbers.at(index);
    }
    for (let index = 0; index < added.length; index++) {
      const rank = added[index] as number;
      const at = next[rank] as number;
      next[rank] = at + 1;
      numbers[at] = this.#addedNumbers.at(index);
      frequencies[at] = this.#frequencies.at(index);
      lengths[at] = this.#lengths.at(index);
    }
    return { numbers, frequencies, lengths };
  }
}

function sortedUnion(a: Uint32Array, b: Uint32Array): Uint32Array {
  const all = new Uint32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  all.sort();
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

/** By rising documents; what one loses and gains keeps its order. */
function byNumber(change: ListChange): ListChange {
  const { numbers, frequencies, lengths } = change;
  if (numbers.every((number, at) => at === 0 || (numbers[at - 1] as number) < number)) {
    return change;
  }
  const order = Array.from(numbers, (_, index) => index);
  order.sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
  return {
    numbers: Uint32Array.from(order, (index) => numbers[index] as number),
    frequencies: Uint32Array.from(order, (index) => frequencies[index] as number),
    lengths: Uint32Array.from(order, (index) => lengths[index] as number),
  };
}
