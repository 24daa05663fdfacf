/**
 * A text query on one state: from its parts to the clauses of a search, and to the documents found.
 */

import { prefixEnd } from '../shared/bytes/compare.js';
import {
  appendBlock,
  newBlockPlace,
  PostingList,
  readBlock,
  textDamaged,
} from '../shared/bytes/postings.js';
import type { Bm25 } from '../shared/keyspaces/bm25.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import {
  decodeForward,
  documentId,
  entriesFrom,
  INLINE_POSTINGS_MAX,
  indexOf,
  PENDING_REMOVED,
  pairKey,
  readForward,
  readNumber,
  readTermHeader,
  type TextIndex,
  termNumber,
} from '../shared/keyspaces/fulltext.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { rankOf } from '../shared/tree/cursor.js';
import { valueAddress, valueLength } from '../shared/tree/node.js';
import { RankWalk } from '../shared/tree/rank-walk.js';
import { ArrayClause, ListClause, type TextClause } from './text-clauses.js';
import { bestOf, type FoundDocument, searchText } from './text-search.js';

/** A term, terms that follow each other, or what terms begin with; all as UTF-8. */
export type QueryPart =
  | { readonly kind: 'term'; readonly terms: readonly [Uint8Array] }
  | { readonly kind: 'phrase'; readonly terms: readonly Uint8Array[] }
  | { readonly kind: 'prefix'; readonly terms: readonly [Uint8Array] };

/** What is asked of an index; crosses threads. */
export interface TextRequest {
  /** In the order of the query. */
  readonly parts: readonly QueryPart[];
  readonly topK: number;
  readonly k1: number;
  readonly b: number;
  /** Only documents that all parts find. */
  readonly all: boolean;
}

/** The best documents of a request. */
export function runTextQuery(
  source: PageSource,
  record: KeyspaceRecord,
  request: TextRequest,
): FoundDocument[] {
  return bestIn(source, record, request, clausesOf(source, record, request));
}

/** What a query looks for, in the index that serves. */
interface PreparedQuery {
  readonly bm25: Bm25;
  readonly clauses: readonly TextClause[];
  /** Of each part of the query, in its order, which clause is for it; -1 for what is nowhere. */
  readonly places: readonly number[];
}

function clausesOf(
  source: PageSource,
  record: KeyspaceRecord,
  { parts, k1, b }: TextRequest,
): PreparedQuery {
  const index = indexOf(record, 'current');
  const { documents, totalLength } = index.counters;
  const bm25: Bm25 = { documents, averageLength: totalLength / documents, k1, b };
  return { bm25, ...new ClauseBuilder(source, record, index, bm25).build(parts) };
}

function bestIn(
  source: PageSource,
  record: KeyspaceRecord,
  { parts, topK, all }: TextRequest,
  { clauses, places }: PreparedQuery,
): FoundDocument[] {
  const order = places.filter((place) => place >= 0);
  if (all && order.length < parts.length) return [];
  const removed = removedDocuments(source, record);
  const wanted = topK + (topK === 0 ? 0 : removed.size);
  const hits = searchText(source, { clauses, order, topK: wanted, all });
  const alive = removed.size === 0 ? hits : hits.filter(({ number }) => !removed.has(number));
  return bestOf(alive, topK, (number) => documentId(source, record, number));
}

/** What a part of the query, as often as it stands there, adds to the score of a document. */
export interface PartScore {
  readonly frequency: number;
  readonly score: number;
}

/** How a search comes to its scores. */
export interface TextExplanation {
  /** In the index, and their average length in terms. */
  readonly documents: number;
  readonly averageLength: number;
  /** Of each part of the query, in its order; none for what no document has. */
  readonly parts: readonly ({ readonly documents: number; readonly idf: number } | undefined)[];
  readonly hits: readonly (FoundDocument & {
    readonly length: number;
    /** As `parts`; their sum in this order is the score. */
    readonly parts: readonly (PartScore | undefined)[];
  })[];
}

