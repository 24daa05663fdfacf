/**
 * Lists of postings: mutations. shared/keyspaces/fulltext.ts draws the tree, bytes/postings.ts the
 * blocks.
 *
 * A short list stands with its term; a longer one in blocks, each under its first document. Blocks
 * fill up as documents come in rising order; one that has become thin takes in the next.
 */
import { writeU32 } from '../../shared/bytes/integers.js';
import {
  appendBlock,
  BLOCK_BYTES_MAX,
  BLOCK_POSTINGS_MAX,
  encodeBlock,
  newBlockPlace,
  PostingList,
  readBlock,
  textDamaged,
} from '../../shared/bytes/postings.js';
import {
  decodeTermHeader,
  INLINE_POSTINGS_MAX,
  NUMBER_BYTES,
  POSTING_KEY_BYTES,
  readNumber,
  TERM_HEADER_BYTES,
  type TextIndex,
  writeNumber,
} from '../../shared/keyspaces/fulltext.js';
import { TERM_BYTES_MAX } from '../../shared/limits.js';
import { entryCount } from '../../shared/pages/page.js';
import { Cursor } from '../../shared/tree/cursor.js';
import { copyKey, valueAddress, valueLength } from '../../shared/tree/node.js';
import type { Tree } from '../../shared/tree-root.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { ListChanges, TermChange } from './text-changes.js';

/** A block of fewer postings takes in the next one. */
const THIN_POSTINGS = 32;

/** A block of a list. */
interface Block {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** An entry of the tree. */
interface Place {
  readonly cursor: Cursor;
  readonly index: number;
}

export class PostingLists {
  readonly #engine: KeyspaceHost;
  readonly #header = new Uint8Array(TERM_HEADER_BYTES + TERM_BYTES_MAX + BLOCK_BYTES_MAX);
  readonly #block = new Uint8Array(BLOCK_BYTES_MAX);
  readonly #place = newBlockPlace();
  readonly #key = new Uint8Array(POSTING_KEY_BYTES);
  readonly #sought = new Uint8Array(POSTING_KEY_BYTES);
  readonly #old = new PostingList();
  readonly #merged = new PostingList();

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
  }

  /** The key of a list's beginning or of a block; good until the next. */
  #keyOf(term: number, first: number): Uint8Array {
    writeNumber(this.#sought, 0, term);
    writeNumber(this.#sought, NUMBER_BYTES, first);
    return this.#sought;
  }

  /** @param name - The bytes of the term, which a new list begins with. */
  apply(index: TextIndex, change: TermChange, all: ListChanges, name: Uint8Array): void {
    const { trees, memory } = this.#engine;
    const { postings } = index;
    const { term, isNew, from, to } = change;
    const key = this.#keyOf(term, 0);
    const address = isNew ? 0 : trees.locate(postings, key, 0, POSTING_KEY_BYTES);
    if (address === 0) {
      this.#old.count = 0;
      this.#write(index, term, name, this.#merge(this.#old, all, from, to));
      return;
    }
    const length = valueLength(memory, trees.leafAddress, trees.leafIndex);
    const header = decodeTermHeader(memory.u8.slice(address, address + length));
    if (header.block !== undefined) {
      this.#old.count = 0;
      const list = this.#decode(header.block, this.#old);
      this.#write(index, term, header.term, this.#merge(list, all, from, to));
      return;
    }
    const documents = header.documents + this.#applyToBlocks(postings, change, all);
    if (documents > INLINE_POSTINGS_MAX) this.#putHeader(postings, term, header.term, documents);
    else this.#write(index, term, header.term, this.#takeBlocks(postings, term));
  }

  /** Writes a list that has no blocks. */
  #write(index: TextIndex, term: number, name: Uint8Array, list: PostingList): void {
    const { trees } = this.#engine;
    const { postings, terms } = index;
    if (list.count === 0) {
      trees.locate(postings, this.#keyOf(term, 0), 0, POSTING_KEY_BYTES);
      trees.remove(postings);
      if (trees.locate(terms, name, 0, name.length) === 0) throw textDamaged('a term is missing');
      trees.remove(terms);
      return;
    }
    this.#putHeader(postings, term, name, list.count, list);
    if (list.count > INLINE_POSTINGS_MAX) this.#putBlocks(postings, term, list, true);
  }

  #putHeader(
    postings: Tree,
    term: number,
    name: Uint8Array,
    documents: number,
    list?: PostingList,
  ): void {
    const header = this.#header;
    writeU32(header, 0, documents);
    header[4] = name.length;
    header.set(name, TERM_HEADER_BYTES);
    let end = TERM_HEADER_BYTES + name.length;
    if (list !== undefined && documents <= INLINE_POSTINGS_MAX) {
      end = encodeBlock(list, 0, documents, header, end);
    }
    this.#put(postings, this.#keyOf(term, 0), header, end);
  }

