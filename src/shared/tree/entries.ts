/**
 * All entries of a tree, copied leaf by leaf: for checks, which look at other pages meanwhile.
 */
import { TREE_KEY_BYTES_MAX } from '../limits.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import type { TreeRoot } from '../tree-root.js';
import { Cursor } from './cursor.js';
import { copyKey, valueAddress, valueLength } from './node.js';

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Shows every entry of a tree, a leaf at a time; other pages may be read meanwhile. */
export function forEachEntry(
  source: PageSource,
  tree: Readonly<TreeRoot>,
  visit: (entry: Entry) => void,
): void {
  const { memory } = source;
  const cursor = new Cursor(source, tree);
  if (!cursor.seekRank(0)) return;
  const key = new Uint8Array(TREE_KEY_BYTES_MAX);
  do {
    const leaf = cursor.leaf();
    const entries = Array.from({ length: entryCount(memory, leaf) }, (_, index): Entry => {
      const at = valueAddress(memory, leaf, index);
      const value = memory.u8.slice(at, at + valueLength(memory, leaf, index));
      return { key: key.slice(0, copyKey(memory, leaf, index, key, 0)), value };
    });
    entries.forEach(visit);
  } while (cursor.moveLeaf(1));
}
