/**
 * Proves that the trees of a keyspace's documents say the same: both ways between ids and numbers,
 * dictionary and lists, lists and forward lists, lengths and counters.
 */
import { compareBytes } from '../bytes/compare.js';
import {
  appendBlock,
  BLOCK_POSTINGS_MAX,
  bestBound,
  newBlockPlace,
  PostingList,
  readBlock,
} from '../bytes/postings.js';
import { recordNumber } from '../bytes/value-codec.js';
import type { PageSource } from '../pages/page-source.js';
import { type Entry, forEachEntry } from '../tree/entries.js';
import { termScore } from './bm25.js';
import type { KeyspaceRecord } from './catalog.js';
import {
  decodeForward,
  decodeTermHeader,
  indexOf,
  NUMBER_BYTES,
  PENDING_REMOVED,
  POSTING_KEY_BYTES,
  readNumber,
  type TextIndex,
} from './fulltext.js';
import type { TextState } from './text-state.js';

/** What bounds are tried with: they hold for any. */
const TRIALS = [
  { documents: 1, averageLength: 7, k1: 1.2, b: 0.75 },
  { documents: 1, averageLength: 1000, k1: 100, b: 1 },
];

type AddProblem = (message: string) => void;

/** Tells of the first contradiction of each kind. Throws when a tree cannot be read. */
export function checkTexts(
  source: PageSource,
  record: KeyspaceRecord,
  addProblem: AddProblem,
): void {
  const { text } = record;
  if (text === undefined) {
    if (record.numbers.count + record.terms.count > 0) addProblem('documents are not expected');
    return;
  }
  const documents = checkNumbers(source, record, text, addProblem);
  const current = new IndexCheck(source, indexOf(record, 'current'), text.positions);
  const indexed = current.run(addProblem);
  if (!text.paused) {
    const isSame =
      indexed.size === documents.size && [...indexed].every((number) => documents.has(number));
    if (!isSame || record.pending.count > 0) addProblem('the index lacks a document, or has more');
  }
  if (text.building) {
    new IndexCheck(source, indexOf(record, 'next'), text.nextPositions).run(addProblem);
  }
}

/** Returns the numbers of all documents. */
function checkNumbers(
  source: PageSource,
  record: KeyspaceRecord,
  text: TextState,
  addProblem: AddProblem,
): Set<number> {
  const removed = new Set<number>();
  forEachEntry(source, record.pending, ({ key, value }) => {
    if (value[0] === PENDING_REMOVED) removed.add(readNumber(key, 0));
  });
  const ids = new Map<number, Uint8Array>();
  forEachEntry(source, record.numbers, ({ key, value }) => ids.set(readNumber(key, 0), value));
  const documents = new Set<number>();
  let agree = true;
  forEachEntry(source, record.values, ({ key, value }) => {
    const number = recordNumber(value, 0);
    const id = ids.get(number);
    agree &&= id !== undefined && compareBytes(id, key) === 0 && number <= text.lastNumber;
    documents.add(number);
  });
  agree &&= documents.size + removed.size === ids.size;
  agree &&= [...removed].every((number) => ids.has(number) && !documents.has(number));
  if (!agree) addProblem('ids and numbers of documents differ');
  return documents;
}

/** Postings without their order: as many, and the same sums of what they are mixed to. */
class PostingSum {
  count = 0;
  #low = 0;
  #high = 0;

  add(term: number, document: number, length: number): void {
    this.count++;
    const mixed = Math.imul(mix(term) ^ document, 0x85ebca6b) + length;
    this.#low = (this.#low + mix(mixed)) | 0;
    this.#high = (this.#high + mix(mixed ^ mix(document + 0x9e3779b9))) | 0;
  }

  equals(other: PostingSum): boolean {
    return this.count === other.count && this.#low === other.#low && this.#high === other.#high;
  }
}

