/**
 * The root of a tree, as whoever holds one writes it down: catalog, meta page, cursor.
 */
import { NO_PAGE, type PagePointer } from './ids.js';

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

export function newTree(): Tree {
  return { pageId: NO_PAGE, low: 0, high: 0, level: -1, count: 0, leafPages: 0, branchPages: 0 };
}
