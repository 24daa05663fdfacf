/**
 * Counts the pages of a file that are in use, by reaching each of them: the slow twin of what
 * `stats()` knows.
 */
import { readFileSync } from 'node:fs';
import { FileChecker } from '../../dist/shared/keyspaces/check-keyspace.js';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';
import { NO_LOCKS } from '../../dist/shared/pages/file-locks.js';
import { unusedRuns } from '../../dist/writer/check-file.js';
import { Engine } from '../../dist/writer/engine.js';
import { DiskImage } from '../crash/disk-image.js';
import { SimulatedFile } from '../crash/simulated-disk.js';

const PAGE_SIZE_OFFSET = 16;

/** Counts what is claimed by anybody. */
class CountingChecker extends FileChecker {
  count = 0;

  override claimRun(start: number, length: number, owner: string): boolean {
    this.count += length;
    return super.claimRun(start, length, owner);
  }
}

/** The pages of a file, read as it is now by an engine of its own that writes nothing. */
export function walkedPages(path: string): { pageCount: number; livePages: number } {
  const bytes = readFileSync(path);
  const pageSize = bytes.readUInt32LE(PAGE_SIZE_OFFSET);
  const memory = new SharedMemory(createMemoryHandle(pageSize, 256 * pageSize));
  const image = new DiskImage();
  image.write(bytes, 0);
  const engine = new Engine({
    ...{ memory, slot: claimThreadSlot(memory, 0), file: new SimulatedFile(image) },
    ...{ bootId: new Uint8Array(16), sync: 'full', locks: NO_LOCKS },
  });
  const pageCount = engine.committedPageCount;
  const checker = new CountingChecker(engine.source, pageCount);
  engine.source.enter();
  checker.checkTrees(engine.catalog);
  const runs = unusedRuns(engine);
  for (const { start, length, isLog } of runs) if (start === 0 || isLog) checker.count += length;
  return { pageCount, livePages: checker.count };
}