/** The finalizer of MurmurHash3, https://github.com/aappleby/smhasher */
function mix(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

class IndexCheck {
  readonly #source: PageSource;
  readonly #index: TextIndex;
  readonly #hasPositions: boolean;
  readonly #place = newBlockPlace();
  readonly #postings = new PostingSum();
  /** By document: how many terms its postings are for. */
  readonly #lengths = new Map<number, number>();
  /** By number: the name, documents that are said and documents found, the last of them. */
  readonly #terms = new Map<
    number,
    { name: Uint8Array; said: number; found: number; last: number }
  >();
  #isInOrder = true;

  constructor(source: PageSource, index: TextIndex, hasPositions: boolean) {
    this.#source = source;
    this.#index = index;
    this.#hasPositions = hasPositions;
  }

  /** Returns the numbers of the documents that the index has. */
  run(addProblem: AddProblem): Set<number> {
    const { postings, counters } = this.#index;
    forEachEntry(this.#source, postings, (entry) => this.#takeList(entry));
    if (!this.#isInOrder) addProblem('a list of postings is not as it is written');
    if (!this.#dictionaryAgrees()) addProblem('the dictionary and the lists of postings differ');
    const forwards = new PostingSum();
    const documents = new Set<number>();
    let total = 0;
    let agree = true;
    this.#forEachForward((number, bytes) => {
      const { length, terms, positions } = decodeForward(bytes, this.#hasPositions);
      documents.add(number);
      total += length;
      for (const term of terms) forwards.add(term, number, length);
      agree &&= (this.#lengths.get(number) ?? 0) === length;
      const places = positions?.reduce((sum, of) => sum + of.length, 0) ?? length;
      agree &&= places === length;
    });
    if (!agree || !forwards.equals(this.#postings)) {
      addProblem('postings and forward lists differ');
    }
    const isCounted = counters.documents === documents.size && counters.totalLength === total;
    if (!isCounted) addProblem('the counters of an index are wrong');
    return documents;
  }

  /** A list's beginning, or one of its blocks. */
  #takeList({ key, value }: Entry): void {
    if (key.length !== POSTING_KEY_BYTES) {
      this.#isInOrder = false;
      return;
    }
    const [term, first] = [readNumber(key, 0), readNumber(key, NUMBER_BYTES)];
    if (first > 0) {
      this.#takeBlock(term, value, first);
      return;
    }
    const { documents, term: name, block } = decodeTermHeader(value);
    this.#terms.set(term, { name, said: documents, found: 0, last: 0 });
    if (block !== undefined) this.#takeBlock(term, block);
  }

  #takeBlock(term: number, bytes: Uint8Array, first?: number): void {
    const list = new PostingList();
    const place = readBlock(bytes, 0, bytes.length, this.#place);
    appendBlock(bytes, place, list);
    const header = this.#terms.get(term);
    this.#isInOrder &&= header !== undefined && list.count <= BLOCK_POSTINGS_MAX;
    this.#isInOrder &&= first === undefined || list.numbers[0] === first;
    for (let at = 0; at < list.count; at++) {
      const number = list.numbers[at] as number;
      const frequency = list.frequencies[at] as number;
      const length = list.lengths[at] as number;
      this.#isInOrder &&= frequency > 0 && number > (header?.last ?? 0);
      this.#isInOrder &&= TRIALS.every((bm25) => {
        const score = (f: number, l: number) => termScore(bm25, 1, f, l);
        return bestBound(bytes, place, score) >= score(frequency, length);
      });
      if (header !== undefined) header.last = number;
      this.#postings.add(term, number, length);
      this.#lengths.set(number, (this.#lengths.get(number) ?? 0) + frequency);
    }
    if (header !== undefined) header.found += list.count;
  }

  /** Every term leads to a list that has its name, and there are as many of both. */
  #dictionaryAgrees(): boolean {
    const { terms, counters } = this.#index;
    let agree = terms.count === this.#terms.size;
    forEachEntry(this.#source, terms, ({ key, value }) => {
      const number = value.length === NUMBER_BYTES ? readNumber(value, 0) : 0;
      const list = this.#terms.get(number);
      agree &&= list !== undefined && compareBytes(list.name, key) === 0;
      agree &&= number <= counters.lastTerm && list?.said === list?.found;
      agree &&= list === undefined || list.said > 0;
    });
    return agree;
  }

  /** Shows the forward lists, whole. */
  #forEachForward(visit: (number: number, bytes: Uint8Array) => void): void {
    let number = 0;
    let parts: Uint8Array[] = [];
    const show = () => {
      if (parts.length > 0) visit(number, Buffer.concat(parts));
    };
    forEachEntry(this.#source, this.#index.forwards, ({ key, value }) => {
      if (readNumber(key, 0) !== number) {
        show();
        parts = [];
      }
      number = readNumber(key, 0);
      parts.push(value);
    });
    show();
  }
}
