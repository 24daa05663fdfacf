/**
 * What a full or a thin node does to its neighbours: splits, shifts and joins, by one rule.
 *
 * The entries of one, two or three neighbouring nodes, and the new one, are laid out in a row and
 * dealt out evenly over as few pages as hold them. So a full node first shifts entries to a
 * neighbour, two full nodes become three (the B* tree of Knuth, TAOCP 3, 6.2.4: pages stay four
 * fifths full under random inserts), and a thin node joins a neighbour. An entry that goes to the
 * end of a run of rising keys starts a new page instead, and leaves full ones behind.
 */

import { assert } from '../../shared/assert.js';
import type { PageId } from '../../shared/ids.js';
import { TREE_LEVELS_MAX } from '../../shared/limits.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount } from '../../shared/pages/page.js';
import { PageMismatch } from '../../shared/pages/page-file.js';
import {
  CHILD_BYTES,
  cellAddress,
  childCount,
  childPointer,
  copyKey,
  findKey,
  usedBytes,
} from '../../shared/tree/node.js';
import { newTree, type Tree } from '../../shared/tree-root.js';
import type { DirtyPage, DirtyPages } from '../pages/dirty-pages.js';
import { EntryRun, type NewEntry } from './entry-run.js';
import { insertEntry, removeEntry, writeChild, writeChildCount } from './node-edit.js';
import { Path } from './path.js';
import { CHILD_KEY, CHILD_WALK, RECORD, SPARE } from './workspace.js';

/** Neighbouring nodes that are dealt out anew: children `first` and on of the path's next level. */
interface Row {
  readonly level: number;
  readonly first: number;
  readonly pages: DirtyPage[];
}

/** A page that its parent does not know of yet. */
interface NewChild {
  readonly key: Uint8Array;
  readonly page: DirtyPage;
  readonly count: number;
}

/** Two nodes that would be fuller than this after a shift become three instead. */
const SHIFT_FILL_MAX = 0.94;
/** Below this share of a page a node looks for a neighbour to join. */
export const THIN_SHARE = 0.35;
/** A node made by a join keeps some room, or the next insert would split it again. */
const JOIN_FILL_MAX = 0.9;

export class Rebalancer {
  readonly #pages: DirtyPages;
  readonly #memory: SharedMemory;
  readonly #run: EntryRun;
  readonly #childPath: Path;

  constructor(pages: DirtyPages) {
    this.#pages = pages;
    this.#memory = pages.memory;
    this.#run = new EntryRun(pages.memory);
    this.#childPath = new Path(pages, CHILD_WALK);
  }

  /** Puts an entry that does not fit its leaf; the whole path is writable. */
  insert(tree: Tree, path: Path, index: number, entry: NewEntry, follows: boolean): void {
    this.#spread(tree, path, 0, index, entry, follows);
  }

  /** Finds a thin or empty node a neighbour to join, and so on upwards. */
  join(tree: Tree, path: Path, from = 0): void {
    for (let level = from; level <= path.level; level++) {
      const memory = this.#memory;
      const node = path.address(level);
      if (level === path.level) {
        this.#shrinkRoot(tree, node);
        return;
      }
      if (entryCount(memory, node) === 0) this.#removeNode(tree, path, level);
      else if (usedBytes(memory, node) >= memory.nodeBytes * THIN_SHARE) return;
      else if (!this.#joinNeighbour(tree, path, level)) return;
    }
  }

  /** Spreads a node and one entry more over the node itself, a neighbour, and a new page. */
  #spread(
    tree: Tree,
    path: Path,
    level: number,
    index: number,
    entry: NewEntry,
    follows: boolean,
  ): void {
    const memory = this.#memory;
    const own = path.page(level);
    const count = entryCount(memory, own.address);
    const run = this.#run;
    run.begin(level, own.address);
    run.pushOwn(index, entry);
    const alone = { level, first: level < path.level ? path.index(level + 1) : 0, pages: [own] };
    if (run.bytes() <= memory.nodeBytes) {
      this.#apply(tree, path, alone, [0, run.length]);
    } else if (index === count && (follows || isRightmost(memory, path, level))) {
      this.#apply(tree, path, alone, [0, count, count + 1], true);
    } else if (level === path.level) {
      this.#apply(tree, path, alone, run.deal(1, 2));
    } else {
      const pushOwn = () => run.pushOwn(index, entry);
      const row = this.#withNeighbour(tree, path, level, pushOwn, entry);
      this.#apply(tree, path, row, run.deal(SHIFT_FILL_MAX, 1));
    }
  }

