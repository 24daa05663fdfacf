/**
 * The indexes of documents: what is gathered for each, and how it is settled: terms first, which
 * get their numbers, then their postings, then the documents' forward lists.
 */
import { textDamaged } from '../../shared/bytes/postings.js';
import type { TextIndex, WhichIndex } from '../../shared/keyspaces/fulltext.js';
import * as layout from '../../shared/keyspaces/fulltext.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { PostingLists } from './posting-lists.js';
import { type AddedDocument, sortWords, TextChanges } from './text-changes.js';
import type { KeyRange } from './values.js';

/** Gathered postings take some 30 bytes each. */
const GATHERED_MAX = 2 ** 22;

const NO_BYTES = new Uint8Array(0);

interface Gathered {
  readonly keyspace: OpenKeyspace;
  readonly which: WhichIndex;
  readonly changes: TextChanges;
}

export class IndexWriter {
  readonly #engine: KeyspaceHost;
  readonly #lists: PostingLists;
  #gathered: Gathered[] = [];

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#lists = new PostingLists(engine);
  }

  /** Gives a document that is not in the index the terms of a stream. */
  add(keyspace: OpenKeyspace, which: WhichIndex, number: number, terms: KeyRange): void {
    this.#settleIfKnown(keyspace, which, number);
    const { counters } = layout.indexOf(keyspace.record, which);
    const changes = this.#changesOf(keyspace, which);
    const length = changes.add(number, terms.bytes, terms.start, terms.end);
    counters.documents++;
    counters.totalLength += length;
    if (changes.size > GATHERED_MAX) this.settle();
  }

  /** Takes a document out of an index, if it is there. */
  remove(keyspace: OpenKeyspace, which: WhichIndex, number: number): void {
    const { source } = this.#engine;
    this.#settleIfKnown(keyspace, which, number);
    const index = layout.indexOf(keyspace.record, which);
    const bytes = layout.readForward(source, index, number);
    if (bytes === undefined) return;
    const { length, terms } = layout.decodeForward(bytes, hasPositions(keyspace, which));
    this.#changesOf(keyspace, which).remove(number, terms);
    index.counters.documents--;
    index.counters.totalLength -= length;
    this.#dropForward(index, number, bytes.length);
  }

  /** What is gathered of a document stands in no list yet, and it may be changed once. */
  #settleIfKnown(keyspace: OpenKeyspace, which: WhichIndex, number: number): void {
    if (this.#changesOf(keyspace, which).has(number)) this.settle();
  }

  settle(): void {
    const all = this.#gathered;
    this.#gathered = [];
    const { pages } = this.#engine;
    const { source } = pages;
    for (const { keyspace, which, changes } of all) {
      if (changes.isEmpty) continue;
      this.#engine.enter(keyspace);
      const index = layout.indexOf(keyspace.record, which);
      const numbers = this.#resolve(index, changes);
      changes.forEachTerm(numbers, (change, all) => {
        const name = change.local < 0 ? NO_BYTES : changes.table.bytes(change.local);
        this.#lists.apply(index, change, all, name);
        this.#engine.relieveCache();
      });
      const positions = hasPositions(keyspace, which);
      for (const document of changes.documents) {
        this.#putForward(index, document.number, forwardOf(changes, document, numbers, positions));
        this.#engine.relieveCache();
      }
    }
    pages.source = source; // the operation that it is settled for goes on
  }

  forget(): void {
    this.#gathered = [];
  }

  #changesOf(keyspace: OpenKeyspace, which: WhichIndex): TextChanges {
    const known = this.#gathered.find((it) => it.keyspace === keyspace && it.which === which);
    if (known !== undefined) return known.changes;
    const changes = new TextChanges(hasPositions(keyspace, which));
    this.#gathered.push({ keyspace, which, changes });
    return changes;
  }

  /** The numbers of the gathered terms in an index; new ones get theirs in the order of terms. */
  #resolve(index: TextIndex, { table }: TextChanges): Uint32Array {
    const { trees, memory } = this.#engine;
    const numbers = new Uint32Array(table.count);
    const record = new Uint8Array(layout.NUMBER_BYTES);
    for (const local of table.sorted()) {
      const term = table.bytes(local);
      const address = trees.locate(index.terms, term, 0, term.length);
      if (address !== 0) {
        numbers[local] = layout.readNumber(memory.u8, address);
        continue;
      }
      const number = ++index.counters.lastTerm;
      if (number > layout.NUMBER_MAX) throw new RangeError('there is no number for a term');
      layout.writeNumber(record, 0, number);
      trees.put(index.terms, record, 0, record.length);
      numbers[local] = number;
      this.#engine.relieveCache();
    }
    return numbers;
  }

  #putForward({ forwards }: TextIndex, number: number, bytes: Uint8Array): void {
    const { trees, memory } = this.#engine;
    const size = layout.forwardPartBytes(memory.nodeBytes);
    for (let part = 0; part * size <= bytes.length; part++) {
      const from = part * size;
      const key = layout.forwardKey(number, part);
      trees.locate(forwards, key, 0, key.length);
      trees.put(forwards, bytes, from, Math.min(size, bytes.length - from));
    }
  }

  #dropForward({ forwards }: TextIndex, number: number, length: number): void {
    const { trees, memory } = this.#engine;
    const size = layout.forwardPartBytes(memory.nodeBytes);
    for (let part = 0; part * size <= length; part++) {
      const key = layout.forwardKey(number, part);
      if (trees.locate(forwards, key, 0, key.length) === 0) {
        throw textDamaged('a forward list lacks a part');
      }
      trees.remove(forwards);
    }
  }
}

function hasPositions({ record }: OpenKeyspace, which: WhichIndex): boolean {
  const { text } = record;
  return (which === 'current' ? text?.positions : text?.nextPositions) === true;
}

function forwardOf(
  changes: TextChanges,
  document: AddedDocument,
  numbers: Uint32Array,
  hasPlaces: boolean,
): Uint8Array {
  const { length } = document;
  const terms = changes.termsOf(document).map((local) => numbers[local] as number);
  sortWords(terms);
  if (!hasPlaces) return layout.encodeForward({ length, terms, positions: undefined });
  const places = new Map<number, number[]>();
  for (const term of terms) places.set(term, []);
  changes.tokensOf(document).forEach((local, place) => {
    places.get(numbers[local] as number)?.push(place);
  });
  const positions = Array.from(terms, (term) => places.get(term) as number[]);
  return layout.encodeForward({ length, terms, positions });
}
