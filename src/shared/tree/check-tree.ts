/**
 * Walks a tree and proves its invariants: every page reached once, keys rise and stay within their
 * parent's bounds, counts and page counts are right.
 */
import { compareBytes } from '../bytes/compare.js';
import type { PageId, PagePointer } from '../ids.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import type { Tree } from '../tree-root.js';
import { childCount, childPointer, copyKey } from './node.js';

/** Who is told of what a walk meets. */
export interface TreeVisitor {
  /** False when the page must not be entered, since it was reached before. */
  enterPage(pageId: PageId): boolean;
  addProblem(page: number, message: string): void;
  noteFailure(page: number, error: unknown): void;
}

interface Subtree extends PagePointer {
  readonly level: number;
  /** Entries that the parent says are below; -1 when nobody said. */
  readonly count: number;
  readonly low: number;
  readonly bounds: Bounds;
}

interface Bounds {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

/** A tree whose counts are -1 is walked without comparing them. */
export function checkTree(
  source: PageSource,
  tree: Readonly<Tree>,
  visitor: TreeVisitor,
  visitLeaf: (leaf: number) => void,
): void {
  if (tree.level < 0) {
    if (tree.count !== 0) visitor.addProblem(0, 'an empty tree has a count');
    return;
  }
  const found = { leafPages: 0, branchPages: 0 };
  let isWhole = true;
  const open = { from: undefined, to: undefined };
  const stack: Subtree[] = [
    { ...pointerOf(tree), level: tree.level, count: tree.count, bounds: open },
  ];
  for (let subtree = stack.pop(); subtree !== undefined; subtree = stack.pop()) {
    if (!visitor.enterPage(subtree.pageId)) continue;
    try {
      const node = source.fetchPointer(subtree, subtree.level);
      const total = checkNode(source, node, subtree, visitor, stack);
      if (subtree.count >= 0 && total !== subtree.count) {
        visitor.addProblem(
          subtree.pageId,
          `${total} entries below, the parent says ${subtree.count}`,
        );
      }
      if (subtree.level > 0) found.branchPages++;
      else {
        found.leafPages++;
        visitLeaf(node);
      }
    } catch (error) {
      visitor.noteFailure(subtree.pageId, error);
      isWhole = false; // what hangs below it cannot be reached; everything else still is
    }
  }
  if (tree.leafPages < 0 || !isWhole) return;
  if (found.leafPages !== tree.leafPages || found.branchPages !== tree.branchPages) {
    visitor.addProblem(tree.pageId, 'the number of pages differs from what the root says');
  }
}

function pointerOf({ pageId, low, high }: PagePointer): PagePointer {
  return { pageId, low, high };
}

/** Checks the keys of one node, pushes its children, returns the entries below it. */
function checkNode(
  source: PageSource,
  node: number,
  subtree: Subtree,
  visitor: TreeVisitor,
  stack: Subtree[],
): number {
  const { memory } = source;
  const { pageId, level, bounds } = subtree;
  const count = entryCount(memory, node);
  const buffer = new Uint8Array(2048);
  const keys = Array.from({ length: count }, (_, index) => {
    return buffer.slice(0, copyKey(memory, node, index, buffer, 0));
  });
  keys.forEach((key, index) => {
    const before = keys[index - 1];
    if (before !== undefined && compareBytes(before, key) >= 0) {
      visitor.addProblem(pageId, 'keys do not rise');
    }
    const below = bounds.from !== undefined && compareBytes(key, bounds.from) < 0;
    if (below || (bounds.to !== undefined && compareBytes(key, bounds.to) >= 0)) {
      visitor.addProblem(pageId, 'a key is outside the bounds of its parent');
    }
  });
  if (level === 0) return count;
  let total = 0;
  for (let index = 0; index < count; index++) {
    const below = childCount(memory, node, index);
    total += below;
    const from = index === 0 ? bounds.from : keys[index];
    const to = keys[index + 1] ?? bounds.to;
    const pointer = childPointer(memory, node, index);
    const expected = subtree.count < 0 ? -1 : below;
    stack.push({ ...pointer, level: level - 1, count: expected, bounds: { from, to } });
  }
  return total;
}
