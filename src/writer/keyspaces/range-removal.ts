/**
 * Takes all entries between two keys out of a tree: whole subtrees where nobody needs to look at
 * the entries, the rest leaf by leaf.
 */
import { MnemeError } from '../../shared/errors.js';
import type { PageId } from '../../shared/ids.js';
import { TREE_KEY_BYTES_MAX } from '../../shared/limits.js';
import { entryCount } from '../../shared/pages/page.js';
import { Cursor, rankOf } from '../../shared/tree/cursor.js';
import { copyKey } from '../../shared/tree/node.js';
import type { Tree } from '../../shared/tree-root.js';
import type { KeyspaceHost } from './keyspace-host.js';

/** Ranges of fewer entries are removed leaf by leaf. */
const SUBTREE_ENTRIES_MIN = 16;

export interface RangeRemoval {
  readonly tree: Tree;
  readonly low: Uint8Array;
  /** Not included; undefined is open. */
  readonly high: Uint8Array | undefined;
  /**
   * Is shown the entries `from` to `to` of a leaf before they go. What it returns is done when they
   * are gone. When it is missing, subtrees go unseen.
   */
  readonly look?: (leaf: number, from: number, to: number) => () => void;
}

/** Removes a range; returns how many entries went. */
export function removeRange(engine: KeyspaceHost, removal: RangeRemoval): number {
  const { tree, low } = removal;
  const before = tree.count;
  if (removal.look === undefined) removeSubtrees(engine, removal);
  for (;;) {
    const first = firstKeyFrom(engine, tree, low);
    if (first === undefined || !removeInLeaf(engine, removal, first)) break;
    engine.relieveCache();
  }
  return before - tree.count;
}

function removeSubtrees({ source, trees }: KeyspaceHost, { tree, low, high }: RangeRemoval): void {
  const below = rankOf(source, tree, low);
  const end = high === undefined ? tree.count : rankOf(source, tree, high);
  // What a few leaves hold goes leaf by leaf; and nothing is copied for a range of nothing.
  if (end - below >= SUBTREE_ENTRIES_MIN) trees.removeSubtrees(tree, low, high);
}

/** The first key at or above another; undefined when there is none. */
export function firstKeyFrom(
  { source, memory }: KeyspaceHost,
  tree: Tree,
  low: Uint8Array,
): Uint8Array | undefined {
  const cursor = new Cursor(source, tree);
  if (!cursor.seekKey(low)) return undefined;
  if (cursor.index >= entryCount(memory, cursor.leaf()) && !cursor.moveLeaf(1)) return undefined;
  const key = new Uint8Array(TREE_KEY_BYTES_MAX);
  return key.slice(0, copyKey(memory, cursor.leaf(), cursor.index, key, 0));
}

/** Removes what of a range is in the leaf of its first key; false when that is nothing. */
function removeInLeaf(
  { trees, memory }: KeyspaceHost,
  { tree, high, look }: RangeRemoval,
  first: Uint8Array,
): boolean {
  trees.locate(tree, first, 0, first.length);
  const leaf = trees.leafAddress;
  const from = trees.leafIndex;
  if (from < 0) throw misplaced(tree.pageId);
  const to = high === undefined ? entryCount(memory, leaf) : trees.countInLeafBelow(high);
  if (to <= from) return false;
  const finish = look?.(leaf, from, to);
  trees.removeRun(tree, from, to);
  finish?.();
  return true;
}

function misplaced(page: PageId): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { page, reason: 'a key is not where it belongs' });
}
