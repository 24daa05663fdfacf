/**
 * The indexes of documents: new terms get their numbers and documents their forward lists at once;
 * postings are gathered by term, and settled when somebody has to see them.
 */
import { textDamaged } from '../../shared/bytes/postings.js';
import type { TextIndex, WhichIndex } from '../../shared/keyspaces/fulltext.js';
import * as layout from '../../shared/keyspaces/fulltext.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { PostingLists } from './posting-lists.js';
import { TextChanges } from './text-changes.js';
import type { KeyRange } from './values.js';

/** Gathered postings take some 30 bytes each. */
const GATHERED_MAX = 2 ** 22;

/** What a posting adds to a tree of postings, with the room that splits leave. */
const GROWTH_BYTES_PER_POSTING = 256;
const GROWTH_PAGES_MIN = 4;

const NO_BYTES = new Uint8Array(0);

interface Gathered {
  readonly keyspace: OpenKeyspace;
  readonly which: WhichIndex;
  readonly changes: TextChanges;
}

export class IndexWriter {
  readonly #engine: KeyspaceHost;
  readonly #lists: PostingLists;
  readonly #key = new Uint8Array(2 * layout.NUMBER_BYTES);
  readonly #record = new Uint8Array(layout.NUMBER_BYTES);
  #gathered: Gathered[] = [];

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#lists = new PostingLists(engine);
  }

  /** Gives a document that is not in the index the terms of a stream. */
  add(keyspace: OpenKeyspace, which: WhichIndex, number: number, terms: KeyRange): void {
    this.#settleIfKnown(keyspace, which, number);
    const index = layout.indexOf(keyspace.record, which);
    const changes = this.#changesOf(keyspace, which);
    const document = changes.add(number, terms.bytes, terms.start, terms.end);
    this.#numberTerms(index, changes);
    this.#putForward(index, number, changes.forwardOf(document));
    index.counters.documents++;
    index.counters.totalLength += document.length;
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
      changes.forEachTerm((change, all) => {
        const name = change.local < 0 ? NO_BYTES : changes.table.bytes(change.local);
        this.#lists.apply(index, change, all, name);
        this.#engine.relieveCache();
      });
    }
    pages.source = source;
  }

  /** About how many pages more the transaction has when everything is settled; rather too many. */
  get pagesToSettle(): number {
    const { nodeBytes } = this.#engine.memory;
    let pages = 0;
    for (const { keyspace, which, changes } of this.#gathered) {
      if (changes.isEmpty) continue;
      const { leafPages, branchPages } = layout.indexOf(keyspace.record, which).postings;
      // A leaf may have to be copied and split for the beginning of a list and for a block of it.
      const touched = Math.min(3 * changes.listCount, 2 * leafPages);
      pages += touched + branchPages + GROWTH_PAGES_MIN;
      pages += Math.ceil((changes.size * GROWTH_BYTES_PER_POSTING) / nodeBytes);
    }
    return pages;
  }

  forget(): void {
    this.#gathered = [];
  }

  #changesOf(keyspace: OpenKeyspace, which: WhichIndex): TextChanges {
    const known = this.#gathered.find((it) => it.keyspace === keyspace && it.which === which);
    if (known !== undefined) return known.changes;
    const { lastTerm } = layout.indexOf(keyspace.record, which).counters;
    const changes = new TextChanges(hasPositions(keyspace, which), lastTerm);
    this.#gathered.push({ keyspace, which, changes });
    return changes;
  }

  /** The numbers of the last gathered terms in an index; new ones get the next that is free. */
  #numberTerms(index: TextIndex, { table, numbers }: TextChanges): void {
    const { trees, memory } = this.#engine;
    for (let local = numbers.count; local < table.count; local++) {
      const term = table.bytes(local);
      const address = trees.locate(index.terms, term, 0, term.length);
      if (address !== 0) {
        numbers.push(layout.readNumber(memory.u8, address));
        continue;
      }
      const number = ++index.counters.lastTerm;
      if (number > layout.NUMBER_MAX) throw new RangeError('there is no number for a term');
      layout.writeNumber(this.#record, 0, number);
      trees.put(index.terms, this.#record, 0, layout.NUMBER_BYTES);
      numbers.push(number);
      this.#engine.relieveCache();
    }
  }

  #putForward({ forwards }: TextIndex, number: number, bytes: Uint8Array): void {
    const { trees, memory } = this.#engine;
    const size = layout.forwardPartBytes(memory.nodeBytes);
    for (let part = 0; part * size <= bytes.length; part++) {
      const from = part * size;
      layout.writeNumber(this.#key, 0, number);
      layout.writeNumber(this.#key, layout.NUMBER_BYTES, part);
      const length = Math.min(size, bytes.length - from);
      trees.append(forwards, this.#key, layout.forwardKeyBytes(part), bytes, from, length);
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
