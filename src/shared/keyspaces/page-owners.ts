/**
 * What the pages of a state are for: a walk over all its trees that tells of each page, for maps
 * and figures. Nothing is proved here (check-keyspace.ts does that): a page is read for what it
 * says of itself and of the pages below.
 */
import { OVERFLOW_FLAG, payloadOffset } from '../bytes/value-codec.js';
import { MnemeError } from '../errors.js';
import type { PagePointer } from '../ids.js';
import { EXTENT_BYTES_MAX, TREE_KEY_BYTES_MAX } from '../limits.js';
import {
  dataExtents,
  EXTENT_ENTRY_BYTES,
  overflowPointer,
  payloadPageCount,
} from '../pages/overflow-page.js';
import { entryCount } from '../pages/page.js';
import type { PageSource } from '../pages/page-source.js';
import { childPointer, copyKey, usedBytes, valueAddress, valueLength } from '../tree/node.js';
import type { TreeRoot } from '../tree-root.js';
import {
  catalogKey,
  DROPPED_KEY,
  DROPPED_SEALED_KEY,
  type DroppedTree,
  decodeDropped,
  keyspaceNames,
  readKeyspace,
  TREES,
  type TreeName,
} from './catalog.js';

/** Whose pages they are. */
export interface PageOwner {
  /** Undefined for what no keyspace has: the catalog, and what was dropped. */
  readonly keyspace?: string;
  readonly tree: TreeName | 'catalog' | 'dropped';
}

/** A node of a tree, or an extent with a part of a long value. */
export interface OwnedPages {
  readonly owner: PageOwner;
  readonly start: number;
  readonly length: number;
  /** Undefined for an extent. */
  readonly node?: {
    readonly level: number;
    readonly entries: number;
    /** Of `memory.nodeBytes`. */
    readonly usedBytes: number;
  };
}

interface WalkedTree {
  readonly source: PageSource;
  readonly owner: PageOwner;
  readonly hasExtents: boolean;
}

/**
 * Every page that the catalog of a state leads to, in no particular order. Each step reads a node
 * and must be made while the state is pinned. Of encrypted keyspaces whose key is not here, nothing
 * is told but their names, to `onLocked`.
 */
export function* ownedPages(
  source: PageSource,
  catalog: Readonly<TreeRoot>,
  onLocked: (keyspace: string) => void,
): Generator<OwnedPages, void> {
  const dropped: DroppedTree[] = [];
  const inCatalog = { source, owner: { tree: 'catalog' }, hasExtents: false } as const;
  yield* pagesOfTree(inCatalog, catalog, (leaf) => dropped.push(...droppedIn(source, leaf)));
  for (const tree of dropped) {
    if (tree.keyspaceId !== undefined && source.keys.publicKey === undefined) continue;
    const { hasExtents } = tree;
    yield* pagesOfTree({ source: source.of(tree), owner: { tree: 'dropped' }, hasExtents }, tree);
  }
  for (const keyspace of keyspaceNames(source, catalog)) {
    const record = unlessLocked(() =>
      readKeyspace(source, catalog, catalogKey(Buffer.from(keyspace))),
    );
    if (record === undefined) onLocked(keyspace);
    else {
      for (const tree of TREES) {
        const hasExtents = tree === 'values' || tree === 'elements';
        const walked = { source: source.of(record), owner: { keyspace, tree }, hasExtents };
        yield* pagesOfTree(walked, record[tree]);
      }
    }
  }
}

function unlessLocked<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isLocked(error)) return undefined;
    throw error;
  }
}

/** True when something could not be read for want of a key. */
export function isLocked(error: unknown): boolean {
  if (!(error instanceof MnemeError)) return false;
  return ['ERR_MNEME_KEY_REQUIRED', 'ERR_MNEME_KEY_NOT_AUTHORIZED'].includes(error.code);
}

/** Subtrees of dropped keyspaces that a leaf of the catalog names: they are still to be freed. */
export function droppedIn({ memory }: PageSource, leaf: number): DroppedTree[] {
  const dropped: DroppedTree[] = [];
  const key = new Uint8Array(TREE_KEY_BYTES_MAX);
  for (let index = 0; index < entryCount(memory, leaf); index++) {
    copyKey(memory, leaf, index, key, 0);
    if (key[0] !== DROPPED_KEY && key[0] !== DROPPED_SEALED_KEY) continue;
    const at = valueAddress(memory, leaf, index);
    dropped.push(decodeDropped(memory.u8, at, valueLength(memory, leaf, index)));
  }
  return dropped;
}

interface Subtree extends PagePointer {
  readonly level: number;
}

function* pagesOfTree(
  { source, owner, hasExtents }: WalkedTree,
  root: Readonly<Subtree>,
  visitLeaf: (leaf: number) => void = () => undefined,
): Generator<OwnedPages, void> {
  if (root.level < 0) return;
  const { memory } = source;
  const stack: Subtree[] = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { pageId, level } = next;
    const node = source.fetchPointer(next, level);
    const entries = entryCount(memory, node);
    const about = { level, entries, usedBytes: usedBytes(memory, node) };
    const pointers = level === 0 && hasExtents ? longPayloads(source, node) : [];
    if (level === 0) visitLeaf(node);
    else {
      for (let index = entries - 1; index >= 0; index--) {
        stack.push({ ...childPointer(memory, node, index), level: level - 1 });
      }
    }
    yield { owner, start: pageId, length: 1, node: about };
    for (const { length, pointer } of pointers) {
      for (const run of extentRuns(source, length, pointer)) yield { owner, ...run };
    }
  }
}

/** Where the long values of a leaf begin, and how long they are. */
export function longPayloads({ memory }: PageSource, leaf: number) {
  const pointers: ReturnType<typeof overflowPointer>[] = [];
  for (let index = 0; index < entryCount(memory, leaf); index++) {
    const at = valueAddress(memory, leaf, index);
    if (((memory.u8[at] as number) & OVERFLOW_FLAG) === 0) continue;
    pointers.push(overflowPointer(memory.u8, payloadOffset(memory.u8, at)));
  }
  return pointers;
}

/** Where a long value lies, and the list of its extents. */
export function extentRuns(source: PageSource, length: number, first: PagePointer) {
  const extents = dataExtents(source, length, first);
  const runs = extents.map(({ pageId }, part) => {
    const bytes = Math.min(EXTENT_BYTES_MAX, length - part * EXTENT_BYTES_MAX);
    return { start: pageId as number, length: payloadPageCount(source, bytes) };
  });
  if (extents.length > 1) {
    const listPages = payloadPageCount(source, extents.length * EXTENT_ENTRY_BYTES);
    runs.push({ start: first.pageId, length: listPages });
  }
  return runs;
}
