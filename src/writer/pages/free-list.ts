/**
 * Which pages may be taken, and which were freed but can still be seen.
 *
 * A page born in transaction b and freed in f may be reused if and only if no protected state s has
 * b <= s < f. What cannot be reused yet waits under the largest such s and is looked at again when
 * s is no longer protected; so a snapshot held for long costs what it can see, and nothing is ever
 * scanned twice for the same reason.
 *
 * In the file the free state is a base, an extent that lists everything, and behind it a log in the
 * meta page: what each later commit took and freed. When the log grows past a share of the base a
 * new base is written. So a small commit writes no page for it, and a large one few. free-state.ts
 * draws both.
 */
import { VarintReader } from '../../shared/bytes/varint.js';
import type { TxnId } from '../../shared/ids.js';
import {
  encodeBase,
  type FreeChange,
  type FreedRun,
  LoadedRuns,
  type PageRun,
} from './free-state.js';
import { PageBitmap } from './page-bitmap.js';

export class FreeList {
  readonly free = new PageBitmap();
  /** By the protected state that still sees them. */
  readonly #waiting = new Map<TxnId, FreedRun[]>();
  readonly #onReusable: (run: PageRun) => void;
  waitingPages = 0;

  /** @param onReusable - Told of each run at the moment that it may be reused. */
  constructor(onReusable: (run: PageRun) => void) {
    this.#onReusable = onReusable;
  }

  /** Takes in what a commit freed; `protectedStates` rise. */
  addFreed(freed: readonly FreedRun[], protectedStates: readonly TxnId[]): void {
    for (const run of freed) this.#file(run, protectedStates);
  }

  /** Looks again at what waited for states that are no longer protected. */
  review(protectedStates: readonly TxnId[]): void {
    if (this.#waiting.size === 0) return;
    for (const [state, runs] of [...this.#waiting]) {
      if (protectedStates.includes(state)) continue;
      this.#waiting.delete(state);
      for (const run of runs) {
        this.waitingPages -= run.length;
        this.#file(run, protectedStates);
      }
    }
  }

  #file(run: FreedRun, protectedStates: readonly TxnId[]): void {
    let seenBy = -1;
    for (const state of protectedStates) {
      if (state >= run.freedBy) break;
      seenBy = state;
    }
    if (seenBy < run.birth) {
      this.#onReusable(run);
      this.free.add(run.start, run.length);
      return;
    }
    this.waitingPages += run.length;
    const runs = this.#waiting.get(seenBy);
    if (runs === undefined) this.#waiting.set(seenBy, [run]);
    else runs.push(run);
  }

  /** All pages that no current state uses: free runs, then waiting ones. */
  forEachUnused(visit: (start: number, length: number) => void): void {
    this.free.forEachRun(visit);
    for (const runs of this.#waiting.values()) {
      for (const run of runs) visit(run.start, run.length);
    }
  }

  /** The whole free state as a base, with `change` applied. */
  encodeBase(change: FreeChange): Uint8Array {
    const free: PageRun[] = [];
    this.free.forEachRun((start, length) => free.push({ start, length }));
    const groups = new Map<TxnId, FreedRun[]>([[change.freedBy, [...change.freed]]]);
    for (const runs of this.#waiting.values()) {
      for (const run of runs) {
        const group = groups.get(run.freedBy);
        if (group === undefined) groups.set(run.freedBy, [run]);
        else group.push(run);
      }
    }
    return encodeBase(free, groups);
  }

  /** Reads base and log. Whatever they hold waits for a review. */
  load(base: Uint8Array | undefined, log: Uint8Array, pageCount: number): void {
    const loaded = new LoadedRuns(pageCount);
    if (base !== undefined) loaded.readBase(new VarintReader(base));
    const reader = new VarintReader(log);
    while (!reader.atEnd) loaded.readChange(reader);
    const waiting: FreedRun[] = [];
    for (const [page, origin] of loaded.pages) {
      if (origin.freedBy === 0) this.free.add(page, 1);
      else waiting.push({ start: page, length: 1, ...origin });
    }
    this.waitingPages = waiting.length;
    this.#waiting.set(NOT_REVIEWED, waiting);
  }
}

/** No state has this number, so the first review looks at what waits under it. */
const NOT_REVIEWED = -1;
