/**
 * Documents and their full-text index: trees of a keyspace.
 *
 *   tree      key                      record
 *   values    document id              its number and its text (value-codec.ts)
 *   numbers   number                   document id
 *   terms     term                     number of the term
 *   postings  term, 0                  in how many documents it stands, the term; few postings too
 *             term, first document     a block of postings (postings.ts)
 *   forwards  number, part             which terms a document has; where they stand, if stored
 *   pending   number                   1 the text was put, 2 removed, and the index does not know
 *
 * Numbers of documents and of terms are big-endian words from 1; part 0 of a forward list has no
 * word for the part. A document keeps its number for as long as it lives, and the lowest free
 * number goes to the next new one. A forward list names exactly the postings of its document, so
 * that these are found without the text and without the analyzer that it once had.
 *
 * An index that is being rebuilt is a second set of the last four trees. What is written meanwhile
 * to documents that it holds already is pending there.
 */
import { readU32 } from '../bytes/integers.js';
import { textDamaged } from '../bytes/postings.js';
import { VarintReader } from '../bytes/varint.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import { Cursor } from '../tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../tree/node.js';
import type { Tree, TreeRoot } from '../tree-root.js';
import type { KeyspaceRecord } from './catalog.js';
import type { IndexCounters } from './text-state.js';
import { decodeRecord, findRecord } from './values.js';

export const NUMBER_BYTES = 4;
export const POSTING_KEY_BYTES = 8;
export const NUMBER_MAX = 2 ** 32 - 1;
/** Lists of at most so many postings stand with the term. */
export const INLINE_POSTINGS_MAX = 16;
export const TERM_HEADER_BYTES = 5;
export const PENDING_PUT = 1;
export const PENDING_REMOVED = 2;

/** Which of a keyspace's indexes. */
export type WhichIndex = 'current' | 'next';

/** An index of a keyspace: the one that serves, or the one that is being built. */
export interface TextIndex {
  readonly counters: IndexCounters;
  readonly terms: Tree;
  readonly postings: Tree;
  readonly forwards: Tree;
  readonly pending: Tree;
}

export function indexOf(record: KeyspaceRecord, which: WhichIndex): TextIndex {
  const { text } = record;
  if (text === undefined) throw textDamaged('the keyspace has no index');
  if (which === 'current') {
    const { terms, postings, forwards, pending } = record;
    return { counters: text.current, terms, postings, forwards, pending };
  }
  return {
    counters: text.next,
    terms: record.nextTerms,
    postings: record.nextPostings,
    forwards: record.nextForwards,
    pending: record.nextPending,
  };
}

export function writeNumber(bytes: Uint8Array, at: number, number: number): void {
  bytes[at] = number >>> 24;
  bytes[at + 1] = number >>> 16;
  bytes[at + 2] = number >>> 8;
  bytes[at + 3] = number;
}

