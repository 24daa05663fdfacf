/**
 * Makes the pointers of the open transaction final: from the leaves up, each page of it gets its
 * checksum, and its parent the checksum in place of the stamp.
 */
import type { PageId, PagePointer } from '../shared/ids.js';
import { entryCount } from '../shared/pages/page.js';
import { cellAddress, childPageId, readWord } from '../shared/tree/node.js';
import type { Tree } from '../shared/tree-root.js';
import type { DirtyPages, TakenPages } from './pages/dirty-pages.js';
import { writeWord } from './tree/node-edit.js';

/** A page with its final checksum, still only in memory. */
export interface SealedPage extends PagePointer {
  readonly address: number;
  /** Tells whether the new state sees it: it may have been freed, or given back, since. */
  readonly taken: TakenPages;
}

/** Seals a tree's pages of the open transaction and appends them to `sealed`. */
export function sealTree(pages: DirtyPages, tree: Tree, sealed: SealedPage[]): void {
  if (tree.level < 0 || tree.high >= 0) return;
  const page = sealNode(pages, tree.pageId, tree.low, tree.high, tree.level, sealed);
  tree.low = page.low;
  tree.high = page.high;
}

/** Recursion as deep as the tree, over pages that this transaction made itself. */
function sealNode(
  pages: DirtyPages,
  pageId: PageId,
  low: number,
  high: number,
  level: number,
  sealed: SealedPage[],
): SealedPage {
  const { source } = pages;
  const { memory, cache, checksummer } = source;
  const address = source.fetch(pageId, low, high, level);
  if (level > 0) {
    const count = entryCount(memory, address);
    for (let index = 0; index < count; index++) {
      const cell = cellAddress(memory, address, index);
      const childHigh = readWord(memory, cell + 8);
      if (childHigh >= 0) continue;
      const childLow = readWord(memory, cell + 4);
      const childId = childPageId(memory, cell);
      const child = sealNode(pages, childId, childLow, childHigh, level - 1, sealed);
      writeWord(memory, cell + 4, child.low);
      writeWord(memory, cell + 8, child.high);
    }
  }
  checksummer.compute(address, memory.pageSize);
  const taken = pages.takingOf(pageId);
  const page = { pageId, low: checksummer.low, high: checksummer.high, address, taken };
  cache.retag(cache.frameAt(address), page.low, page.high);
  sealed.push(page);
  return page;
}
