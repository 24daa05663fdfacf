/**
 * The last leaf of a tree whose keys come in rising order: entries go behind its last one without a
 * walk from the root.
 *
 * An edge remembers the way to that leaf. It is good for as long as the pointer to the root is what
 * it was, and nobody else has changed the tree. Whatever makes pages final, a savepoint, an
 * iterator or a cache that is too full, gives the root a checksum in place of its stamp; and
 * whoever changes the tree in another way has the edge forgotten.
 */
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount } from '../../shared/pages/page.js';
import { findKey } from '../../shared/tree/node.js';
import { copyWalk } from '../../shared/tree/walk.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import { insertEntry } from './node-edit.js';
import { Path } from './path.js';

export class RightEdge {
  readonly #memory: SharedMemory;
  readonly #path: Path;
  /** The tree whose edge it is. */
  tree: Tree | undefined;

  /** @param walk - Where it remembers the way. */
  constructor(pages: DirtyPages, walk: number) {
    this.#memory = pages.memory;
    this.#path = new Path(pages, walk);
  }

  forget(): void {
    this.tree = undefined;
  }

  /** Takes over the writable way that leads to the place behind a tree's last entry. */
  follow(tree: Tree, path: Path): void {
    copyWalk(this.#memory, path.walk, this.#path.walk, path.level);
    this.#path.level = path.level;
    this.tree = tree;
  }

  /**
   * Appends a key, the memory's `[key, end)`, to the tree whose edge it is; returns the address of
   * its record, 0 when the leaf is full, the key no new last one, or the way no longer good.
   */
  append(tree: Tree, key: number, end: number, valueLength: number): number {
    const memory = this.#memory;
    const path = this.#path;
    if (!this.#isGood(tree)) return 0;
    const leaf = path.address(0);
    const count = entryCount(memory, leaf);
    if (findKey(memory, leaf, key, end) !== ~count) return 0;
    const target = insertEntry(memory, leaf, count, key, end, valueLength);
    if (target !== 0) path.addToCounts(tree, 1, 1);
    return target;
  }

  #isGood(tree: Tree): boolean {
    if (this.tree !== tree || tree.level !== this.#path.level) return false;
    const { pageId, low, high } = this.#path.pointer(tree.level);
    return tree.pageId === pageId && tree.low === low && tree.high === high;
  }
}