/** The same search, with what each part of the query adds to the score of each document. */
export function explainTextQuery(
  source: PageSource,
  record: KeyspaceRecord,
  request: TextRequest,
): TextExplanation {
  const prepared = clausesOf(source, record, request);
  const { bm25, clauses, places } = prepared;
  const found = bestIn(source, record, request, prepared);
  const hits = found.map((document) => {
    const postings = clauses.map((clause) => clause.find(document.number));
    const parts = places.map((place): PartScore | undefined => {
      const posting = postings[place];
      if (posting === undefined) return undefined;
      return {
        frequency: posting.frequency,
        score: (clauses[place] as TextClause).scoreOf(posting),
      };
    });
    const { length = 0 } = postings.find((posting) => posting !== undefined) ?? {};
    return { ...document, length, parts };
  });
  const { documents, averageLength } = bm25;
  const parts = places.map((place) => {
    const clause = clauses[place];
    return clause === undefined ? undefined : { documents: clause.documents, idf: clause.idf };
  });
  return { documents, averageLength, parts, hits };
}

const NOBODY: ReadonlySet<number> = new Set();

/** Documents that are gone, which an index that is paused still has. */
function removedDocuments(source: PageSource, { pending }: KeyspaceRecord): ReadonlySet<number> {
  if (pending.count === 0) return NOBODY;
  const entries = entriesFrom(source, pending, 0, pending.count);
  const removed = entries.filter(({ value }) => value[0] === PENDING_REMOVED);
  return new Set(removed.map(({ number }) => number));
}

class ClauseBuilder {
  readonly #source: PageSource;
  readonly #record: KeyspaceRecord;
  readonly #index: TextIndex;
  readonly #bm25: Bm25;
  readonly #place = newBlockPlace();

  constructor(source: PageSource, record: KeyspaceRecord, index: TextIndex, bm25: Bm25) {
    this.#source = source;
    this.#record = record;
    this.#index = index;
    this.#bm25 = bm25;
  }

  /** Clauses for what is found of the parts, each once, and where each part's is; -1 for none. */
  build(parts: readonly QueryPart[]): { clauses: TextClause[]; places: number[] } {
    const names = parts.map(nameOf);
    const times = new Map<string, number>();
    for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
    const clauses: TextClause[] = [];
    const known = new Map<string, number>();
    const places = parts.map((part, at) => {
      const name = names[at] as string;
      let place = known.get(name);
      if (place === undefined) {
        const clause = this.#clause(part, times.get(name) as number);
        place = clause === undefined ? -1 : clauses.push(clause) - 1;
        known.set(name, place);
      }
      return place;
    });
    return { clauses, places };
  }

  #clause(part: QueryPart, times: number): TextClause | undefined {
    if (part.kind === 'term') return this.#termClause(part.terms[0], times);
    const list = part.kind === 'phrase' ? this.#phrase(part.terms) : this.#prefix(part.terms[0]);
    return list.count === 0 ? undefined : new ArrayClause(this.#bm25, list, times);
  }

