/**
 * From rank to rank of one tree, leaf by leaf, in either direction.
 */
import type { PageId } from '../ids.js';
import { entryCount } from '../pages/page.js';
import { PageMismatch } from '../pages/page-file.js';
import type { PageSource } from '../pages/page-source.js';
import type { TreeRoot } from '../tree-root.js';
import { Cursor } from './cursor.js';

/** Entries of one leaf; its address is good until the next page is fetched. */
export interface RankRun {
  readonly leaf: number;
  /** Of the first of them, from which they go on by `step`. */
  readonly index: number;
  readonly step: 1 | -1;
  readonly count: number;
}

export class RankWalk {
  readonly #source: PageSource;
  readonly #cursor: Cursor;
  readonly #root: PageId;
  readonly #end: number;
  readonly #step: 1 | -1;
  #rank: number;
  #isPlaced = false;

  /** Walks from `start` up to, not including, `end`; with `reverse` down to it. */
  constructor(
    source: PageSource,
    tree: Readonly<TreeRoot>,
    start: number,
    end: number,
    reverse: boolean,
  ) {
    this.#source = source;
    this.#cursor = new Cursor(source, { ...tree });
    this.#root = tree.pageId;
    this.#rank = start;
    this.#end = end;
    this.#step = reverse ? -1 : 1;
  }

  get isAtEnd(): boolean {
    return this.#step < 0 ? this.#rank <= this.#end : this.#rank >= this.#end;
  }

  /** The entries of the next leaf that are on the way. Only when it is not at its end. */
  nextLeaf(): RankRun {
    const step = this.#step;
    const cursor = this.#cursor;
    const isThere = this.#isPlaced ? cursor.moveLeaf(step) : cursor.seekRank(this.#rank);
    if (!isThere) throw new PageMismatch(this.#root, 'fewer entries than the tree counts');
    this.#isPlaced = true;
    const leaf = cursor.leaf();
    const { index } = cursor;
    const onwards = step < 0 ? index + 1 : entryCount(this.#source.memory, leaf) - index;
    const count = Math.min(onwards, Math.abs(this.#end - this.#rank));
    this.#rank += count * step;
    return { leaf, index, step, count };
  }
}
