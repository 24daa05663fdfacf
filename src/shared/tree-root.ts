/**
 * The root of a tree, as whoever holds one writes it down: catalog, meta page, cursor.
 */
import { NO_PAGE, type PagePointer } from './ids.js';
import { TREE_LEVELS_MAX } from './limits.js';

/** The root page and how many entries lie below it; `level` is -1 when the tree is empty. */
export interface TreeRoot extends PagePointer {
  level: number;
  count: number;
}

/** A root and the pages that its tree takes. */
export interface Tree extends TreeRoot {
  leafPages: number;
  branchPages: number;
}

/**
 * False for a root that no committed tree has: what a file says is asked this before a walk follows
 * it. The root of an open transaction has a stamp, which none in the file has.
 */
export function isCommittedRoot({ level, count, high }: Readonly<TreeRoot>): boolean {
  if (level < 0) return count === 0;
  return level < TREE_LEVELS_MAX && count > 0 && high >= 0;
}

export function newTree(): Tree {
  return { pageId: NO_PAGE, low: 0, high: 0, level: -1, count: 0, leafPages: 0, branchPages: 0 };
}
