/**
 * Puts and deletes along a copied path.
 *
 * `locate` walks to the leaf of a key and remembers the way; whoever asked may look at the entry
 * found; then `put` or `remove` makes the way writable, from the root down, and changes the leaf.
 * Every branch on the way counts one entry more or less.
 */
import { assert } from '../../shared/assert.js';
import { NO_PAGE, type PageId } from '../../shared/ids.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount } from '../../shared/pages/page.js';
import {
  cellAddress,
  childPageId,
  findChild,
  findKey,
  readWord,
  valueAddress,
} from '../../shared/tree/node.js';
import { newTree, type Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import { insertEntry, removeEntry, resizeValue, usedBytes } from './node-edit.js';
import { addToCounts, makeLevelWritable, newPath, type Path } from './path.js';
import { Rebalancer } from './rebalance.js';

/** Below this share of a page a node looks for a neighbour to join. */
const THIN_SHARE = 0.35;

export class TreeWriter {
  readonly #pages: DirtyPages;
  readonly #memory: SharedMemory;
  readonly #path: Path = newPath();
  readonly #rebalancer: Rebalancer;
  /** Where the last entry was put: the next one right behind it continues a rising run. */
  #lastPageId: PageId = NO_PAGE;
  #lastIndex = 0;

  constructor(pages: DirtyPages) {
    this.#pages = pages;
    this.#memory = pages.memory;
    this.#rebalancer = new Rebalancer(pages);
  }

  /**
   * Walks to the leaf of a key. Returns the address of its record when the key is there, else 0.
   * The place found stays known until the next `locate`.
   */
  locate(tree: Readonly<Tree>, key: Uint8Array, offset: number, end: number): number {
    const memory = this.#memory;
    const { source } = this.#pages;
    const path = this.#path;
    path.level = tree.level;
    if (tree.level < 0) return 0;
    let { pageId, low, high } = tree as { pageId: PageId; low: number; high: number };
    for (let level = tree.level; ; level--) {
      path.pageIds[level] = pageId;
      path.lows[level] = low;
      path.highs[level] = high;
      const node = source.fetch(pageId, low, high, level);
      path.addresses[level] = node;
      if (level === 0) {
        const found = findKey(memory, node, key, offset, end);
        path.indexes[0] = found;
        return found < 0 ? 0 : valueAddress(memory, node, found);
      }
      const index = findChild(memory, node, key, offset, end);
      path.indexes[level] = index;
      const cell = cellAddress(memory, node, index);
      pageId = childPageId(memory, cell);
      low = readWord(memory, cell + 4);
      high = readWord(memory, cell + 8);
    }
  }

  /** Puts a record at the place that `locate` found for the same key. */
  put(
    tree: Tree,
    key: Uint8Array,
    offset: number,
    end: number,
    value: Uint8Array,
    valueOffset: number,
    valueLength: number,
  ): void {
    const memory = this.#memory;
    if (tree.level < 0) this.#plant(tree);
    const leaf = this.#makeWritable(tree);
    const found = this.#path.indexes[0] as number;
    let target = 0;
    let index = found;
    if (found >= 0) {
      target = resizeValue(memory, leaf, found, valueLength);
      if (target === 0) {
        removeEntry(memory, leaf, found);
        this.#addToCounts(tree, -1);
      }
    } else index = ~found;
    if (target === 0) {
      target = insertEntry(memory, leaf, index, key, offset, end, valueLength);
      if (target === 0) {
        const entry = { key, offset, end, value, valueOffset, valueLength };
        const follows = this.#lastPageId === this.#path.pageIds[0] && this.#lastIndex === index - 1;
        this.#rebalancer.insert(tree, this.#path, index, entry, follows);
        return;
      }
      this.#addToCounts(tree, 1);
    }
    this.#lastPageId = this.#path.pageIds[0] as PageId;
    this.#lastIndex = index;
    copyRecord(memory, target, value, valueOffset, valueLength);
  }

  /** Removes the entry that `locate` found. */
  remove(tree: Tree): void {
    const index = this.#path.indexes[0] as number;
    assert(tree.level >= 0 && index >= 0, 'only a found entry is removed');
    this.removeRun(tree, index, index + 1);
  }

  /** Removes the entries `from` to `to` of the leaf that `locate` found. */
  removeRun(tree: Tree, from: number, to: number): void {
    const memory = this.#memory;
    const leaf = this.#makeWritable(tree);
    for (let index = to - 1; index >= from; index--) removeEntry(memory, leaf, index);
    this.#addToCounts(tree, from - to);
    const isThin = usedBytes(memory, leaf) < memory.pageSize * THIN_SHARE;
    if (entryCount(memory, leaf) === 0 || isThin) this.#rebalancer.join(tree, this.#path);
  }

  /** The address of the leaf that `locate` found. */
  get leafAddress(): number {
    return this.#path.addresses[0] as number;
  }

  /** The index of the entry that `locate` found in it, or the complement of where it would be. */
  get leafIndex(): number {
    return this.#path.indexes[0] as number;
  }

  #plant(tree: Tree): void {
    const page = this.#pages.create(0);
    Object.assign(tree, newTree(), { level: 0, leafPages: 1 });
    tree.pageId = page.pageId;
    tree.low = page.low;
    tree.high = page.high;
    const path = this.#path;
    path.level = 0;
    path.pageIds[0] = page.pageId;
    path.lows[0] = page.low;
    path.highs[0] = page.high;
    path.indexes[0] = ~0;
    path.addresses[0] = page.address;
  }

  /** Makes the whole path writable, root first; returns the leaf's address. */
  #makeWritable(tree: Tree): number {
    const path = this.#path;
    for (let level = path.level; level >= 0; level--) {
      makeLevelWritable(this.#pages, tree, path, level);
    }
    return path.addresses[0] as number;
  }

  #addToCounts(tree: Tree, difference: number): void {
    addToCounts(this.#memory, tree, this.#path, 1, difference);
  }
}

/** Short records by a loop, since a call into the runtime costs more than it moves. */
function copyRecord(
  memory: SharedMemory,
  target: number,
  value: Uint8Array,
  offset: number,
  length: number,
): void {
  if (value === memory.u8) memory.kernels.copyBytes(target, offset, length);
  else memory.u8.set(value.subarray(offset, offset + length), target);
}
