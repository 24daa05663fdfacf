/**
 * Reads members of a sorted set with their scores in order, one leaf at a time.
 */
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { readEntries, type SortedSetEntry } from '../shared/keyspaces/sorted-set.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { RankWalk } from '../shared/tree/rank-walk.js';
import type { ItemReader } from './item-reader.js';

/** Reads `count` members from a rank among all sets on. */
export class SortedSetReader implements ItemReader<SortedSetEntry> {
  readonly #source: PageSource;
  readonly #walk: RankWalk;
  #entries: SortedSetEntry[] = [];
  #position = 0;

  constructor(
    source: PageSource,
    record: KeyspaceRecord,
    start: number,
    count: number,
    reverse: boolean,
  ) {
    this.#source = source;
    const end = reverse ? start - count : start + count;
    this.#walk = new RankWalk(source, record.ranks, start, end, reverse);
  }

  get hasRead(): boolean {
    return this.#position < this.#entries.length;
  }

  get isAtEnd(): boolean {
    return this.#walk.isAtEnd;
  }

  readLeaf(): void {
    this.#entries = [];
    this.#position = 0;
    if (!this.isAtEnd) readEntries(this.#source, this.#walk.nextLeaf(), this.#entries);
  }

  take(): { readonly item: SortedSetEntry } {
    return { item: this.#entries[this.#position++] as SortedSetEntry };
  }

  readAll(): SortedSetEntry[] {
    while (!this.isAtEnd) readEntries(this.#source, this.#walk.nextLeaf(), this.#entries);
    return this.#entries;
  }
}
