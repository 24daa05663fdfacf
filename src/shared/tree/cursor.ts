/**
 * Ways through a tree: to the leaf of a key or of a rank, and from leaf to leaf.
 *
 * A cursor remembers pointers, not addresses: every step fetches again, which is a look-up in the
 * cache, and so a walk of any length keeps no frame from being evicted.
 */
import type { PageId } from '../ids.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import type { TreeRoot } from '../tree-root.js';
import {
  cellAddress,
  childCount,
  childPageId,
  childPointer,
  countBefore,
  findChild,
  findKey,
  readWord,
} from './node.js';

/** The address of the leaf that would hold a key; -1 in an empty tree. */
export function findLeaf(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  key: Uint8Array,
  offset: number,
  end: number,
): number {
  if (tree.level < 0) return -1;
  const { memory } = source;
  let node = source.fetch(tree.pageId, tree.low, tree.high, tree.level);
  for (let level = tree.level - 1; level >= 0; level--) {
    const index = findChild(memory, node, key, offset, end);
    const cell = cellAddress(memory, node, index);
    const low = readWord(memory, cell + 4);
    const high = readWord(memory, cell + 8);
    node = source.fetch(childPageId(memory, cell), low, high, level);
  }
  return node;
}

/** How many entries are smaller than a key. */
export function rankOf(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  key: Uint8Array,
  offset: number,
  end: number,
): number {
  if (tree.level < 0) return 0;
  const { memory } = source;
  let rank = 0;
  let node = source.fetchPointer(tree, tree.level);
  for (let level = tree.level - 1; level >= 0; level--) {
    const index = findChild(memory, node, key, offset, end);
    rank += countBefore(memory, node, index);
    node = source.fetchPointer(childPointer(memory, node, index), level);
  }
  const found = findKey(memory, node, key, offset, end);
  return rank + (found >= 0 ? found : ~found);
}

/** A place in one tree: a path of pointers and, in the leaf, an entry index. */
export class Cursor {
  readonly #source: PageSource;
  readonly #tree: Readonly<TreeRoot>;
  /** By level, leaf first. */
  readonly #pages: PageId[] = [];
  readonly #lows: number[] = [];
  readonly #highs: number[] = [];
  readonly #indexes: number[] = [];

  constructor(source: PageSource, tree: Readonly<TreeRoot>) {
    this.#source = source;
    this.#tree = tree;
  }

  /** The entry's index within the leaf; may be one past its end after a seek. */
  get index(): number {
    return this.#indexes[0] as number;
  }

  /** Fetches the current leaf and returns its address. */
  leaf(): number {
    return this.#fetchLevel(0);
  }

  /** Goes to the first entry whose key is >= the given one. False in an empty tree. */
  seekKey(key: Uint8Array, offset: number, end: number): boolean {
    const { memory } = this.#source;
    if (!this.#start()) return false;
    for (let level = this.#tree.level; level > 0; level--) {
      const node = this.#fetchLevel(level);
      this.#enterChild(node, level, findChild(memory, node, key, offset, end));
    }
    const found = findKey(memory, this.#fetchLevel(0), key, offset, end);
    this.#indexes[0] = found >= 0 ? found : ~found;
    return true;
  }

  /** Goes to the entry with `rank` smaller ones. False when there are not so many. */
  seekRank(rank: number): boolean {
    if (rank < 0 || rank >= this.#tree.count || !this.#start()) return false;
    const { memory } = this.#source;
    let left = rank;
    for (let level = this.#tree.level; level > 0; level--) {
      const node = this.#fetchLevel(level);
      const last = entryCount(memory, node) - 1;
      let index = 0;
      for (; index < last; index++) {
        const count = childCount(memory, node, index);
        if (left < count) break;
        left -= count;
      }
      this.#enterChild(node, level, index);
    }
    this.#indexes[0] = left;
    return left < entryCount(memory, this.#fetchLevel(0));
  }

  /**
   * Goes to the next (`step` 1) or previous (-1) leaf; its first or last entry. False at the end.
   */
  moveLeaf(step: 1 | -1): boolean {
    const { memory } = this.#source;
    for (let level = 1; level <= this.#tree.level; level++) {
      const node = this.#fetchLevel(level);
      const next = (this.#indexes[level] as number) + step;
      if (next < 0 || next >= entryCount(memory, node)) continue;
      this.#enterChild(node, level, next);
      for (let below = level - 1; below > 0; below--) {
        const child = this.#fetchLevel(below);
        this.#enterChild(child, below, step > 0 ? 0 : entryCount(memory, child) - 1);
      }
      this.#indexes[0] = step > 0 ? 0 : entryCount(memory, this.#fetchLevel(0)) - 1;
      return true;
    }
    return false;
  }

  #start(): boolean {
    const { level, pageId, low, high } = this.#tree;
    if (level < 0) return false;
    this.#pages[level] = pageId;
    this.#lows[level] = low;
    this.#highs[level] = high;
    return true;
  }

  #fetchLevel(level: number): number {
    const page = this.#pages[level] as PageId;
    const low = this.#lows[level] as number;
    return this.#source.fetch(page, low, this.#highs[level] as number, level);
  }

  #enterChild(node: number, level: number, index: number): void {
    const { memory } = this.#source;
    const cell = cellAddress(memory, node, index);
    this.#indexes[level] = index;
    this.#pages[level - 1] = childPageId(memory, cell);
    this.#lows[level - 1] = readWord(memory, cell + 4);
    this.#highs[level - 1] = readWord(memory, cell + 8);
  }
}
