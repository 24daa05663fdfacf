/**
 * Documents and their index: mutations. shared/keyspaces/fulltext.ts draws the trees.
 *
 * What a transaction does to an index is gathered (text-changes.ts) and settled before anybody can
 * see the index: a read of the batch, a savepoint, the commit.
 */
import { readU32, writeU48 } from '../../shared/bytes/integers.js';
import { textDamaged } from '../../shared/bytes/postings.js';
import {
  DEADLINE_BYTES,
  NUMBER_FLAG,
  OVERFLOW_FLAG,
  payloadOffset,
  recordNumber,
  TAG_BYTES_LENGTH,
} from '../../shared/bytes/value-codec.js';
import * as layout from '../../shared/keyspaces/fulltext.js';
import { PENDING_PUT, PENDING_REMOVED } from '../../shared/keyspaces/fulltext.js';
import {
  newCounters,
  type TextSettings,
  type TextState,
} from '../../shared/keyspaces/text-state.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../../shared/pages/overflow-page.js';
import { Cursor } from '../../shared/tree/cursor.js';
import { copyKey } from '../../shared/tree/node.js';
import { newTree, type Tree } from '../../shared/tree-root.js';
import { IndexWriter } from './index-writer.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import { removeRange } from './range-removal.js';
import type { KeyRange } from './values.js';

const NO_BYTES = new Uint8Array(0);
const HEADER_BYTES = TAG_BYTES_LENGTH + DEADLINE_BYTES;

/** A text as it is sent: its tag and payload, or its tag and the extents that hold it already. */
export interface SentText extends KeyRange {
  readonly extents: readonly ExtentPointer[] | undefined;
}

