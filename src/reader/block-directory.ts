/**
 * Where the blocks of a term are, which documents they hold and what bounds them: all that a search
 * has to know of a block to pass it by. To gather that of a frequent term takes longer than most
 * searches, so the directories of the tree that was searched last are kept, up to a bound.
 */
import {
  type BlockPlace,
  bestBound,
  blockFrequency,
  blockLength,
  findInBlock,
  newBlockPlace,
  readBlock,
} from '../shared/bytes/postings.js';
import type { PagePointer } from '../shared/ids.js';
import { pairKey } from '../shared/keyspaces/fulltext.js';
import { entryCount } from '../shared/pages/page.js';
import { PageMismatch } from '../shared/pages/page-file.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { Cursor } from '../shared/tree/cursor.js';
import { findKey, valueAddress, valueLength } from '../shared/tree/node.js';
import type { TreeRoot } from '../shared/tree-root.js';

/** Blocks of all directories that are kept; each takes about 40 bytes. */
const KEPT_BLOCKS_MAX = 2 ** 17;

/** How often a term stands in a document, and how long that is. */
export interface Posting {
  readonly frequency: number;
  readonly length: number;
}

/** A leaf with blocks of the term. */
interface Leaf extends PagePointer {
  /** Its first block's number, and its entry in the leaf. */
  readonly block: number;
  readonly entry: number;
}

export class BlockDirectory {
  readonly #leaves: Leaf[] = [];
  readonly #leafOf: number[] = [];
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  /** Of each block where its bounds begin in the next two; one more at the end. */
  readonly #boundsFrom: number[] = [0];
  readonly #frequencies: number[] = [];
  readonly #lengths: number[] = [];

  constructor(source: PageSource, postings: Readonly<TreeRoot>, term: number) {
    const { memory } = source;
    const cursor = new Cursor(source, { ...postings });
    if (!cursor.seekKey(pairKey(term, 1))) throw noBlocks(postings);
    const end = pairKey(term + 1, 0);
    let { index } = cursor;
    do {
      const leaf = cursor.leaf();
      const key = source.placeKey(end);
      const found = findKey(memory, leaf, key, key + end.length);
      const to = found >= 0 ? found : ~found;
      if (to > index) this.#add(source, cursor.pointer(), leaf, index, to);
      if (to < entryCount(memory, leaf)) break;
      index = 0;
    } while (cursor.moveLeaf(1));
    if (this.count === 0) throw noBlocks(postings);
  }

  #add(source: PageSource, pointer: PagePointer, leaf: number, from: number, to: number): void {
    this.#leaves.push({ ...pointer, block: this.count, entry: from });
    const keep = (frequency: number, length: number) => {
      this.#frequencies.push(frequency);
      this.#lengths.push(length);
      return 0;
    };
    const { u8 } = source.memory;
    for (let entry = from; entry < to; entry++) {
      const place = blockAt(source, leaf, entry);
      this.#leafOf.push(this.#leaves.length - 1);
      this.#firsts.push(place.first);
      this.#lasts.push(place.last);
      bestBound(u8, place, keep);
      this.#boundsFrom.push(this.#frequencies.length);
    }
  }

  get count(): number {
    return this.#firsts.length;
  }

  /** The first document of a block; Infinity behind the last block. */
  first(block: number): number {
    return block < this.count ? (this.#firsts[block] as number) : Infinity;
  }

  /** The last document of a block; Infinity behind the last block. */
  last(block: number): number {
    return block < this.count ? (this.#lasts[block] as number) : Infinity;
  }

  /** No posting of a block scores more. */
  bound(block: number, score: (frequency: number, length: number) => number): number {
    let best = 0;
    const end = this.#boundsFrom[block + 1] as number;
    for (let at = this.#boundsFrom[block] as number; at < end; at++) {
      best = Math.max(best, score(this.#frequencies[at] as number, this.#lengths[at] as number));
    }
    return best;
  }

  /**
   * Calls a kernel for the blocks `from` to `to`, leaf by leaf. @throws {PageMismatch}
   */
  run(
    source: PageSource,
    from: number,
    to: number,
    kernel: (leaf: number, from: number, to: number) => boolean | 0 | 1,
  ): void {
    for (let block = from; block < to; ) {
      const which = this.#leafOf[block] as number;
      const place = this.#leaves[which] as Leaf;
      const end = Math.min(this.#leaves[which + 1]?.block ?? this.count, to);
      const leaf = source.fetchPointer(place, 0);
      const shift = place.entry - place.block;
      if (!kernel(leaf, shift + block, shift + end)) throw notBlocks(place);
      block = end;
    }
  }

  /** The posting of a document. */
  find(source: PageSource, number: number): Posting | undefined {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    if (this.first(low) > number) return undefined;
    const leaf = this.#leaves[this.#leafOf[low] as number] as Leaf;
    const address = source.fetchPointer(leaf, 0);
    const place = blockAt(source, address, leaf.entry + low - leaf.block);
    const { u8 } = source.memory;
    const index = findInBlock(u8, place, number);
    if (index < 0) return undefined;
    return { frequency: blockFrequency(u8, place, index), length: blockLength(u8, place, index) };
  }
}

const blockPlace: BlockPlace = newBlockPlace();

function blockAt(source: PageSource, leaf: number, index: number): BlockPlace {
  const { memory } = source;
  const at = valueAddress(memory, leaf, index);
  return readBlock(memory.u8, at, at + valueLength(memory, leaf, index), blockPlace);
}

function noBlocks({ pageId }: PagePointer): PageMismatch {
  return new PageMismatch(pageId, 'a list has no blocks');
}

function notBlocks({ pageId }: PagePointer): PageMismatch {
  return new PageMismatch(pageId, 'an entry is no block');
}

/** The directories of one tree. */
interface Kept {
  readonly root: PagePointer;
  readonly directories: Map<number, BlockDirectory>;
  blocks: number;
}

/** By who reads. */
const keptBy = new WeakMap<PageSource, Kept>();

/** The directory of a term's blocks. */
export function directoryOf(
  source: PageSource,
  postings: Readonly<TreeRoot>,
  term: number,
): BlockDirectory {
  const { pageId, low, high } = postings;
  // What an open transaction has changes under the same pointer.
  if (high < 0) return new BlockDirectory(source, postings, term);
  let kept = keptBy.get(source);
  const root = kept?.root;
  if (kept === undefined || root?.pageId !== pageId || root.low !== low || root.high !== high) {
    kept = { root: { pageId, low, high }, directories: new Map(), blocks: 0 };
    keptBy.set(source, kept);
  }
  const known = kept.directories.get(term);
  if (known !== undefined) return known;
  const directory = new BlockDirectory(source, postings, term);
  if (kept.blocks + directory.count > KEPT_BLOCKS_MAX) {
    kept.directories.clear();
    kept.blocks = 0;
  }
  kept.directories.set(term, directory);
  kept.blocks += directory.count;
  return directory;
}