  /**
   * Makes the run one of the node's entries, which `pushOwn` appends, and the emptier neighbour's.
   */
  #withNeighbour(
    tree: Tree,
    path: Path,
    level: number,
    pushOwn: () => void,
    entry?: NewEntry,
  ): Row {
    const parent = path.address(level + 1);
    const index = path.index(level + 1);
    const own = path.page(level);
    const neighbour = this.#emptierNeighbour(parent, index, level);
    if (neighbour < 0) return { level, first: index, pages: [own] };
    path.setIndex(level + 1, neighbour);
    path.setPointer(level, childPointer(this.#memory, parent, neighbour));
    path.makeLevelWritable(tree, level);
    const page = path.page(level);
    this.#assertApart(own, page, neighbour > index, entry);
    const run = this.#run;
    run.clear();
    if (neighbour > index) pushOwn();
    run.pushNeighbour(page.address);
    if (neighbour < index) pushOwn();
    const pages = neighbour < index ? [page, own] : [own, page];
    return { level, first: Math.min(index, neighbour), pages };
  }

  /** Runs are dealt out by their order, which a file's parents and children may contradict. */
  #assertApart(own: DirtyPage, neighbour: DirtyPage, isAbove: boolean, entry?: NewEntry): void {
    const memory = this.#memory;
    const { address, pageId } = neighbour;
    const expected = isAbove ? ~0 : ~entryCount(memory, address);
    const count = entryCount(memory, own.address);
    if (count > 0) {
      const edge = isAbove ? count - 1 : 0;
      const end = SPARE + copyKey(memory, own.address, edge, memory.u8, SPARE);
      if (findKey(memory, address, SPARE, end) !== expected) throw misplaced(pageId);
    }
    if (entry === undefined) return;
    if (findKey(memory, address, entry.key, entry.end) !== expected) throw misplaced(pageId);
  }

  #emptierNeighbour(parent: number, index: number, level: number): number {
    const memory = this.#memory;
    let best = -1;
    let bestBytes = Number.POSITIVE_INFINITY;
    for (const candidate of [index - 1, index + 1]) {
      if (candidate < 0 || candidate >= entryCount(memory, parent)) continue;
      const pointer = childPointer(memory, parent, candidate);
      const used = usedBytes(memory, this.#pages.source.fetchPointer(pointer, level));
      if (used >= bestBytes) continue;
      best = candidate;
      bestBytes = used;
    }
    return best;
  }

  /**
   * Writes the run into pages by its borders and tells the parent, which may have to spread too.
   * `firstStays`: the first page holds its share already.
   */
  #apply(tree: Tree, path: Path, row: Row, borders: readonly number[], firstStays = false): void {
    const run = this.#run;
    const { level, pages } = row;
    const existing = pages.length;
    const shareCount = borders.length - 1;
    while (pages.length < shareCount) pages.push(this.#createPage(tree, level));
    const sums: number[] = [];
    const added: NewChild[] = [];
    for (let share = 0; share < shareCount; share++) {
      const page = pages[share] as DirtyPage;
      const from = borders[share] as number;
      const to = borders[share + 1] as number;
      if (share > 0 || !firstStays) run.writePage(page.address, from, to);
      const count = run.countBelow(from, to);
      sums.push(count);
      if (share > 0) added.push({ key: run.separator(from), page, count });
    }
    for (const page of pages.slice(shareCount)) this.#freePage(tree, level, page);
    const firstSum = sums[0] as number;
    if (level < path.level) this.#updateParent(tree, path, row, existing, firstSum);
    else if (shareCount > 1) this.#growRoot(tree, level + 1, pages[0] as DirtyPage, firstSum);
    else tree.count = firstSum;
    // From here on the run may be another one's: a parent that is full spreads too.
    for (const child of added) this.#insertChild(tree, level + 1, child);
  }

  /** The row's first child stays in the parent, with a new count; the others are taken out. */
  #updateParent(tree: Tree, path: Path, row: Row, existing: number, firstSum: number): void {
    const memory = this.#memory;
    const { level, first, pages } = row;
    const parent = path.address(level + 1);
    let before = 0;
    for (let child = first; child < first + existing; child++) {
      before += childCount(memory, parent, child);
    }
    for (let child = first + existing - 1; child > first; child--)
      removeEntry(memory, parent, child);
    const cell = cellAddress(memory, parent, first);
    const { pageId, low, high } = pages[0] as DirtyPage;
    writeChild(memory, cell, pageId, low, high);
    writeChildCount(memory, cell, firstSum);
    path.addToCounts(tree, level + 2, firstSum - before);
  }

  /** A root above the first page of what was the root; the other pages go in as they come. */
  #growRoot(tree: Tree, level: number, first: DirtyPage, count: number): void {
    const memory = this.#memory;
    assert(level < TREE_LEVELS_MAX, 'no tree grows higher than a walk goes');
    const root = this.#createPage(tree, level);
    const cell = insertEntry(memory, root.address, 0, CHILD_KEY, CHILD_KEY, CHILD_BYTES);
    writeChild(memory, cell, first.pageId, first.low, first.high);
    writeChildCount(memory, cell, count);
    tree.pageId = root.pageId;
    tree.low = root.low;
    tree.high = root.high;
    tree.level = level;
    tree.count = count;
  }

  /** Puts a child into the branch at `level` that its key belongs to. */
  #insertChild(tree: Tree, level: number, { key, page, count }: NewChild): void {
    const memory = this.#memory;
    memory.u8.set(key, CHILD_KEY);
    const end = CHILD_KEY + key.length;
    const path = this.#pathTo(tree, level, end);
    const node = path.address(level);
    const index = ~findKey(memory, node, CHILD_KEY, end);
    if (index < 0) throw misplaced(page.pageId);
    const cell = insertEntry(memory, node, index, CHILD_KEY, end, CHILD_BYTES);
    if (cell !== 0) {
      writeChild(memory, cell, page.pageId, page.low, page.high);
      writeChildCount(memory, cell, count);
      path.addToCounts(tree, level + 1, count);
      return;
    }
    writeChild(memory, RECORD, page.pageId, page.low, page.high);
    writeChildCount(memory, RECORD, count);
    const entry = { key: CHILD_KEY, end, value: RECORD, valueLength: CHILD_BYTES };
    this.#spread(tree, path, level, index, entry, false);
  }

  /** A writable path from the root to the node at `level` that the child's key belongs to. */
  #pathTo(tree: Tree, level: number, end: number): Path {
    const memory = this.#memory;
    const path = this.#childPath;
    path.level = tree.level;
    path.setPointer(tree.level, tree);
    for (let at = tree.level; ; at--) {
      path.makeLevelWritable(tree, at);
      if (at === level) return path;
      const node = path.address(at);
      const found = findKey(memory, node, CHILD_KEY, end);
      const index = found >= 0 ? found : Math.max(0, ~found - 1);
      path.setIndex(at, index);
      path.setPointer(at - 1, childPointer(memory, node, index));
    }
  }

  #createPage(tree: Tree, level: number): DirtyPage {
    if (level === 0) tree.leafPages++;
    else tree.branchPages++;
    return this.#pages.create(level);
  }

  #freePage(tree: Tree, level: number, page: DirtyPage): void {
    if (level === 0) tree.leafPages--;
    else tree.branchPages--;
    this.#pages.freePage(page.pageId, page.low, page.high, level);
  }

  /**
   * Takes an empty node out of its parent. The first entry's key is the lower bound of all that
   * belongs below the parent, so a first node leaves its key to the next one.
   */
  #removeNode(tree: Tree, path: Path, level: number): void {
    const memory = this.#memory;
    this.#freePage(tree, level, path.page(level));
    const parent = path.address(level + 1);
    const index = path.index(level + 1);
    if (index > 0 || entryCount(memory, parent) === 1) {
      removeEntry(memory, parent, index);
      return;
    }
    const { pageId, low, high } = childPointer(memory, parent, 1);
    const cell = cellAddress(memory, parent, 0);
    writeChildCount(memory, cell, childCount(memory, parent, 1));
    writeChild(memory, cell, pageId, low, high);
    removeEntry(memory, parent, 1);
  }

  /** True when two nodes became one; else the path above may not be right any more. */
  #joinNeighbour(tree: Tree, path: Path, level: number): boolean {
    const run = this.#run;
    run.begin(level, path.address(level));
    const row = this.#withNeighbour(tree, path, level, () => run.pushOwn());
    if (row.pages.length < 2) return true;
    const borders = run.deal(JOIN_FILL_MAX, 1);
    this.#apply(tree, path, row, borders);
    return borders.length === 2;
  }

  /** An empty root means an empty tree; a root with one child gives way to it. */
  #shrinkRoot(tree: Tree, root: number): void {
    const memory = this.#memory;
    let node = root;
    for (;;) {
      const count = entryCount(memory, node);
      const page = { pageId: tree.pageId, low: tree.low, high: tree.high, address: node };
      if (count === 0) {
        this.#freePage(tree, tree.level, page);
        Object.assign(tree, newTree());
        return;
      }
      if (count > 1 || tree.level === 0) return;
      const child = childPointer(memory, node, 0);
      this.#freePage(tree, tree.level, page);
      tree.level--;
      tree.pageId = child.pageId;
      tree.low = child.low;
      tree.high = child.high;
      node = this.#pages.source.fetchPointer(child, tree.level);
    }
  }
}

function misplaced(pageId: PageId): PageMismatch {
  return new PageMismatch(pageId, 'its keys are not where its parent says');
}

/** True when the path leads to the last node of each level above one. */
export function isRightmost(memory: SharedMemory, path: Path, fromLevel: number): boolean {
  for (let level = fromLevel + 1; level <= path.level; level++) {
    if (path.index(level) !== entryCount(memory, path.address(level)) - 1) return false;
  }
  return true;
}
