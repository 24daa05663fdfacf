/**
 * Moves the pages of a keyspace to the newest data key: each page is copied as if it were changed,
 * and so sealed anew by the commit. A step takes a bounded number of leaves; where it ended is a
 * key, so others may write between two steps.
 */
import { OVERFLOW_FLAG, payloadOffset } from '../../shared/bytes/value-codec.js';
import { treesOf } from '../../shared/keyspaces/catalog.js';
import { TREE_KEY_BYTES_MAX } from '../../shared/limits.js';
import { entryCount } from '../../shared/pages/page.js';
import { Cursor } from '../../shared/tree/cursor.js';
import { copyKey, valueAddress } from '../../shared/tree/node.js';
import type { Tree } from '../../shared/tree-root.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';

const LEAVES_PER_STEP = 512;

/** Where to go on: a tree of the keyspace, by its place, and a key in it. */
export interface ResealPlace {
  readonly tree: number;
  readonly key: Uint8Array;
}

/** Seals some leaves anew; returns where to go on, undefined at the end of the keyspace. */
export function resealSome(
  host: KeyspaceHost,
  keyspace: OpenKeyspace,
  from: ResealPlace,
): ResealPlace | undefined {
  keyspace.changed = true;
  const { record } = keyspace;
  const trees = treesOf(record);
  let budget = LEAVES_PER_STEP;
  let { key } = from;
  for (let index = from.tree; index < trees.length; index++) {
    const tree = trees[index] as Tree;
    const holdsValues = tree === record.values || tree === record.elements;
    for (let next: Uint8Array | undefined = key; next !== undefined && tree.level >= 0; ) {
      if (budget-- === 0) return { tree: index, key: next };
      next = resealLeaf(host, tree, next, holdsValues);
      host.relieveCache();
    }
    key = new Uint8Array(0);
  }
  return undefined;
}

/** Copies the way to the leaf of a key; returns the first key of the next leaf. */
function resealLeaf(
  host: KeyspaceHost,
  tree: Tree,
  key: Uint8Array,
  holdsValues: boolean,
): Uint8Array | undefined {
  const { memory, trees, source } = host;
  trees.locate(tree, key, 0, key.length);
  const leaf = trees.makeWritable(tree);
  if (holdsValues) resealExtents(host, leaf);
  const cursor = new Cursor(source, tree);
  cursor.seekKey(key);
  if (!cursor.moveLeaf(1)) return undefined;
  const next = new Uint8Array(TREE_KEY_BYTES_MAX);
  return next.slice(0, copyKey(memory, cursor.leaf(), 0, next, 0));
}

/** Long values of a leaf that may be changed go to new extents. */
function resealExtents({ memory, overflow }: KeyspaceHost, leaf: number): void {
  const { u8 } = memory;
  for (let index = 0; index < entryCount(memory, leaf); index++) {
    const record = valueAddress(memory, leaf, index);
    if (((u8[record] as number) & OVERFLOW_FLAG) === 0) continue;
    const at = payloadOffset(u8, record);
    const pointer = overflow.copy(u8, at);
    overflow.free(u8, at);
    u8.set(pointer, at);
  }
}