  #put(postings: Tree, key: Uint8Array, bytes: Uint8Array, length: number): void {
    const { trees } = this.#engine;
    trees.append(postings, key, key.length, bytes, 0, length);
  }

  #remove(postings: Tree, term: number, first: number): void {
    const { trees } = this.#engine;
    if (trees.locate(postings, this.#keyOf(term, first), 0, POSTING_KEY_BYTES) === 0) {
      throw textDamaged('a block of postings is not where it belongs');
    }
    trees.remove(postings);
  }

  /**
   * Writes a list as blocks: full ones when more will come behind it, else even ones; smaller where
   * a giant makes every number wide, since a block has to fit a quarter of a page.
   */
  #putBlocks(postings: Tree, term: number, list: PostingList, grows: boolean): void {
    const bytesMax = this.#engine.memory.nodeBytes / 4 - POSTING_KEY_BYTES;
    const blocks = Math.ceil(list.count / BLOCK_POSTINGS_MAX);
    const size = grows ? BLOCK_POSTINGS_MAX : Math.ceil(list.count / blocks);
    for (let from = 0; from < list.count; ) {
      let to = Math.min(from + size, list.count);
      let end = encodeBlock(list, from, to, this.#block, 0);
      while (end > bytesMax) {
        to = from + Math.ceil((to - from) / 2);
        end = encodeBlock(list, from, to, this.#block, 0);
      }
      this.#put(postings, this.#keyOf(term, list.numbers[from] as number), this.#block, end);
      this.#engine.relieveCache();
      from = to;
    }
  }

  /** Returns how many more documents the list has then. */
  #applyToBlocks(postings: Tree, { term, from, to }: TermChange, all: ListChanges): number {
    const { numbers } = all;
    let more = 0;
    for (let at = from; at < to; ) {
      const { block, next } = this.#blockOf(postings, term, numbers[at] as number);
      let end = at + 1;
      while (end < to && (numbers[end] as number) < next) end++;
      this.#old.count = 0;
      const old = this.#decode(block.bytes, this.#old);
      const list = this.#merge(old, all, at, end);
      more += list.count - old.count;
      const last = old.numbers[old.count - 1] as number;
      const grows = next === Infinity && (numbers[at] as number) > last;
      this.#replaceBlock(postings, term, block, list, grows);
      const isThin = list.count > 0 && list.count < Math.min(THIN_POSTINGS, old.count);
      if (isThin && next < Infinity) this.#joinNext(postings, term, list, next);
      at = end;
    }
    return more;
  }

  #replaceBlock(
    postings: Tree,
    term: number,
    block: Block,
    list: PostingList,
    grows: boolean,
  ): void {
    const keepsKey = list.count > 0 && list.numbers[0] === block.first;
    if (!keepsKey) this.#remove(postings, term, block.first);
    this.#putBlocks(postings, term, list, grows);
  }

  /** A thin block and the next become one, or two that are not thin. */
  #joinNext(postings: Tree, term: number, list: PostingList, next: number): void {
    const { block } = this.#blockOf(postings, term, next);
    this.#remove(postings, term, block.first);
    this.#remove(postings, term, list.numbers[0] as number);
    this.#putBlocks(postings, term, this.#decode(block.bytes, list), false);
  }

  #decode(bytes: Uint8Array, list: PostingList): PostingList {
    appendBlock(bytes, readBlock(bytes, 0, bytes.length, this.#place), list);
    return list;
  }

  /** Takes all postings out of the blocks of a list. */
  #takeBlocks(postings: Tree, term: number): PostingList {
    const list = new PostingList();
    for (;;) {
      const place = this.#seek(postings, this.#keyOf(term, 1));
      const block = this.#blockAt(place, term);
      if (block === undefined) return list;
      this.#decode(block.bytes, list);
      this.#remove(postings, term, block.first);
    }
  }

  /** The block that a document belongs to, and where the one behind it begins. */
  #blockOf(postings: Tree, term: number, number: number): { block: Block; next: number } {
    const cursor = new Cursor(this.#engine.source, postings);
    if (!cursor.seekKey(this.#keyOf(term, number))) throw textDamaged('a list has no blocks');
    const { index } = cursor;
    // In front of the first block stands the list's beginning.
    const before = index > 0 ? this.#blockAt({ cursor, index: index - 1 }, term) : undefined;
    const place = this.#onwards({ cursor, index: index - 1 });
    const from = this.#blockAt(place, term);
    if (from?.first !== number) {
      const earlier =
        before ?? (index > 0 ? undefined : this.#lastOfLeafBefore(postings, term, number));
      if (earlier !== undefined) return { block: earlier, next: from?.first ?? Infinity };
    }
    if (from === undefined) throw textDamaged('a list has no blocks');
    return { block: from, next: this.#blockAt(this.#onwards(place), term)?.first ?? Infinity };
  }

  #lastOfLeafBefore(postings: Tree, term: number, number: number): Block | undefined {
    const cursor = new Cursor(this.#engine.source, postings);
    cursor.seekKey(this.#keyOf(term, number));
    if (!cursor.moveLeaf(-1)) return undefined;
    return this.#blockAt({ cursor, index: cursor.index }, term);
  }

  /** The first entry from a key on. */
  #seek(postings: Tree, key: Uint8Array): Place | undefined {
    const cursor = new Cursor(this.#engine.source, postings);
    if (!cursor.seekKey(key)) return undefined;
    return this.#onwards({ cursor, index: cursor.index - 1 });
  }

  /** The entry behind another. */
  #onwards(place: Place | undefined): Place | undefined {
    if (place === undefined) return undefined;
    const { cursor, index } = place;
    const count = entryCount(this.#engine.memory, cursor.leaf());
    if (index + 1 < count) return { cursor, index: index + 1 };
    return cursor.moveLeaf(1) ? { cursor, index: 0 } : undefined;
  }

  /** What stands at a place, when it is a block of the term. */
  #blockAt(place: Place | undefined, term: number): Block | undefined {
    if (place === undefined) return undefined;
    const { memory } = this.#engine;
    const { cursor, index } = place;
    const leaf = cursor.leaf();
    const length = copyKey(memory, leaf, index, this.#key, 0);
    if (length !== POSTING_KEY_BYTES) throw textDamaged('a key of postings has another length');
    const first = readNumber(this.#key, 4);
    if (readNumber(this.#key, 0) !== term || first === 0) return undefined;
    const at = valueAddress(memory, leaf, index);
    return { first, bytes: memory.u8.slice(at, at + valueLength(memory, leaf, index)) };
  }

  /**
   * A list with the changes `from` to `to`; good until the next.
   * @throws {MnemeError} `ERR_MNEME_CORRUPT`
   */
  #merge(old: PostingList, changes: ListChanges, from: number, to: number): PostingList {
    const { numbers, frequencies, lengths } = changes;
    const list = this.#merged;
    list.count = 0;
    let index = 0;
    for (let at = from; at < to; at++) {
      const number = numbers[at] as number;
      index = copyBelow(old, index, number, list);
      const isThere = index < old.count && old.numbers[index] === number;
      const isRemoved = frequencies[at] === 0;
      if (isRemoved !== isThere) throw textDamaged('postings and forward lists differ');
      if (isRemoved) index++;
      else list.add(number, frequencies[at] as number, lengths[at] as number);
    }
    copyBelow(old, index, Infinity, list);
    return list;
  }
}

/** Appends postings of documents below a limit, from one on; returns the first that is not. */
function copyBelow(from: PostingList, start: number, limit: number, to: PostingList): number {
  let index = start;
  for (; index < from.count && (from.numbers[index] as number) < limit; index++) {
    const frequency = from.frequencies[index] as number;
    to.add(from.numbers[index] as number, frequency, from.lengths[index] as number);
  }
  return index;
}
