/**
 * Ways through a tree: to the leaf of a key or of a rank, and from leaf to leaf.
 *
 * A cursor remembers pointers, not addresses: every step fetches again, which is a look-up in the
 * cache, and so a walk of any length keeps no frame from being evicted.
 */
import type { PageId, PagePointer } from '../ids.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import type { TreeRoot } from '../tree-root.js';
import { cellAddress, childCount, childPageId, countBefore, readWord } from './node.js';
import { stepIndex, stepPointer, walkToLeaf } from './walk.js';

/** How many entries are smaller than a key, wherever that lies. */
export function rankOf(source: PageSource, tree: Readonly<TreeRoot>, key: Uint8Array): number {
  const start = source.placeKey(key);
  const { memory, walk } = source;
  if (walkToLeaf(source, walk, tree, start, start + key.length) === 0) return 0;
  const found = stepIndex(memory, walk, 0);
  let rank = found >= 0 ? found : ~found;
  for (let level = tree.level; level > 0; level--) {
    const node = source.fetchPointer(stepPointer(memory, walk, level), level);
    rank += countBefore(memory, node, stepIndex(memory, walk, level));
  }
  return rank;
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

  /** Where the current leaf is: fetched again, it is the same. */
  pointer(): PagePointer {
    const [pageId, low, high] = [this.#pages[0], this.#lows[0], this.#highs[0]];
    return { pageId: pageId as PageId, low: low as number, high: high as number };
  }

  /** Goes to the first entry whose key is >= the given one. False in an empty tree. */
  seekKey(key: Uint8Array): boolean {
    const { memory, walk } = this.#source;
    const start = this.#source.placeKey(key);
    const end = start + key.length;
    if (walkToLeaf(this.#source, walk, this.#tree, start, end) === 0) return false;
    for (let level = this.#tree.level; level >= 0; level--) {
      const { pageId, low, high } = stepPointer(memory, walk, level);
      const index = stepIndex(memory, walk, level);
      this.#pages[level] = pageId;
      this.#lows[level] = low;
      this.#highs[level] = high;
      this.#indexes[level] = index >= 0 ? index : ~index;
    }
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
