/**
 * A map of the file: what each page is for in the newest state, and how full its trees are. For
 * tools that show it; made in steps, so that who makes it can do other things in between.
 */
import { type OwnedPages, ownedPages, type PageOwner } from '../shared/keyspaces/page-owners.js';
import { readFreeState } from '../shared/pages/free-state.js';
import { firstDataPage, type Meta } from '../shared/pages/meta-page.js';
import { extentPageCount } from '../shared/pages/overflow-page.js';
import { PageBitmap } from '../shared/pages/page-bitmap.js';
import type { Core } from './core.js';
import type { Database } from './database.js';
import type { Snapshot } from './snapshot.js';

/** What pages can be for besides trees. */
export type PageUse = 'tree' | 'meta' | 'free log' | 'free' | 'retired' | 'unknown';

/** Pages with one use; those of a tree with its long values. */
export interface MappedUse extends Partial<PageOwner> {
  readonly use: PageUse;
  pages: number;
}

/** Figures of one tree. */
export interface MappedTree extends PageOwner {
  /** Levels; 1 for a single leaf. */
  depth: number;
  leafPages: number;
  branchPages: number;
  /** Pages with its long values. */
  extentPages: number;
  entries: number;
  /** Share of its leaves that is in use, 0 to 1. */
  fill: number;
}

export interface PageMap {
  readonly txnId: bigint;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly pagesPerCell: number;
  /** Of each cell, which of the uses most of its pages have. */
  readonly cells: Uint16Array;
  readonly uses: readonly MappedUse[];
  readonly trees: readonly MappedTree[];
  /** Encrypted keyspaces whose key is not here: their pages are 'unknown'. */
  readonly locked: readonly string[];
}

/** Pages that are read in a step. */
const PAGES_PER_STEP = 128;
const ATTEMPTS_MAX = 16;

/**
 * Maps the newest state; each step tells how many pages have been looked at.
 * @param cellsMax - A cell stands for several pages when the file has more pages than this.
 */
export function* mapPages(database: Database, cellsMax: number): Generator<number, PageMap> {
  const { snapshot, meta } = newestWithMeta(database);
  try {
    const { core, state } = snapshot.origin;
    const mapper = new Mapper(state.pageCount, core.memory.nodeBytes);
    mapper.claim({ use: 'meta' }, 0, firstDataPage(core.memory.pageSize));
    if (meta !== undefined) core.readingPinned(() => claimUnused(core, meta, mapper));
    const locked: string[] = [];
    const walk = ownedPages(core.source, state.catalog, (name) => locked.push(name));
    for (let isDone = false; !isDone; ) {
      isDone = core.readingPinned(() => takeStep(walk, mapper));
      if (!isDone) yield mapper.done;
    }
    const { pageCount, txnId } = state;
    const { pageSize } = core.memory;
    return { txnId: BigInt(txnId), pageSize, pageCount, locked, ...mapper.result(cellsMax) };
  } finally {
    snapshot.close();
  }
}

/** True when nothing is left. */
function takeStep(walk: Generator<OwnedPages, void>, mapper: Mapper): boolean {
  for (let count = 0; count < PAGES_PER_STEP; count++) {
    const { done, value } = walk.next();
    if (done === true) return true;
    mapper.take(value as OwnedPages);
  }
  return false;
}

/** A state and what the file says of it; without that when commits follow each other too fast. */
function newestWithMeta(database: Database): { snapshot: Snapshot; meta: Meta | undefined } {
  for (let attempt = 1; ; attempt++) {
    const snapshot = database.snapshot();
    const { core, state } = snapshot.origin;
    const meta = core.newestMeta();
    if (meta?.txnId === state.txnId) return { snapshot, meta };
    if (attempt === ATTEMPTS_MAX) return { snapshot, meta: undefined };
    snapshot.close();
  }
}

