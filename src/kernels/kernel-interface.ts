/**
 * What every set of kernels offers, compiled or plain. Addresses and lengths are bytes of the one
 * shared memory. Layouts are drawn in shared/tree/node.ts (nodes), shared/tree/walk.ts (walk
 * records) and assembly/run.ts (runs).
 */

/** A node of the tree, and the way from a root to a leaf. */
export interface NodeKernels {
  /** The index of the entry that has the key, else the complement of where it would stand. */
  findKey(node: number, nodeBytes: number, key: number, end: number): number;
  /**
   * Goes on from the step at `level` to the leaf of a key; `node` is that step's page where it is
   * known, else 0. Returns -1 at the leaf, else the level whose page is not in the cache, or is a
   * page of another level.
   */
  descend(walk: number, level: number, node: number, key: number, end: number): number;
  /** Adds to the counts of the branches on the way, from a level up to the root's. */
  addToCounts(walk: number, from: number, root: number, difference: number): void;
  /** Moves the cells together; `spare` has room for a page. */
  compactNode(node: number, nodeBytes: number, spare: number): void;
  /**
   * Makes room for an entry and writes its key. Returns where its value or child goes, 0 when it
   * does not fit or lacks the node's prefix.
   */
  insertEntry(
    node: number,
    nodeBytes: number,
    index: number,
    key: number,
    end: number,
    valueLength: number,
    spare: number,
  ): number;
  removeEntry(node: number, index: number): void;
  /**
   * Writes the keys of entries from `from` on, `step` apart, one behind the other, as many of
   * `count` as fit below `limit`; their lengths go to `lengths`, 4 bytes each, and behind the last
   * 1 when a byte of them is above 127, else 0. Returns how many keys were written.
   */
  copyKeys(
    node: number,
    nodeBytes: number,
    from: number,
    step: number,
    count: number,
    out: number,
    limit: number,
    lengths: number,
  ): number;
}

/** Entries of neighbouring nodes in a row, to be dealt out anew. */
export interface RunKernels {
  /** Appends the entries `from` to `to` of a node's copy; returns the new length. */
  appendEntries(run: number, length: number, source: number, from: number, to: number): number;
  /** Bytes of a page that holds the entries `from` to `to`. */
  runBytes(
    run: number,
    from: number,
    to: number,
    fresh: number,
    nodeBytes: number,
    level: number,
    spare: number,
  ): number;
  /**
   * Divides a run into even shares, at least `sharesMin`, that fit pages full to `fillMax`; writes
   * where each begins, and the length behind. Returns their number.
   */
  dealRun(
    run: number,
    length: number,
    fresh: number,
    nodeBytes: number,
    level: number,
    fillMax: number,
    sharesMin: number,
    borders: number,
    spare: number,
  ): number;
  /** Fills a page, whose id and birth stay, with the entries `from` to `to`. */
  writeRun(
    run: number,
    from: number,
    to: number,
    fresh: number,
    target: number,
    nodeBytes: number,
    level: number,
    spare: number,
  ): void;
  /** Entries below the children `from` to `to` of a branch's run. */
  runChildCount(run: number, from: number, to: number, fresh: number): number;
  /** Writes the key that parts entry `index` from the one before to `spare`; returns its length. */
  runSeparator(
    run: number,
    index: number,
    fresh: number,
    nodeBytes: number,
    level: number,
    spare: number,
  ): number;
}

/** The scan over rows of int8 codes; shared/bytes/vector-codes.ts draws what it works on. */
export interface VectorKernels {
  /** Scans one leaf; false when it is not a leaf of codes. The output has room for it. */
  scanLeaf(query: number, leaf: number): boolean | 0 | 1;
  /**
   * Scans the children `from` to `to` of a branch above leaves of codes. Returns where it stopped:
   * `to`, or the first child of a group that is not in the cache or finds no room for its output;
   * below 0, the complement of a child that is not a leaf of codes, or of one near it.
   */
  scanLeaves(query: number, walk: number, branch: number, from: number, to: number): number;
  /**
   * Judges `count` vectors whose parts lie one behind another at `parts`, the first of them with
   * the given slot. Writes the survivors to `out` and returns where they end.
   */
  judgeParts(query: number, parts: number, count: number, slot: number, out: number): number;
}

/**
 * A text search over blocks of postings, a window of documents at a time; scalar-text.ts draws the
 * record of a window. A block that lies in several windows is given to each of them.
 */
export interface TextKernels {
  /**
   * Adds what the postings of a leaf's entries `from` to `to` score, of documents in the window,
   * and makes these hits. False when an entry is no block.
   */
  addPostings(window: number, leaf: number, from: number, to: number): boolean | 0 | 1;
  /** The same for documents that are hits already, which become seen. */
  probePostings(window: number, leaf: number, from: number, to: number): boolean | 0 | 1;
  /** Forgets the hits that are not seen; then none is. */
  keepSeen(window: number): void;
  /** Then none is seen. */
  forgetSeen(window: number): void;
  /** Forgets the hits whose scores are below the floor. */
  pruneHits(window: number): void;
  /**
   * Writes the hits that are not, by rising number, and forgets all: 4 bytes the number, 4 of no
   * meaning, 8 the score. Returns how many.
   */
  takeHits(window: number, out: number): number;
}

export interface Kernels extends NodeKernels, RunKernels, VectorKernels, TextKernels {
  readonly compiled: boolean;
  /** Writes the 8 bytes of xxHash64 of a range to `out`, low word first. */
  hash64(address: number, length: number, seedLow: number, seedHigh: number, out: number): void;
  /** Moves bytes within the memory; the ranges may overlap. */
  copyBytes(target: number, source: number, length: number): void;
}
