/**
 * Proves that every page of the file is reached exactly once or is free.
 */
import { type CheckReport, FileChecker } from '../shared/keyspaces/check-keyspace.js';
import type { Engine } from './engine.js';
import { firstDataPage } from './pages/page-file-writer.js';

/** Walks everything of the newest committed state; no transaction may be open. */
export function checkFile(engine: Engine): CheckReport {
  const { source, catalog, free, memory, committedPageCount } = engine;
  const checker = new FileChecker(source, committedPageCount);
  checker.checkTrees(catalog);
  checker.claimRun(0, firstDataPage(memory.pageSize), 'meta area');
  free.forEachUnused((start, length) => checker.claimRun(start, length, 'free list'));
  for (const { pageId, length } of engine.freeExtents) {
    checker.claimRun(pageId, Math.ceil(length / memory.pageSize), 'free log');
  }
  return checker.finish();
}