/** Pages that no tree has: nobody's any more, or those of states that somebody still reads. */
function claimUnused(core: Core, meta: Meta, mapper: Mapper): void {
  const oldest = core.oldestReader();
  // What the last commit replaced is kept until the next is as durable.
  const newest = meta.txnId - 1;
  const protectedState = Math.min(Number(oldest?.txnId ?? newest), newest);
  const free = new PageBitmap();
  const { seen, extents } = readFreeState(core.source, meta, protectedState, free);
  free.forEachRun((start, length) => mapper.claim({ use: 'free' }, start, length));
  seen.forEachRun((start, length) => mapper.claim({ use: 'retired' }, start, length));
  for (const { pageId, length } of extents) {
    mapper.claim({ use: 'free log' }, pageId, extentPageCount(length, core.memory.pageSize));
  }
}

class Mapper {
  done = 0;
  readonly #nodeBytes: number;
  /** Of each page, the place of its use. */
  readonly #pages: Uint16Array;
  readonly #uses: MappedUse[] = [];
  readonly #places = new Map<string, number>();
  readonly #trees = new Map<string, MappedTree & { usedBytes: number }>();

  constructor(pageCount: number, nodeBytes: number) {
    this.#nodeBytes = nodeBytes;
    this.#pages = new Uint16Array(pageCount);
    this.#place({ use: 'unknown' });
  }

  #place(use: Omit<MappedUse, 'pages'>): number {
    const name = JSON.stringify([use.use, use.keyspace, use.tree]);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#uses.push({ ...use, pages: 0 }) - 1;
    this.#places.set(name, place);
    return place;
  }

  claim(use: Omit<MappedUse, 'pages'>, start: number, length: number): void {
    this.#pages.fill(this.#place(use), start, start + length);
  }

  take({ owner, start, length, node }: OwnedPages): void {
    this.done += length;
    this.claim({ use: 'tree', ...owner }, start, length);
    const tree = this.#treeOf(owner);
    if (node === undefined) tree.extentPages += length;
    else if (node.level > 0) tree.branchPages++;
    else {
      tree.leafPages++;
      tree.entries += node.entries;
      tree.usedBytes += node.usedBytes;
    }
    tree.depth = Math.max(tree.depth, (node?.level ?? 0) + 1);
  }

  #treeOf(owner: PageOwner) {
    const name = JSON.stringify([owner.keyspace, owner.tree]);
    const known = this.#trees.get(name);
    if (known !== undefined) return known;
    const counts = { depth: 0, leafPages: 0, branchPages: 0, extentPages: 0, entries: 0 };
    const tree = { ...owner, ...counts, fill: 0, usedBytes: 0 };
    this.#trees.set(name, tree);
    return tree;
  }

  result(cellsMax: number) {
    const pages = this.#pages;
    for (const place of pages) (this.#uses[place] as MappedUse).pages++;
    const pagesPerCell = Math.max(1, Math.ceil(pages.length / cellsMax));
    const cells = pagesPerCell === 1 ? pages : mostFrequent(pages, pagesPerCell);
    const trees = [...this.#trees.values()].map(({ usedBytes, ...tree }): MappedTree => {
      return { ...tree, fill: usedBytes / (tree.leafPages * this.#nodeBytes) };
    });
    return { pagesPerCell, cells, uses: this.#uses, trees };
  }
}

/** Of each so many numbers the one that is there most often. */
function mostFrequent(numbers: Uint16Array, count: number): Uint16Array {
  const result = new Uint16Array(Math.ceil(numbers.length / count));
  const times = new Map<number, number>();
  for (let cell = 0; cell < result.length; cell++) {
    times.clear();
    let best = 0;
    for (const number of numbers.subarray(cell * count, (cell + 1) * count)) {
      const seen = (times.get(number) ?? 0) + 1;
      times.set(number, seen);
      if (seen > best) {
        best = seen;
        result[cell] = number;
      }
    }
  }
  return result;
}
