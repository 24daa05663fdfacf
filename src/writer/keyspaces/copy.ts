/**
 * Keyspaces that are copied from another file: their entries come in the order of their keys, as
 * their records are, and go to the ends of their trees.
 *
 * What goes to the end of a tree fills each page before it begins the next (tree/rebalance.ts), so
 * the trees of a copy are as small as they can be.
 */
import { readU32 } from '../../shared/bytes/integers.js';
import { decodeKeyspace, treesOf } from '../../shared/keyspaces/catalog.js';
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import type { ExtentPointer } from '../../shared/pages/overflow-page.js';
import type { Tree } from '../../shared/tree-root.js';
import type { KeyspaceHost } from './keyspace-host.js';
import type { OpenKeyspace } from './open-keyspace.js';
import type { KeyRange } from './values.js';

const LENGTH_BYTES = 4;

/** A record where it lies, or what comes before its payload and the extents that hold that. */
export interface CopiedRecord extends KeyRange {
  readonly extents: readonly ExtentPointer[] | undefined;
}

export class CopyWriter {
  readonly #engine: KeyspaceHost;
  readonly #memory: SharedMemory;

  constructor(engine: KeyspaceHost) {
    this.#engine = engine;
    this.#memory = engine.memory;
  }

  /**
   * Begins a keyspace with settings and counters; its trees are empty. An encrypted one has a key
   * of its own here.
   */
  begin(keyspace: OpenKeyspace, start: number, end: number): void {
    this.#engine.pages.spareNone();
    const { keyspaceId } = keyspace.record;
    keyspace.record = { ...decodeKeyspace(this.#memory.u8, start, end - start), keyspaceId };
    keyspace.changed = true;
  }

  /** Appends an entry to the tree at a place in `treesOf`. */
  append(keyspace: OpenKeyspace, place: number, key: KeyRange, record: CopiedRecord): void {
    const tree = treesOf(keyspace.record)[place];
    if (tree === undefined) throw new RangeError(`no tree has place ${place}`);
    const bytes = record.extents === undefined ? record : this.#withExtents(keyspace, tree, record);
    const { trees } = this.#engine;
    trees.locate(tree, key.bytes, key.start, key.end);
    trees.put(tree, bytes.bytes, bytes.start, bytes.end - bytes.start);
    keyspace.changed = true;
  }

  /** The record with the pointer to its payload's new extents. */
  #withExtents({ record }: OpenKeyspace, tree: Tree, copied: CopiedRecord): KeyRange {
    const { overflow } = this.#engine;
    const headEnd = copied.end - LENGTH_BYTES;
    const length = readU32(copied.bytes, headEnd);
    const head = copied.bytes.subarray(copied.start, headEnd);
    const bytes = Buffer.concat([head, overflow.finish(copied.extents ?? [], length)]);
    const pageCount = overflow.pagesOf(length);
    if (tree === record.elements) record.elementPages += pageCount;
    else record.overflowPages += pageCount;
    return { bytes, start: 0, end: bytes.length };
  }
}
