/**
 * Which pages may be taken, and which were freed but can still be seen.
 *
 * A page born in transaction b and freed in f may be reused if and only if no protected state s has
 * b <= s < f. What cannot be reused yet waits under the largest such s and is looked at again when
 * s is no longer protected; so a snapshot held for long costs what it can see, and nothing is ever
 * scanned twice for the same reason. free-log.ts says how all this gets into the file.
 */
import type { TxnId } from '../../shared/ids.js';
import { PageBitmap } from '../../shared/pages/page-bitmap.js';
import { PageSweep } from './page-sweep.js';

export interface PageRun {
  readonly start: number;
  readonly length: number;
}

/** Pages made by transaction `birth` that transaction `freedBy` does not use any more. */
export interface FreedRun extends PageRun {
  readonly birth: TxnId;
  readonly freedBy: TxnId;
}

export class FreeList {
  /** Pages that may be taken. */
  readonly free = new PageBitmap();
  /** Takes them and gives them back. */
  readonly sweep = new PageSweep(this.free);
  /** Pages that were freed and may not be taken yet. */
  readonly waiting = new PageBitmap();
  /** The same by the protected state that still sees them. */
  readonly #waitingFor = new Map<TxnId, FreedRun[]>();
  readonly #onReusable: (run: PageRun) => void;

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
    for (const [state, runs] of this.#waitingFor) {
      if (protectedStates.includes(state)) continue;
      this.#waitingFor.delete(state);
      for (const run of runs) {
        this.waiting.remove(run.start, run.length);
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
      this.sweep.giveBack(run.start, run.length);
      return;
    }
    this.waiting.add(run.start, run.length);
    const runs = this.#waitingFor.get(seenBy);
    if (runs === undefined) this.#waitingFor.set(seenBy, [run]);
    else runs.push(run);
  }

  /** All pages that no current state uses: free runs, then waiting ones. */
  forEachUnused(visit: (start: number, length: number) => void): void {
    this.free.forEachRun(visit);
    for (const runs of this.#waitingFor.values()) {
      for (const run of runs) visit(run.start, run.length);
    }
  }
}
