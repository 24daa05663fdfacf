/**
 * The way from a tree's root to one of its nodes, and what is written all along it: a walk record
 * (shared/tree/walk.ts) with the pages' addresses kept good.
 */
import type { PagePointer } from '../../shared/ids.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { cellAddress } from '../../shared/tree/node.js';
import {
  setStepAddress,
  setStepIndex,
  setStepPointer,
  stepAddress,
  stepIndex,
  stepIsStamped,
  stepPointer,
} from '../../shared/tree/walk.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPage, DirtyPages } from '../pages/dirty-pages.js';
import { writeChild } from './node-edit.js';

export class Path {
  /** The root's level; -1 in an empty tree. */
  level = -1;
  /** Where the walk record lies. */
  readonly walk: number;
  readonly #pages: DirtyPages;
  readonly #memory: SharedMemory;

  constructor(pages: DirtyPages, walk: number) {
    this.#pages = pages;
    this.#memory = pages.memory;
    this.walk = walk;
    pages.memory.describeCache(walk);
  }

  pointer(level: number): PagePointer {
    return stepPointer(this.#memory, this.walk, level);
  }

  setPointer(level: number, pointer: Readonly<PagePointer>): void {
    setStepPointer(this.#memory, this.walk, level, pointer);
  }

  /** Good from `makeWritable` on, for as long as the transaction's pages are held. */
  address(level: number): number {
    return stepAddress(this.#memory, this.walk, level);
  }

  page(level: number): DirtyPage {
    const { pageId, low, high } = this.pointer(level);
    return { pageId, low, high, address: this.address(level) };
  }

  setPage(level: number, page: DirtyPage): void {
    this.setPointer(level, page);
    setStepAddress(this.#memory, this.walk, level, page.address);
  }

  /** The leaf's index is as `findKey` says, a branch's is the child's. */
  index(level: number): number {
    return stepIndex(this.#memory, this.walk, level);
  }

  setIndex(level: number, index: number): void {
    setStepIndex(this.#memory, this.walk, level, index);
  }

  /** Makes the whole way writable, root first; returns the leaf's address. */
  makeWritable(tree: Tree): number {
    const generation = this.#pages.writableGeneration;
    for (let level = this.level; level >= 0; level--) {
      if (!stepIsStamped(this.#memory, this.walk, level, generation)) {
        this.makeLevelWritable(tree, level);
      }
    }
    return this.address(0);
  }

  /** Makes one level writable; the level above has to be already. */
  makeLevelWritable(tree: Tree, level: number): void {
    const { pageId, low, high } = this.pointer(level);
    const page = this.#pages.writable(pageId, low, high, level);
    this.setPage(level, page);
    if (page.pageId === pageId && page.low === low && page.high === high) return;
    if (level === this.level) {
      tree.pageId = page.pageId;
      tree.low = page.low;
      tree.high = page.high;
      return;
    }
    const cell = cellAddress(this.#memory, this.address(level + 1), this.index(level + 1));
    writeChild(this.#memory, cell, page.pageId, page.low, page.high);
  }

  /** Adds to the counts of all branches at `fromLevel` and above, and of the tree. */
  addToCounts(tree: Tree, fromLevel: number, difference: number): void {
    tree.count += difference;
    if (fromLevel > this.level) return;
    this.#memory.kernels.addToCounts(this.walk, fromLevel, this.level, difference);
  }
}
