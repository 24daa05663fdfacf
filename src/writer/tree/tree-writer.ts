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
import { findKey, usedBytes, valueAddress } from '../../shared/tree/node.js';
import { walkToLeaf } from '../../shared/tree/walk.js';
import { newTree, type Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import { insertEntry, removeEntry, resizeValue } from './node-edit.js';
import { Path } from './path.js';
import { isRightmost, Rebalancer, THIN_SHARE } from './rebalance.js';
import { RightEdge } from './right-edge.js';
import { SubtreeRemover } from './subtree-remover.js';
import { CHILD_KEY, EDGE_KEY, EDGE_WALKS, KEY, RECORD, WALK } from './workspace.js';

/** To copy fewer byte by byte is faster than to make a view of them. */
const SHORT_BYTES = 64;

export class TreeWriter {
  readonly #pages: DirtyPages;
  readonly #memory: SharedMemory;
  readonly #path: Path;
  readonly #rebalancer: Rebalancer;
  readonly #subtrees: SubtreeRemover;
  /** Of the trees that were appended to last. */
  readonly #edges: readonly RightEdge[];
  #nextEdge = 0;
  /** Where the key lies that was located. */
  #key = 0;
  #end = 0;
  /** Where the last entry was put: the next one right behind it continues a rising run. */
  #lastPageId: PageId = NO_PAGE;
  #lastIndex = 0;

  constructor(pages: DirtyPages) {
    this.#pages = pages;
    this.#memory = pages.memory;
    this.#path = new Path(pages, WALK);
    this.#rebalancer = new Rebalancer(pages);
    this.#subtrees = new SubtreeRemover(pages);
    this.#edges = EDGE_WALKS.map((walk) => new RightEdge(pages, walk));
  }

  /**
   * Walks to the leaf of a key. Returns the address of its record when the key is there, else 0.
   * Key and place stay known until the next `locate`.
   */
  locate(tree: Readonly<Tree>, key: Uint8Array, offset: number, end: number): number {
    const memory = this.#memory;
    const path = this.#path;
    this.#key = place(memory, key, offset, end, KEY);
    this.#end = this.#key + end - offset;
    path.level = tree.level;
    const leaf = walkToLeaf(this.#pages.source, path.walk, tree, this.#key, this.#end);
    const found = leaf === 0 ? -1 : path.index(0);
    return found < 0 ? 0 : valueAddress(memory, leaf, found);
  }

  /** Puts a record under the key that `locate` looked for; true when its leaf had room. */
  put(tree: Tree, value: Uint8Array, valueOffset: number, valueLength: number): boolean {
    const memory = this.#memory;
    const path = this.#path;
    if (tree.level < 0) this.#plant(tree);
    this.#forgetEdge(tree);
    const record = place(memory, value, valueOffset, valueOffset + valueLength, RECORD);
    const leaf = path.makeWritable(tree);
    const found = path.index(0);
    let target = 0;
    let index = found;
    if (found >= 0) {
      target = resizeValue(memory, leaf, found, valueLength);
      if (target === 0) {
        removeEntry(memory, leaf, found);
        path.addToCounts(tree, 1, -1);
      }
    } else index = ~found;
    const { pageId } = path.pointer(0);
    if (target === 0) {
      target = insertEntry(memory, leaf, index, this.#key, this.#end, valueLength);
      if (target === 0) {
        const entry = { key: this.#key, end: this.#end, value: record, valueLength };
        const follows = this.#lastPageId === pageId && this.#lastIndex === index - 1;
        this.#rebalancer.insert(tree, path, index, entry, follows);
        return false;
      }
      path.addToCounts(tree, 1, 1);
    }
    this.#lastPageId = pageId;
    this.#lastIndex = index;
    memory.kernels.copyBytes(target, record, valueLength);
    return true;
  }

  /**
   * Puts a short key and its record, in fewer steps where the key is above all others. True when
   * the key located before still is.
   */
  append(
    tree: Tree,
    key: Uint8Array,
    keyLength: number,
    value: Uint8Array,
    offset: number,
    valueLength: number,
  ): boolean {
    const edge = this.#edges.find((it) => it.tree === tree);
    if (edge !== undefined) {
      const start = place(this.#memory, key, 0, keyLength, EDGE_KEY);
      const target = edge.append(tree, start, start + keyLength, valueLength);
      if (target !== 0) {
        this.#copyRecord(value, offset, valueLength, target);
        return true;
      }
    }
    this.locate(tree, key, 0, keyLength);
    if (this.put(tree, value, offset, valueLength)) this.#followEdge(tree);
    return false;
  }

  /** The way that was gone last leads to the place behind a tree's last entry, or not. */
  #followEdge(tree: Tree): void {
    const path = this.#path;
    if (this.#lastIndex !== entryCount(this.#memory, path.address(0)) - 1) return;
    if (!isRightmost(this.#memory, path, 0)) return;
    const edges = this.#edges;
    const edge = edges.find((it) => it.tree === undefined) ?? edges[this.#nextEdge];
    this.#nextEdge = (this.#nextEdge + 1) % edges.length;
    edge?.follow(tree, path);
  }

  /** A tree is changed where its edge may not be any more. */
  #forgetEdge(tree: Tree): void {
    for (const edge of this.#edges) if (edge.tree === tree) edge.forget();
  }

  /** Makes the way that `locate` went one of the open transaction's; returns the leaf's address. */
  makeWritable(tree: Tree): number {
    this.#forgetEdge(tree);
    return this.#path.makeWritable(tree);
  }

  /** Writes over a part of the record that `locate` found. */
  patch(tree: Tree, offset: number, bytes: Uint8Array): void {
    const leaf = this.makeWritable(tree);
    const record = valueAddress(this.#memory, leaf, this.#path.index(0));
    this.#memory.u8.set(bytes, record + offset);
  }

  /** Removes the entry that `locate` found. */
  remove(tree: Tree): void {
    const index = this.#path.index(0);
    assert(tree.level >= 0 && index >= 0, 'only a found entry is removed');
    this.removeRun(tree, index, index + 1);
  }

  /** Removes the entries `from` to `to` of the leaf that `locate` found. */
  removeRun(tree: Tree, from: number, to: number): void {
    const memory = this.#memory;
    const leaf = this.makeWritable(tree);
    for (let index = to - 1; index >= from; index--) removeEntry(memory, leaf, index);
    this.#path.addToCounts(tree, 1, from - to);
    const isThin = usedBytes(memory, leaf) < memory.nodeBytes * THIN_SHARE;
    if (entryCount(memory, leaf) === 0 || isThin) this.#rebalancer.join(tree, this.#path);
  }

  /**
   * Removes the whole subtrees between two keys; what is left of the range then lies in the leaves
   * of the two. An undefined bound is open.
   */
  removeSubtrees(tree: Tree, low: Uint8Array, high: Uint8Array | undefined): void {
    if (tree.level < 1) return;
    this.#forgetEdge(tree);
    const path = this.#path;
    this.locate(tree, low, 0, low.length);
    path.makeWritable(tree);
    this.#subtrees.removeRight(tree, path, high);
    if (high !== undefined) {
      this.locate(tree, high, 0, high.length);
      path.makeWritable(tree);
      this.#subtrees.removeLeft(tree, path, low);
      this.#joinAlong(tree, high);
    }
    this.#joinAlong(tree, low);
  }

  /** Joins the thin nodes on the way to a key that have a neighbour to join. */
  #joinAlong(tree: Tree, key: Uint8Array): void {
    const path = this.#path;
    for (let level = 0; ; ) {
      this.locate(tree, key, 0, key.length);
      if (level > path.level) return;
      path.makeWritable(tree);
      const before = tree.leafPages + tree.branchPages;
      if (this.#canJoin(level)) this.#rebalancer.join(tree, path, level);
      // Two thin nodes whose keys have much in common each may not fit into one.
      if (tree.leafPages + tree.branchPages === before) level++;
    }
  }

  /** True for a thin node that has a neighbour, and for a root that has nothing to part. */
  #canJoin(level: number): boolean {
    const memory = this.#memory;
    const path = this.#path;
    const count = entryCount(memory, path.address(level));
    if (level === path.level) return count === 0 || (count === 1 && level > 0);
    const isThin = usedBytes(memory, path.address(level)) < memory.nodeBytes * THIN_SHARE;
    return isThin && entryCount(memory, path.address(level + 1)) > 1;
  }

  /** The address of the leaf that `locate` found. */
  get leafAddress(): number {
    return this.#path.address(0);
  }

  /** The index of the entry that `locate` found in it, or the complement of where it would be. */
  get leafIndex(): number {
    return this.#path.index(0);
  }

  /** Entries of that leaf whose keys are smaller than another key. */
  countInLeafBelow(key: Uint8Array): number {
    const start = place(this.#memory, key, 0, key.length, CHILD_KEY);
    const found = findKey(this.#memory, this.leafAddress, start, start + key.length);
    return found >= 0 ? found : ~found;
  }

  #copyRecord(value: Uint8Array, offset: number, length: number, target: number): void {
    const { u8, kernels } = this.#memory;
    if (value === u8) kernels.copyBytes(target, offset, length);
    else place(this.#memory, value, offset, offset + length, target);
  }

  #plant(tree: Tree): void {
    const page = this.#pages.create(0);
    Object.assign(tree, newTree(), { level: 0, leafPages: 1 });
    tree.pageId = page.pageId;
    tree.low = page.low;
    tree.high = page.high;
    const path = this.#path;
    path.level = 0;
    path.setPage(0, page);
    path.setIndex(0, ~0);
  }
}

/** The address of bytes in the shared memory: where they are, or a copy at `address`. */
function place(
  memory: SharedMemory,
  bytes: Uint8Array,
  offset: number,
  end: number,
  address: number,
): number {
  if (bytes === memory.u8) return offset;
  if (end - offset > SHORT_BYTES) memory.u8.set(bytes.subarray(offset, end), address);
  else {
    const { u8 } = memory;
    for (let at = offset; at < end; at++) u8[address + at - offset] = bytes[at] as number;
  }
  return address;
}
