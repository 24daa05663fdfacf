/**
 * The way from a tree's root to one of its nodes, and what is written all along it.
 */
import type { PageId } from '../../shared/ids.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { cellAddress, childCount } from '../../shared/tree/node.js';
import type { Tree } from '../../shared/tree-root.js';
import type { DirtyPages } from '../pages/dirty-pages.js';
import { writeChild, writeChildCount } from './node-edit.js';

/** By level, leaf first. The leaf's index is as `findKey` says, a branch's is the child's. */
export interface Path {
  level: number;
  readonly pageIds: PageId[];
  readonly lows: number[];
  readonly highs: number[];
  readonly indexes: number[];
  /** Good from `makePathWritable` on, for as long as the transaction's pages are held. */
  readonly addresses: number[];
}

export function newPath(): Path {
  return { level: -1, pageIds: [], lows: [], highs: [], indexes: [], addresses: [] };
}

/** Adds to the counts of all branches at `fromLevel` and above, and of the tree. */
export function addToCounts(
  memory: SharedMemory,
  tree: Tree,
  path: Readonly<Path>,
  fromLevel: number,
  difference: number,
): void {
  tree.count += difference;
  for (let level = fromLevel; level <= path.level; level++) {
    const node = path.addresses[level] as number;
    const index = path.indexes[level] as number;
    const count = childCount(memory, node, index) + difference;
    writeChildCount(memory, cellAddress(memory, node, index), count);
  }
}

/** Makes one level of a path writable; the level above has to be already. */
export function makeLevelWritable(pages: DirtyPages, tree: Tree, path: Path, level: number): void {
  const pageId = path.pageIds[level] as PageId;
  const low = path.lows[level] as number;
  const high = path.highs[level] as number;
  const page = pages.writable(pageId, low, high, level);
  path.addresses[level] = page.address;
  if (page.pageId === pageId && page.low === low && page.high === high) return;
  path.pageIds[level] = page.pageId;
  path.lows[level] = page.low;
  path.highs[level] = page.high;
  if (level === path.level) {
    tree.pageId = page.pageId;
    tree.low = page.low;
    tree.high = page.high;
    return;
  }
  const parent = path.addresses[level + 1] as number;
  const cell = cellAddress(pages.memory, parent, path.indexes[level + 1] as number);
  writeChild(pages.memory, cell, page.pageId, page.low, page.high);
}
