/**
 * What a snapshot holds, by name: keyspaces as they are stored, and what has a name or a vector in
 * each. For tools that go through all of a database without knowing what is in it.
 */
import {
  catalogKey,
  type KeysKind,
  type KeyspaceRecord,
  keyspaceNames,
  treesOf,
} from '../shared/keyspaces/catalog.js';
import { LIST, SORTED_SET } from '../shared/keyspaces/collection-names.js';
import { expiredCount } from '../shared/keyspaces/expiry.js';
import type { TextSettings } from '../shared/keyspaces/text-state.js';
import { TREE_KEY_BYTES_MAX } from '../shared/limits.js';
import { entryCount } from '../shared/pages/page.js';
import { Cursor } from '../shared/tree/cursor.js';
import { copyKey } from '../shared/tree/node.js';
import type { TreeRoot } from '../shared/tree-root.js';
import type { Core } from './core.js';
import type { Snapshot } from './snapshot.js';

/** A keyspace as it is stored. */
export interface KeyspaceInventory {
  readonly name: string;
  readonly keys: KeysKind;
  readonly encrypted: boolean;
  /** Of full text; undefined for values. */
  readonly settings: TextSettings | undefined;
  /** Names of sorted sets, of lists, and keys that have a vector, by their bytes. */
  readonly sortedSets: () => Iterable<string>;
  readonly lists: () => Iterable<string>;
  readonly vectorKeys: () => Iterable<Uint8Array>;
  /** In use by all that it holds. */
  readonly pages: number;
  /** How many deadlines have come by a moment, ms since the epoch, and are not purged. O(log n). */
  readonly deadlinesBy: (moment: number) => number;
}

/**
 * All keyspaces, or those with these names.
 * @throws {MnemeError} `ERR_MNEME_KEY_REQUIRED` when one is encrypted and cannot be opened.
 */
export function inventoryOf(snapshot: Snapshot, names?: readonly string[]): KeyspaceInventory[] {
  const { core, state } = snapshot.origin;
  const { catalog } = state;
  const all = core.readingPinned(() =>
    (names ?? keyspaceNames(core.source, catalog)).flatMap((name) => {
      const record = core.recordIn(state, catalogKey(Buffer.from(name)));
      return record === undefined ? [] : [{ name, record }];
    }),
  );
  return all.map(({ name, record }) => ({
    name,
    keys: record.keys,
    encrypted: record.keyspaceId !== undefined,
    settings: record.text,
    sortedSets: () => namesOf(core, record, SORTED_SET),
    lists: () => namesOf(core, record, LIST),
    vectorKeys: () => keysOf(core, record, record.vectorSlots),
    pages: pagesOf(record),
    deadlinesBy: (moment) =>
      core.readingPinned(() => expiredCount(core.source.of(record), record.expiry, moment)),
  }));
}

function pagesOf(record: KeyspaceRecord): number {
  const extents = record.overflowPages + record.elementPages;
  return treesOf(record).reduce((sum, it) => sum + it.leafPages + it.branchPages, extents);
}

function* namesOf(core: Core, record: KeyspaceRecord, type: number): Generator<string> {
  for (const key of keysOf(core, record, record.names)) {
    if (key[0] === type) yield Buffer.from(key.subarray(1)).toString();
  }
}

/** All keys of a tree, leaf by leaf; in between anything may be read. */
function* keysOf(
  core: Core,
  record: KeyspaceRecord,
  tree: Readonly<TreeRoot>,
): Generator<Uint8Array> {
  const source = core.source.of(record);
  const cursor = new Cursor(source, { ...tree });
  const buffer = new Uint8Array(TREE_KEY_BYTES_MAX);
  let isThere = core.readingPinned(() => cursor.seekRank(0));
  while (isThere) {
    const keys = core.readingPinned(() => {
      const leaf = cursor.leaf();
      return Array.from({ length: entryCount(source.memory, leaf) }, (_, index) => {
        return buffer.slice(0, copyKey(source.memory, leaf, index, buffer, 0));
      });
    });
    yield* keys;
    isThere = core.readingPinned(() => cursor.moveLeaf(1));
  }
}