export function readNumber(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** The key of a number. */
export function numberKey(number: number): Uint8Array {
  const key = new Uint8Array(NUMBER_BYTES);
  writeNumber(key, 0, number);
  return key;
}

/** The key of two numbers: a term and a document, a document and a part of its list. */
export function pairKey(first: number, second: number): Uint8Array {
  const key = new Uint8Array(2 * NUMBER_BYTES);
  writeNumber(key, 0, first);
  writeNumber(key, NUMBER_BYTES, second);
  return key;
}

/** The record of a key in an array of its own; undefined when there is none. */
export function recordOf(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  key: Uint8Array,
): Uint8Array | undefined {
  const start = source.placeKey(key);
  const place = findRecord(source, tree, start, start + key.length);
  if (place === undefined) return undefined;
  return source.memory.u8.slice(place.address, place.address + place.length);
}

/** The id of a document. */
export function documentId(source: PageSource, record: KeyspaceRecord, number: number): Uint8Array {
  const id = recordOf(source, record.numbers, numberKey(number));
  if (id === undefined) throw textDamaged('a document has no id');
  return id;
}

/** The text of a document that there is. */
export function textOf(source: PageSource, record: KeyspaceRecord, id: Uint8Array): string {
  const start = source.placeKey(id);
  const place = findRecord(source, record.values, start, start + id.length);
  if (place === undefined) throw textDamaged('a document has no text');
  const text = decodeRecord(source, place.address, place.length, 'auto');
  if (typeof text !== 'string') throw textDamaged('a document is no text');
  return text;
}

/** The number of a term; 0 when no document has it. */
export function termNumber(source: PageSource, index: TextIndex, term: Uint8Array): number {
  const bytes = recordOf(source, index.terms, term);
  if (bytes === undefined) return 0;
  if (bytes.length !== NUMBER_BYTES) throw textDamaged('a term has no number');
  return readNumber(bytes, 0);
}

/** The record that a term's postings begin with. */
export interface TermHeader {
  /** Documents in which it stands. */
  readonly documents: number;
  readonly term: Uint8Array;
  /** The only block of a short list. */
  readonly block: Uint8Array | undefined;
}

export function decodeTermHeader(bytes: Uint8Array): TermHeader {
  const documents = bytes.length < TERM_HEADER_BYTES ? 0 : readU32(bytes, 0);
  const end = TERM_HEADER_BYTES + (bytes[4] as number);
  const isShort = documents <= INLINE_POSTINGS_MAX;
  if (documents === 0 || end > bytes.length || isShort === (end === bytes.length)) {
    throw textDamaged('a list of postings has no beginning');
  }
  const block = isShort ? bytes.subarray(end) : undefined;
  return { documents, term: bytes.subarray(TERM_HEADER_BYTES, end), block };
}

export function readTermHeader(source: PageSource, index: TextIndex, term: number): TermHeader {
  const bytes = recordOf(source, index.postings, pairKey(term, 0));
  if (bytes === undefined) throw textDamaged('a term has no postings');
  return decodeTermHeader(bytes);
}

/** What a document's forward list says. */
export interface ForwardList {
  /** Terms of the document, each as often as it stands there. */
  readonly length: number;
  /** Numbers of its terms, rising. */
  readonly terms: ArrayLike<number>;
  /** Where each of them stands, rising; only when positions are stored. */
  readonly positions: readonly (readonly number[])[] | undefined;
}

/** Numbers of at most 32 bits, written more often than all others. */
class ForwardWriter {
  #bytes = new Uint8Array(1024);
  #at = 0;

  begin(numbers: number): void {
    this.#at = 0;
    this.reserve(numbers);
  }

  reserve(numbers: number): void {
    const needed = this.#at + numbers * VARINT_BYTES_MAX;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * needed);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  write(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
    this.#at = at;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

const VARINT_BYTES_MAX = 5;
const forwardWriter = new ForwardWriter();

/** The bytes of a forward list; good until the next one is written. */
export function encodeForward({ length, terms, positions }: ForwardList): Uint8Array {
  const writer = forwardWriter;
  writer.begin(1 + terms.length);
  writer.write(length);
  let last = 0;
  for (let index = 0; index < terms.length; index++) {
    const term = terms[index] as number;
    writer.write(term - last);
    last = term;
    if (positions === undefined) continue;
    const places = positions[index] as readonly number[];
    writer.reserve(1 + places.length + terms.length - index);
    writer.write(places.length);
    let before = -1;
    for (const place of places) {
      writer.write(place - before);
      before = place;
    }
  }
  return writer.bytes();
}

/** @throws {MnemeError} `ERR_MNEME_CORRUPT` when no version of MNEME writes such a list. */
export function decodeForward(
  bytes: Uint8Array,
  hasPositions: boolean,
): ForwardList & { readonly terms: number[] } {
  const reader = new VarintReader(bytes);
  const read = () => {
    const value = reader.read();
    if (value < 0) throw textDamaged('a forward list ends too soon');
    return value;
  };
  const length = read();
  const terms: number[] = [];
  const positions: number[][] = [];
  let last = 0;
  while (!reader.atEnd) {
    const gap = read();
    last += gap;
    if (gap === 0 || last > NUMBER_MAX) throw textDamaged('the terms of a document do not rise');
    terms.push(last);
    if (!hasPositions) continue;
    const places: number[] = [];
    let place = -1;
    for (let left = read(); left > 0; left--) {
      const step = read();
      place += step;
      if (step === 0) throw textDamaged('the places of a term do not rise');
      places.push(place);
    }
    positions.push(places);
  }
  return { length, terms, positions: hasPositions ? positions : undefined };
}

/** The key of a part of a forward list. */
export function forwardKey(number: number, part: number): Uint8Array {
  return part === 0 ? numberKey(number) : pairKey(number, part);
}

export function forwardKeyBytes(part: number): number {
  return part === 0 ? NUMBER_BYTES : 2 * NUMBER_BYTES;
}

/** A forward list takes a quarter of a page a part. */
export function forwardPartBytes(nodeBytes: number): number {
  return nodeBytes / 4 - 2 * NUMBER_BYTES;
}

/** The bytes of a document's forward list; undefined when the index does not have it. */
export function readForward(
  source: PageSource,
  index: TextIndex,
  number: number,
): Uint8Array | undefined {
  const first = recordOf(source, index.forwards, numberKey(number));
  if (first === undefined) return undefined;
  const size = forwardPartBytes(source.memory.nodeBytes);
  if (first.length < size) return first;
  const parts = [first];
  for (let part = 1; (parts.at(-1) as Uint8Array).length === size; part++) {
    const next = recordOf(source, index.forwards, forwardKey(number, part));
    if (next === undefined) throw textDamaged('a forward list lacks a part');
    parts.push(next);
  }
  return Buffer.concat(parts);
}

/** An entry of a tree whose keys are numbers. */
export interface NumberedEntry {
  readonly number: number;
  readonly value: Uint8Array;
}

/** At most `count` entries from a number on, of a tree whose keys are numbers. */
export function entriesFrom(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  number: number,
  count: number,
): NumberedEntry[] {
  const { memory } = source;
  const found: NumberedEntry[] = [];
  const cursor = new Cursor(source, { ...tree });
  if (number > NUMBER_MAX || !cursor.seekKey(numberKey(number))) return found;
  const key = new Uint8Array(NUMBER_BYTES);
  let { index } = cursor;
  do {
    const leaf = cursor.leaf();
    for (; index < entryCount(memory, leaf) && found.length < count; index++) {
      if (copyKey(memory, leaf, index, key, 0) !== NUMBER_BYTES) {
        throw textDamaged('a number has another length');
      }
      const at = valueAddress(memory, leaf, index);
      const value = memory.u8.slice(at, at + valueLength(memory, leaf, index));
      found.push({ number: readNumber(key, 0), value });
    }
    index = 0;
  } while (found.length < count && cursor.moveLeaf(1));
  return found;
}
