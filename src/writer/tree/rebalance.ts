/**
 * What a full or a thin node does to its neighbours: splits, shifts and joins, by one rule.
 *
 * The entries of one, two or three neighbouring nodes, and the new one, are laid out in a row and
 * dealt out evenly over as few pages as hold them. So a full node first shifts entries to a
 * neighbour, two full nodes become three (the B* tree of Knuth, TAOCP 3, 6.2.4: pages stay four
 * fifths full under random inserts), and a thin node joins a neighbour. An entry that goes to the
 * end of a run of rising keys starts a new page instead, and leaves full ones behind.
 */

import { writeU32, writeU48 } from '../../shared/bytes/integers.js';
import type { PageId } from '../../shared/ids.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount } from '../../shared/pages/page.js';
import {
  CHILD_BYTES,
  cellAddress,
  childCount,
  childPointer,
  findChild,
  findKey,
} from '../../shared/tree/node.js';
import { newTree, type Tree } from '../../shared/tree-root.js';
import type { DirtyPage, DirtyPages } from '../pages/dirty-pages.js';
import { deal } from './deal.js';
import { EntryRun } from './entry-run.js';
import { insertEntry, removeEntry, usedBytes, writeChild, writeChildCount } from './node-edit.js';
import { addToCounts, makeLevelWritable, newPath, type Path } from './path.js';

/** An entry on its way into a node. */
export interface NewEntry {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly end: number;
  readonly value: Uint8Array;
  readonly valueOffset: number;
  readonly valueLength: number;
}

/** Neighbouring nodes that are dealt out anew: children `first` and on of the path's next level. */
interface Row {
  readonly level: number;
  readonly first: number;
  readonly pages: DirtyPage[];
}

interface RowOfRun extends Row {
  readonly run: EntryRun;
}

const OWN_RUN = 0;
const NEIGHBOUR_RUN = 1;
const ROW_RUN = 2;
const RUNS_PER_LEVEL = 3;
/** Two nodes that would be fuller than this after a shift become three instead. */
const SHIFT_FILL_MAX = 0.94;
const THIN_SHARE = 0.35;
/** A node made by a join keeps some room, or the next insert would split it again. */
const JOIN_FILL_MAX = 0.9;
const NO_KEY = new Uint8Array(0);

export class Rebalancer {
  readonly #pages: DirtyPages;
  readonly #memory: SharedMemory;
  readonly #runs: EntryRun[] = [];

  constructor(pages: DirtyPages) {
    this.#pages = pages;
    this.#memory = pages.memory;
  }

  /** Puts an entry that does not fit its leaf; the whole path is writable. */
  insert(tree: Tree, path: Path, index: number, entry: NewEntry, follows: boolean): void {
    this.#spread(tree, path, 0, index, entry, follows);
  }

  /** Finds a thin or empty leaf a neighbour to join, and so on upwards. */
  join(tree: Tree, path: Path): void {
    for (let level = 0; level <= path.level; level++) {
      const memory = this.#memory;
      const node = path.addresses[level] as number;
      if (level === path.level) {
        this.#shrinkRoot(tree, node);
        return;
      }
      if (entryCount(memory, node) === 0) this.#removeNode(tree, path, level);
      else if (usedBytes(memory, node) >= memory.pageSize * THIN_SHARE) return;
      else if (!this.#joinNeighbour(tree, path, level)) return;
    }
  }

  /** Runs are kept for reuse; spreading goes up level by level and must not share them. */
  #run(level: number, purpose = OWN_RUN): EntryRun {
    const at = level * RUNS_PER_LEVEL + purpose;
    const run = this.#runs[at] ?? new EntryRun();
    this.#runs[at] = run;
    run.reset(level);
    return run;
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
    const node = path.addresses[level] as number;
    const count = entryCount(memory, node);
    const own = this.#pageAt(path, level);
    const run = this.#run(level);
    run.pushNode(memory, node, 0, index);
    run.push(entry.key, entry.offset, entry.end, entry.value, entry.valueOffset, entry.valueLength);
    run.pushNode(memory, node, index, count);
    const alone = { level, first: path.indexes[level + 1] ?? 0, pages: [own] };
    if (run.encodedBytes(0, run.length) <= memory.pageSize) {
      this.#apply(tree, path, alone, run, [0, run.length]);
    } else if (index === count && (follows || isRightmost(memory, path, level))) {
      this.#apply(tree, path, alone, run, [0, count, count + 1]);
    } else if (level === path.level) {
      this.#apply(tree, path, alone, run, deal(run, memory.pageSize, 1, 2));
    } else {
      const row = this.#withNeighbour(tree, path, level, run);
      this.#apply(tree, path, row, row.run, deal(row.run, memory.pageSize, SHIFT_FILL_MAX, 1));
    }
  }