export class TextWriter {
  readonly #engine: KeyspaceHost;
  readonly #memory: SharedMemory;
  readonly #indexes: IndexWriter;
  readonly #record: Uint8Array;
  readonly #number = new Uint8Array(layout.NUMBER_BYTES);

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#memory = engine.memory;
    this.#indexes = new IndexWriter(engine);
    this.#record = new Uint8Array(this.#memory.nodeBytes);
  }

  /** Makes everything gathered visible. */
  settle(): void {
    this.#indexes.settle();
  }

  get pagesToSettle(): number {
    return this.#indexes.pagesToSettle;
  }

  /** Forgets what is gathered: the transaction or its savepoint is undone. */
  forget(): void {
    this.#indexes.forget();
  }

  /** Puts a document: its text, and the terms of a stream. */
  put(keyspace: OpenKeyspace, key: KeyRange, terms: KeyRange, text: SentText): void {
    const state = stateOf(keyspace);
    keyspace.changed = true;
    const known = this.#numberOf(keyspace, key);
    const isNew = known === 0;
    const number = isNew ? this.#newNumber(keyspace) : known;
    const isLocated = isNew ? this.#putNumber(keyspace, number, key) : false;
    if (!isNew) this.#freeText(keyspace, key);
    this.#store(keyspace, key, number, text, isLocated);
    this.#notePending(keyspace, number, PENDING_PUT);
    if (state.paused) return;
    // A new document may have the number of one that the transaction has removed.
    if (!isNew) this.#indexes.remove(keyspace, 'current', number);
    this.#indexes.add(keyspace, 'current', number, terms);
  }

  /** True when there was such a document. */
  delete(keyspace: OpenKeyspace, key: KeyRange): boolean {
    const { source, trees } = this.#engine;
    const { record } = keyspace;
    const number = this.#numberOf(keyspace, key);
    if (number === 0) return false;
    keyspace.changed = true;
    this.#freeText(keyspace, key);
    trees.remove(record.values);
    const { paused } = stateOf(keyspace);
    const index = layout.indexOf(record, 'current');
    const isServed = paused && layout.readForward(source, index, number) !== undefined;
    this.#notePending(keyspace, number, PENDING_REMOVED);
    if (!paused) this.#indexes.remove(keyspace, 'current', number);
    // A number that the index still knows is nobody else's.
    if (isServed) return true;
    if (paused) this.#setMark(record.pending, number, 0);
    this.#setMark(record.numbers, number, 0);
    return true;
  }

  /** From here on documents are stored, and not indexed. */
  pause(keyspace: OpenKeyspace): void {
    this.settle();
    stateOf(keyspace).paused = true;
    keyspace.changed = true;
  }

  /** Begins an index beside the one that serves; what is left of one before goes. */
  beginRebuild(keyspace: OpenKeyspace, { positions }: Pick<TextSettings, 'positions'>): void {
    this.settle();
    const state = stateOf(keyspace);
    const { record } = keyspace;
    const { nextTerms, nextPostings, nextForwards, nextPending } = record;
    for (const tree of [nextTerms, nextPostings, nextForwards, nextPending]) this.#clear(tree);
    state.next = newCounters();
    state.cursor = 0;
    state.building = true;
    state.nextPositions = positions;
    keyspace.changed = true;
  }

  /** Takes a document into the index that is being built. */
  index(keyspace: OpenKeyspace, number: number, terms: KeyRange): void {
    const state = stateOf(keyspace);
    keyspace.changed = true;
    this.#indexes.remove(keyspace, 'next', number);
    this.#indexes.add(keyspace, 'next', number, terms);
    this.#setMark(keyspace.record.nextPending, number, 0);
    state.cursor = Math.max(state.cursor, number);
  }

  /** Takes a document that is gone out of the index that is being built. */
  unindex(keyspace: OpenKeyspace, number: number): void {
    keyspace.changed = true;
    this.#indexes.remove(keyspace, 'next', number);
    this.#setMark(keyspace.record.nextPending, number, 0);
  }

  /** The index that was built takes the other's place, and indexing goes on. */
  endRebuild(keyspace: OpenKeyspace, { analyzerName }: Pick<TextSettings, 'analyzerName'>): void {
    this.settle();
    const state = stateOf(keyspace);
    const { record } = keyspace;
    if (record.nextPending.count > 0) throw new RangeError('the index is not complete');
    for (const { number, value } of this.#marks(record.pending)) {
      if (value[0] === PENDING_REMOVED) this.#setMark(record.numbers, number, 0);
    }
    const { terms, postings, forwards, pending } = record;
    for (const tree of [terms, postings, forwards, pending]) this.#clear(tree);
    record.terms = record.nextTerms;
    record.postings = record.nextPostings;
    record.forwards = record.nextForwards;
    record.pending = record.nextPending;
    record.nextTerms = newTree();
    record.nextPostings = newTree();
    record.nextForwards = newTree();
    record.nextPending = newTree();
    const { next: current, nextPositions: positions } = state;
    const ended = { paused: false, building: false, cursor: 0, nextPositions: false };
    Object.assign(state, ended, { analyzerName, current, positions, next: newCounters() });
    keyspace.changed = true;
  }

  #marks(tree: Tree): layout.NumberedEntry[] {
    return layout.entriesFrom(this.#engine.source, tree, 0, tree.count);
  }

  #clear(tree: Tree): void {
    removeRange(this.#engine, { tree, low: NO_BYTES, high: undefined });
  }

  /** The number of the document with a key, 0 when there is none; its record is located. */
  #numberOf({ record }: OpenKeyspace, key: KeyRange): number {
    const { trees } = this.#engine;
    const address = trees.locate(record.values, key.bytes, key.start, key.end);
    if (address === 0) return 0;
    const number = recordNumber(this.#memory.u8, address);
    if (number === 0) throw textDamaged('a document has no number');
    return number;
  }

  /** The lowest number that no document has. */
  #newNumber(keyspace: OpenKeyspace): number {
    const { numbers } = keyspace.record;
    const state = stateOf(keyspace);
    const isDense = numbers.count >= state.lastNumber;
    const number = isDense ? state.lastNumber + 1 : this.#lowestHole(numbers);
    if (number > layout.NUMBER_MAX) throw new RangeError('there is no number for a document');
    state.lastNumber = Math.max(state.lastNumber, number);
    return number;
  }

  /** True when what was located before still is. */
  #putNumber({ record }: OpenKeyspace, number: number, key: KeyRange): boolean {
    const { trees } = this.#engine;
    const { bytes, start, end } = key;
    layout.writeNumber(this.#number, 0, number);
    const { numbers } = record;
    return trees.append(numbers, this.#number, layout.NUMBER_BYTES, bytes, start, end - start);
  }

  /** Before the first hole the entry of rank r is number r + 1. */
  #lowestHole(numbers: Tree): number {
    let [low, high] = [0, numbers.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#numberAt(numbers, middle) === middle + 1) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }

  #numberAt(numbers: Tree, rank: number): number {
    const { source, memory } = this.#engine;
    const cursor = new Cursor(source, numbers);
    if (!cursor.seekRank(rank)) throw textDamaged('the numbers of documents are incomplete');
    const key = new Uint8Array(1024);
    copyKey(memory, cursor.leaf(), cursor.index, key, 0);
    return layout.readNumber(key, 0);
  }

  #store(
    { record }: OpenKeyspace,
    key: KeyRange,
    number: number,
    text: SentText,
    isLocated: boolean,
  ): void {
    const { trees, overflow } = this.#engine;
    const tag = text.bytes[text.start] as number;
    const size = text.end - text.start - TAG_BYTES_LENGTH;
    // An extent has at least a byte.
    const isInline =
      text.extents === undefined &&
      (size === 0 || key.end - key.start + HEADER_BYTES + size <= this.#memory.nodeBytes / 4);
    const bytes = this.#record;
    writeU48(bytes, TAG_BYTES_LENGTH, number);
    let length = HEADER_BYTES;
    if (isInline) {
      bytes[0] = tag | NUMBER_FLAG;
      bytes.set(text.bytes.subarray(text.start + TAG_BYTES_LENGTH, text.end), length);
      length += size;
    } else {
      const start = text.start + TAG_BYTES_LENGTH;
      const extents = text.extents ?? overflow.writeExtents(text.bytes, start, text.end);
      const total = text.extents === undefined ? size : readU32(text.bytes, start);
      const pointer = overflow.finish(extents, total);
      bytes[0] = tag | NUMBER_FLAG | OVERFLOW_FLAG;
      bytes.set(pointer, length);
      length += pointer.length;
      record.overflowPages += overflow.pagesOf(total);
    }
    if (!isInline || !isLocated) trees.locate(record.values, key.bytes, key.start, key.end);
    trees.put(record.values, bytes, 0, length);
  }

  /** Frees the extents of a document's text; its record is located then. */
  #freeText({ record }: OpenKeyspace, key: KeyRange): void {
    const { trees, overflow } = this.#engine;
    const { u8 } = this.#memory;
    const address = trees.locate(record.values, key.bytes, key.start, key.end);
    if (address === 0 || ((u8[address] as number) & OVERFLOW_FLAG) === 0) return;
    record.overflowPages -= overflow.free(u8, payloadOffset(u8, address));
    trees.locate(record.values, key.bytes, key.start, key.end);
  }

  /** What an index does not get to know now is to be caught up with. */
  #notePending({ record }: OpenKeyspace, number: number, kind: number): void {
    const { text } = record;
    if (text?.paused === true) this.#setMark(record.pending, number, kind);
    if (text?.building === true && number <= text.cursor) {
      this.#setMark(record.nextPending, number, kind);
    }
  }

  /** Puts a byte under a number, or with 0 removes what is there. */
  #setMark(tree: Tree, number: number, mark: number): void {
    const { trees } = this.#engine;
    const key = layout.numberKey(number);
    const isThere = trees.locate(tree, key, 0, key.length) !== 0;
    if (mark !== 0) trees.put(tree, Uint8Array.of(mark), 0, 1);
    else if (isThere) trees.remove(tree);
  }
}

function stateOf({ record }: OpenKeyspace): TextState {
  if (record.text === undefined) throw textDamaged('the keyspace has no index');
  return record.text;
}
