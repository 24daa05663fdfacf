/**
 * Proves that every page of the file is reached exactly once or is free.
 */
import { MnemeError } from '../shared/errors.js';
import { listKeyspaces, treesOf } from '../shared/keyspaces/catalog.js';
import { type CheckReport, FileChecker } from '../shared/keyspaces/check-keyspace.js';
import { PageMismatch } from '../shared/pages/page-file.js';
import type { Engine } from './engine.js';
import { firstDataPage } from './pages/page-file-writer.js';

/** Walks everything of the newest committed state; no transaction may be open. */
export function checkFile(engine: Engine): CheckReport {
  const { source, catalog, free, memory, committedPageCount } = engine;
  const checker = new FileChecker(source, committedPageCount);
  checker.checkCatalog(catalog);
  try {
    for (const { name, record } of listKeyspaces(source, catalog)) {
      checker.checkKeyspace(name, record, treesOf(record));
    }
  } catch (error) {
    if (!(error instanceof PageMismatch || error instanceof MnemeError)) throw error;
    checker.addProblem(0, `the catalog cannot be listed: ${error.message}`);
  }
  checker.claimRun(0, firstDataPage(memory.pageSize), 'meta area');
  free.forEachUnused((start, length) => checker.claimRun(start, length, 'free list'));
  for (const { pageId, length } of engine.freeExtents) {
    checker.claimRun(pageId, Math.ceil(length / memory.pageSize), 'free log');
  }
  return checker.finish();
}