  #pageAt(path: Path, level: number): DirtyPage {
    return {
      pageId: path.pageIds[level] as PageId,
      low: path.lows[level] as number,
      high: path.highs[level] as number,
      address: path.addresses[level] as number,
    };
  }

  /** Adds the emptier neighbour's entries to a run that holds the node's own. */
  #withNeighbour(tree: Tree, path: Path, level: number, run: EntryRun): RowOfRun {
    const memory = this.#memory;
    const parent = path.addresses[level + 1] as number;
    const index = path.indexes[level + 1] as number;
    const own = this.#pageAt(path, level);
    const neighbour = this.#emptierNeighbour(parent, index, level);
    if (neighbour < 0) return { level, first: index, pages: [own], run };
    const pointer = childPointer(memory, parent, neighbour);
    const { pageIds, lows, highs, addresses, indexes } = path;
    indexes[level + 1] = neighbour;
    pageIds[level] = pointer.pageId;
    lows[level] = pointer.low;
    highs[level] = pointer.high;
    makeLevelWritable(this.#pages, tree, path, level);
    const page = this.#pageAt(path, level);
    const first = Math.min(index, neighbour);
    const node = addresses[level] as number;
    const added = this.#run(level, NEIGHBOUR_RUN);
    added.pushNode(memory, node, 0, entryCount(memory, node));
    const all = this.#run(level, ROW_RUN);
    all.pushRun(neighbour < index ? added : run);
    all.pushRun(neighbour < index ? run : added);
    return { level, first, pages: neighbour < index ? [page, own] : [own, page], run: all };
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

  /** Writes a run into pages by its borders and tells the parent, which may have to spread too. */
  #apply(tree: Tree, path: Path, row: Row, run: EntryRun, borders: readonly number[]): void {
    const { level, pages } = row;
    const existing = pages.length;
    const shareCount = borders.length - 1;
    while (pages.length < shareCount) pages.push(this.#createPage(tree, level));
    for (let share = 0; share < shareCount; share++) {
      const { address } = pages[share] as DirtyPage;
      run.writeNode(this.#memory, address, borders[share] as number, borders[share + 1] as number);
    }
    for (const page of pages.slice(shareCount)) this.#freePage(tree, level, page);
    const sums = borders
      .slice(1)
      .map((end, share) => run.countBelow(borders[share] as number, end));
    const firstSum = sums[0] as number;
    if (level < path.level) this.#updateParent(tree, path, row, existing, firstSum);
    else if (shareCount > 1) this.#growRoot(tree, level + 1, pages[0] as DirtyPage, firstSum);
    else tree.count = firstSum;
    for (let share = 1; share < shareCount; share++) {
      const key = run.separator(borders[share] as number);
      this.#insertChild(tree, level + 1, key, pages[share] as DirtyPage, sums[share] as number);
    }
  }

  /** The row's first child stays in the parent, with a new count; the others are taken out. */
  #updateParent(tree: Tree, path: Path, row: Row, existing: number, firstSum: number): void {
    const memory = this.#memory;
    const { level, first, pages } = row;
    const parent = path.addresses[level + 1] as number;
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
    addToCounts(memory, tree, path, level + 2, firstSum - before);
  }

  /** A root above the first page of what was the root; the other pages go in as they come. */
  #growRoot(tree: Tree, level: number, first: DirtyPage, count: number): void {
    const memory = this.#memory;
    const root = this.#createPage(tree, level);
    const cell = insertEntry(memory, root.address, 0, NO_KEY, 0, 0, CHILD_BYTES);
    writeChild(memory, cell, first.pageId, first.low, first.high);
    writeChildCount(memory, cell, count);
    tree.pageId = root.pageId;
    tree.low = root.low;
    tree.high = root.high;
    tree.level = level;
    tree.count = count;
  }

  /** Puts a child into the branch at `level` that its key belongs to. */
  #insertChild(tree: Tree, level: number, key: Uint8Array, page: DirtyPage, count: number): void {
    const memory = this.#memory;
    const path = this.#pathTo(tree, level, key);
    const node = path.addresses[level] as number;
    const index = ~findKey(memory, node, key, 0, key.length);
    const cell = insertEntry(memory, node, index, key, 0, key.length, CHILD_BYTES);
    if (cell !== 0) {
      writeChild(memory, cell, page.pageId, page.low, page.high);
      writeChildCount(memory, cell, count);
      addToCounts(memory, tree, path, level + 1, count);
      return;
    }
    const value = encodeChild(page, count);
    const entry = {
      key,
      offset: 0,
      end: key.length,
      value,
      valueOffset: 0,
      valueLength: CHILD_BYTES,
    };
    this.#spread(tree, path, level, index, entry, false);
  }

  /** A writable path from the root to the node at `level` that a key belongs to. */
  #pathTo(tree: Tree, level: number, key: Uint8Array): Path {
    const memory = this.#memory;
    const path = newPath();
    path.level = tree.level;
    let { pageId, low, high } = tree as { pageId: PageId; low: number; high: number };
    for (let at = tree.level; ; at--) {
      path.pageIds[at] = pageId;
      path.lows[at] = low;
      path.highs[at] = high;
      makeLevelWritable(this.#pages, tree, path, at);
      if (at === level) return path;
      const node = path.addresses[at] as number;
      const index = findChild(memory, node, key, 0, key.length);
      path.indexes[at] = index;
      ({ pageId, low, high } = childPointer(memory, node, index));
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
    this.#freePage(tree, level, this.#pageAt(path, level));
    const parent = path.addresses[level + 1] as number;
    const index = path.indexes[level + 1] as number;
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
    const memory = this.#memory;
    const node = path.addresses[level] as number;
    const run = this.#run(level);
    run.pushNode(memory, node, 0, entryCount(memory, node));
    const row = this.#withNeighbour(tree, path, level, run);
    if (row.pages.length < 2) return true;
    const borders = deal(row.run, memory.pageSize, JOIN_FILL_MAX, 1);
    this.#apply(tree, path, row, row.run, borders);
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

function encodeChild(page: DirtyPage, count: number): Uint8Array {
  const value = new Uint8Array(CHILD_BYTES);
  writeU32(value, 0, page.pageId);
  writeU32(value, 4, page.low);
  writeU32(value, 8, page.high);
  writeU48(value, 12, count);
  return value;
}

function isRightmost(memory: SharedMemory, path: Readonly<Path>, fromLevel: number): boolean {
  for (let level = fromLevel + 1; level <= path.level; level++) {
    const last = entryCount(memory, path.addresses[level] as number) - 1;
    if (path.indexes[level] !== last) return false;
  }
  return true;
}