  #termClause(term: Uint8Array, times: number): TextClause | undefined {
    const number = termNumber(this.#source, this.#index, term);
    if (number === 0) return undefined;
    const { documents, block } = readTermHeader(this.#source, this.#index, number);
    if (block !== undefined) {
      return new ArrayClause(
        this.#bm25,
        this.#decode(block, new PostingList(INLINE_POSTINGS_MAX)),
        times,
      );
    }
    const { postings } = this.#index;
    return new ListClause(this.#source, postings, this.#bm25, { number, documents }, times);
  }

  #decode(bytes: Uint8Array, list: PostingList): PostingList {
    appendBlock(bytes, readBlock(bytes, 0, bytes.length, this.#place), list);
    return list;
  }

  /** All postings of a term. */
  #postingsOf(number: number): PostingList {
    const { block } = readTermHeader(this.#source, this.#index, number);
    const list = new PostingList();
    if (block !== undefined) return this.#decode(block, list);
    const { postings } = this.#index;
    const { memory } = this.#source;
    const from = rankOf(this.#source, postings, pairKey(number, 1));
    const to = rankOf(this.#source, postings, pairKey(number + 1, 0));
    const walk = new RankWalk(this.#source, postings, from, to, false);
    while (!walk.isAtEnd) {
      const { leaf, index, count } = walk.nextLeaf();
      for (let entry = index; entry < index + count; entry++) {
        const at = valueAddress(memory, leaf, entry);
        const end = at + valueLength(memory, leaf, entry);
        appendBlock(memory.u8, readBlock(memory.u8, at, end, this.#place), list);
      }
    }
    return list;
  }

  /** The documents in which terms follow each other, and how often they do. */
  #phrase(terms: readonly Uint8Array[]): PostingList {
    const found = new PostingList();
    const numbers = terms.map((term) => termNumber(this.#source, this.#index, term));
    if (numbers.includes(0)) return found;
    const lists = [...new Set(numbers)].map((number) => this.#postingsOf(number));
    lists.sort((a, b) => a.count - b.count);
    const [rarest, ...others] = lists as [PostingList, ...PostingList[]];
    const places = others.map(() => 0);
    for (let at = 0; at < rarest.count; at++) {
      const document = rarest.numbers[at] as number;
      const isInAll = others.every((list, which) => {
        let place = places[which] as number;
        while (place < list.count && (list.numbers[place] as number) < document) place++;
        places[which] = place;
        return place < list.count && list.numbers[place] === document;
      });
      if (!isInAll) continue;
      const matches = this.#matches(document, numbers);
      if (matches > 0) found.add(document, matches, rarest.lengths[at] as number);
    }
    return found;
  }

  /** How often terms follow each other in a document. */
  #matches(document: number, numbers: readonly number[]): number {
    const bytes = readForward(this.#source, this.#index, document);
    if (bytes === undefined) throw textDamaged('a document has no forward list');
    const { terms, positions = [] } = decodeForward(bytes, this.#record.text?.positions === true);
    const placesOf = numbers.map((number) => positions[terms.indexOf(number)] ?? []);
    const [first = [], ...others] = placesOf;
    const sets = others.map((places) => new Set(places));
    return first.filter((place) => sets.every((set, at) => set.has(place + at + 1))).length;
  }

  /** The documents with any term of a prefix, and how many of these there are together. */
  #prefix(prefix: Uint8Array): PostingList {
    const frequencies = new Map<number, number>();
    const lengths = new Map<number, number>();
    for (const number of this.#termsWith(prefix)) {
      const list = this.#postingsOf(number);
      for (let at = 0; at < list.count; at++) {
        const document = list.numbers[at] as number;
        const before = frequencies.get(document) ?? 0;
        frequencies.set(document, before + (list.frequencies[at] as number));
        lengths.set(document, list.lengths[at] as number);
      }
    }
    const found = new PostingList(Math.max(1, frequencies.size));
    for (const document of Uint32Array.from(frequencies.keys()).sort()) {
      const length = lengths.get(document) as number;
      found.add(document, frequencies.get(document) as number, length);
    }
    return found;
  }

  #termsWith(prefix: Uint8Array): number[] {
    const { terms } = this.#index;
    const { memory } = this.#source;
    const end = prefixEnd(prefix);
    const from = rankOf(this.#source, terms, prefix);
    const to = end === undefined ? terms.count : rankOf(this.#source, terms, end);
    const numbers: number[] = [];
    const walk = new RankWalk(this.#source, terms, from, to, false);
    while (!walk.isAtEnd) {
      const { leaf, index, count } = walk.nextLeaf();
      for (let entry = index; entry < index + count; entry++) {
        numbers.push(readNumber(memory.u8, valueAddress(memory, leaf, entry)));
      }
    }
    return numbers;
  }
}

/** What makes two parts of a query the same. */
function nameOf({ kind, terms }: QueryPart): string {
  return JSON.stringify([kind, ...terms.map((term) => Buffer.from(term).toString('latin1'))]);
}
