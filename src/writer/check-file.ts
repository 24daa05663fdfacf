/**
 * Which pages of the file no tree uses, and the proof that every page is reached once or is one of
 * them.
 */
import { type CheckReport, FileChecker } from '../shared/keyspaces/check-keyspace.js';
import { firstDataPage } from '../shared/pages/meta-page.js';
import type { Engine } from './engine.js';

export interface UnusedRun {
  readonly start: number;
  readonly length: number;
  /** True when the record of the free pages stands there. */
  readonly isLog: boolean;
}

/** The pages that are in no tree of the committed state, as long as no transaction has begun. */
export function unusedRuns({ free, memory, freeExtents }: Engine): UnusedRun[] {
  const runs = [{ start: 0, length: firstDataPage(memory.pageSize), isLog: false }];
  free.forEachUnused((start, length) => runs.push({ start, length, isLog: false }));
  for (const { pageId, length } of freeExtents) {
    runs.push({ start: pageId, length: Math.ceil(length / memory.pageSize), isLog: true });
  }
  return runs;
}

/** Walks everything of the newest committed state; no transaction may be open. */
export function checkFile(engine: Engine): CheckReport {
  const checker = new FileChecker(engine.enterCatalog(), engine.committedPageCount);
  checker.checkTrees(engine.catalog);
  for (const { start, length, isLog } of unusedRuns(engine)) {
    checker.claimRun(start, length, isLog ? 'free log' : 'free list');
  }
  return checker.finish();
}
