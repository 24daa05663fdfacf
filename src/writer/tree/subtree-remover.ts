/**
 * Takes whole subtrees out of a tree: what lies between the ways to two keys, without reading a
 * leaf of it.
 *
 * On the way to the lower bound all children to the right that end below the upper bound go, on
 * the way to the upper bound all children to the left that begin above the lower one. What is left
 * of the range then lies in the leaves of the two ways.
 */
import { compareBytes } from '../../shared/bytes/compare.js';
import type { PagePointer } from '../../shared/ids.js';
import { TREE_KEY_BYTES_MAX } from '../../shared/limits.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount } from '../../shared/pages/page.js';
import { cellAddress, childCount, childPointer, copyKey } from '../../shared/tree/node.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import { removeEntry, writeChild, writeChildCount } from './node-edit.js';
import type { Path } from './path.js';

export class SubtreeRemover {
  readonly #pages: DirtyPages;
  readonly #memory: SharedMemory;

  constructor(pages: DirtyPages) {
    this.#pages = pages;
    this.#memory = pages.memory;
  }

  /** Along the way to the lower bound: children to the right that end below `high`. */
  removeRight(tree: Tree, path: Path, high: Uint8Array | undefined): void {
    /** Where the node of the way ends; undefined: where the tree does. */
    let end: Uint8Array | undefined;
    for (let level = path.level; level > 0; level--) {
      const node = path.address(level);
      const count = entryCount(this.#memory, node);
      const from = path.index(level) + 1;
      let to = count;
      while (to > from && !isAtMost(to < count ? this.#key(node, to) : end, high)) to--;
      if (from < count) end = this.#key(node, from).slice();
      if (to > from) this.#removeChildren(tree, path, level, from, to);
    }
  }

  /** Along the way to the upper bound: children to the left that begin at or above `low`. */
  removeLeft(tree: Tree, path: Path, low: Uint8Array): void {
    for (let level = path.level; level > 0; level--) {
      const node = path.address(level);
      const to = path.index(level);
      let from = to;
      while (from > 0 && compareBytes(this.#key(node, from - 1), low) >= 0) from--;
      if (from < to) this.#removeChildren(tree, path, level, from, to);
    }
  }

  #key(node: number, index: number): Uint8Array {
    const length = copyKey(this.#memory, node, index, keyScratch, 0);
    return keyScratch.subarray(0, length);
  }

  /** Frees the children `from` to `to`; the child of the way is not among them. */
  #removeChildren(tree: Tree, path: Path, level: number, from: number, to: number): void {
    const memory = this.#memory;
    const node = path.address(level);
    let sum = 0;
    for (let index = from; index < to; index++) {
      sum += childCount(memory, node, index);
      this.#freeSubtree(tree, childPointer(memory, node, index), level - 1);
    }
    let first = from;
    let last = to;
    if (from === 0) {
      // The first entry's key is the lower bound of all below the node, so it stays.
      const { pageId, low, high } = childPointer(memory, node, to);
      const cell = cellAddress(memory, node, 0);
      writeChildCount(memory, cell, childCount(memory, node, to));
      writeChild(memory, cell, pageId, low, high);
      first = 1;
      last = to + 1;
    }
    for (let index = last - 1; index >= first; index--) removeEntry(memory, node, index);
    if (path.index(level) >= last) path.setIndex(level, path.index(level) - (last - first));
    else if (from === 0) path.setIndex(level, 0);
    path.addToCounts(tree, level + 1, -sum);
  }

  #freeSubtree(tree: Tree, root: PagePointer, level: number): void {
    const { source } = this.#pages;
    if (level === 0) {
      // Born at any time: to know it would mean to read the leaf.
      this.#pages.freePages(root, 1, 0);
      tree.leafPages--;
      return;
    }
    const node = source.fetchPointer(root, level);
    const count = entryCount(this.#memory, node);
    const children = Array.from({ length: count }, (_, index) =>
      childPointer(this.#memory, node, index),
    );
    for (const child of children) this.#freeSubtree(tree, child, level - 1);
    this.#pages.freePages(root, 1, 0);
    tree.branchPages--;
  }
}

const keyScratch = new Uint8Array(TREE_KEY_BYTES_MAX);

/** True when a bound lies at or below `high`; undefined is above everything. */
function isAtMost(bound: Uint8Array | undefined, high: Uint8Array | undefined): boolean {
  return high === undefined || (bound !== undefined && compareBytes(bound, high) <= 0);
}
