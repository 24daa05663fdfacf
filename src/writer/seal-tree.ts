/**
 * Makes the pointers of the open transaction final: from the leaves up, each page of it is sealed,
 * if its keyspace is encrypted, and gets the checksum of what will be in the file; its parent gets
 * that in place of the stamp.
 */
import type { PageId } from '../shared/ids.js';
import { entryCount } from '../shared/pages/page.js';
import { cellAddress, childPageId, readWord } from '../shared/tree/node.js';
import type { Tree } from '../shared/tree-root.js';
import type { DirtyPages, TakenPages } from './pages/dirty-pages.js';
import { writeWord } from './tree/node-edit.js';

/** Seals a tree's pages of the open transaction and appends them to `sealed`. */
export function sealTree(pages: DirtyPages, tree: Tree, sealed: TakenPages[]): void {
  if (tree.level < 0 || tree.high >= 0) return;
  const page = sealNode(pages, tree.pageId, tree.level, sealed);
  tree.low = page.low;
  tree.high = page.high;
}

/** Recursion as deep as the tree, over pages that this transaction made itself. */
function sealNode(
  pages: DirtyPages,
  pageId: PageId,
  level: number,
  sealed: TakenPages[],
): TakenPages {
  const { memory, source } = pages;
  const { cache, checksummer } = source;
  const page = pages.takenPage(pageId);
  const { address } = page;
  if (level > 0) {
    const count = entryCount(memory, address);
    for (let index = 0; index < count; index++) {
      const cell = cellAddress(memory, address, index);
      if (readWord(memory, cell + 8) >= 0) continue;
      const child = sealNode(pages, childPageId(memory, cell), level - 1, sealed);
      writeWord(memory, cell + 4, child.low);
      writeWord(memory, cell + 8, child.high);
    }
  }
  const window = memory.scratchAddress(source.slot.index);
  if (page.cipher !== undefined) page.cipher.sealPage(address, pages.sealing, window);
  checksummer.compute(page.cipher === undefined ? address : window, memory.pageSize);
  page.low = checksummer.low;
  page.high = checksummer.high;
  cache.retag(page.frame, page.low, page.high);
  sealed.push(page);
  return page;
}
