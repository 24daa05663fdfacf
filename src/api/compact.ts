/**
 * Compaction and backup: one committed state as a file of its own, while others go on.
 *
 * Both are the same copy (copy.ts), made aside, read back and proved, and given its name in the
 * end. A backup is no copy of pages: those would bring along what is free, and which pages that is
 * only the writer knows, for the newest state. They differ in one thing. Compaction leaves behind
 * what has expired; a backup decides nothing and keeps it until somebody purges it.
 *
 *   the process ends, or a call fails   leaves
 *   while entries are copied            a temporary file, of which no meta counts: nobody opens it
 *   from then until it has its name     the whole copy under its temporary name
 *   after that                          the copy
 *
 * A failure removes the temporary file; so does `process.exit`. Only a kill leaves it.
 */
import { invalidType, invalidValue, MnemeError } from '../shared/errors.js';
import { CACHE_BYTES_MIN } from '../shared/limits.js';
import * as messages from '../shared/memory/messages.js';
import type { PinnedState } from '../shared/memory/snapshot-pins.js';
import { BOOT_ID_BYTES } from '../shared/pages/meta-page.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import type { Storage } from '../shared/pages/storage.js';
import { monotonicMs, systemRandom } from '../shared/system.js';
import { DatabaseCopy, KEEPS_EXPIRED } from './copy.js';
import { Core } from './core.js';
import { temporaryPath } from './create-file.js';
import { forgetAtExit, rememberAtExit } from './exit.js';
import { type CheckedOptions, checkBoolean, checkPath, MEMORY_PATH } from './options.js';
import { assertPlace, giveName, onDisk } from './output-file.js';
import { type Progress, verify } from './verify.js';

/** Of the page cache that a copy is written through; what it reads is in the source's. */
const CACHE_BYTES = 32 * CACHE_BYTES_MIN;

/** Of `compact` and `backup`. */
export interface CompactOptions {
  /** Takes the place of a file that stands at the path. Default false. */
  overwrite?: boolean;
  /**
   * Told of entries in phase 'copy', at least every 10,000 of them, and of pages in phase 'verify'.
   * May read and write; what it throws ends the copy and is thrown.
   */
  onProgress?: (progress: Progress) => void;
}

/** What a copy came to. */
export interface CompactResult {
  /** Size of this database's file, in bytes. */
  bytesBefore: number;
  /** Size of the copy, in bytes. */
  bytesAfter: number;
  /** Values, documents, sorted sets, lists and vectors that were copied. */
  keys: number;
  /** Time that the copy took, its proof included, in milliseconds. */
  durationMs: number;
}

/** What a copy is to be, where it goes, and who is told of it. */
interface Work {
  readonly path: string;
  readonly overwrite: boolean;
  /** Values whose deadline has come by then stay behind. */
  readonly moment: number;
  readonly tell: (progress: Progress) => void;
}

/** Copies what is live and has not expired by now. */
export function compact(
  core: Core,
  path: string | URL,
  options: CompactOptions = {},
): CompactResult {
  core.assertNoBatch();
  return copyTo(core, checkWork(core, path, options, core.now()));
}

/** Copies everything that is not removed. */
export function backup(
  core: Core,
  path: string | URL,
  options: CompactOptions = {},
): CompactResult {
  core.assertNoBatch();
  return copyTo(core, checkWork(core, path, options, KEEPS_EXPIRED));
}

function checkWork(core: Core, given: string | URL, options: CompactOptions, moment: number): Work {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const { onProgress } = options;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidType('onProgress', 'a function', onProgress);
  }
  const path = checkPath(given);
  if (path === MEMORY_PATH) throw invalidValue('path', 'the path of a file', path);
  const tell = (progress: Progress) => {
    onProgress?.(progress);
    core.assertOpen();
  };
  const overwrite = checkBoolean('overwrite', options.overwrite, false);
  return { path, overwrite, moment, tell };
}

function copyTo(core: Core, work: Work): CompactResult {
  const startMs = monotonicMs();
  const storage = new NodeStorage();
  checkPlace(core, storage, work);
  const bytesBefore = core.file.size();
  const made = withTemporaryFile(storage, work.path, (temporary) => {
    const keys = fill(core, storage, temporary, work);
    const bytesAfter = prove(core, storage, temporary, work);
    giveName(storage, temporary, work.path, work.overwrite);
    return { keys, bytesAfter };
  });
  const durationMs = monotonicMs() - startMs;
  core.events.note('%d bytes copied to %d in %d ms', bytesBefore, made.bytesAfter, durationMs);
  return { bytesBefore, ...made, durationMs };
}

/** What can be known before the work begins. */
function checkPlace(core: Core, storage: Storage, { path, overwrite }: Work): void {
  const standing = onDisk(path, () => storage.identityAt(path));
  if (standing !== undefined && standing === core.identity()) {
    throw invalidValue('path', 'another file than the database itself', path);
  }
  assertPlace(path, overwrite);
}

/** Runs `use` with a new name beside a path; what has that name afterwards goes. */
function withTemporaryFile<T>(storage: Storage, path: string, use: (temporary: string) => T): T {
  const temporary = temporaryPath(path);
  const removal = { flushAtExit: () => removeIfThere(storage, temporary) };
  rememberAtExit(removal);
  try {
    return use(temporary);
  } finally {
    forgetAtExit(removal);
    removeIfThere(storage, temporary);
  }
}

function removeIfThere(storage: Storage, path: string): void {
  try {
    storage.unlink(path);
  } catch {
    // It has been renamed, or was never made; and what cannot be removed hides no other error.
  }
}

/** Makes the copy, durable but for the end of the file; returns how many keys it has. */
function fill(core: Core, storage: Storage, temporary: string, work: Work): number {
  const pinned = core.pin();
  try {
    const target = new Core(temporary, targetOptions(core));
    try {
      return copyInto(core, pinned, target, work);
    } catch (error) {
      // Before it is closed: closing makes durable what there is, and that is half a copy.
      removeIfThere(storage, temporary);
      throw error;
    } finally {
      abandon(target);
    }
  } finally {
    if (core.isOpen) core.unpin(pinned);
  }
}

function copyInto(core: Core, pinned: PinnedState, target: Core, { tell, moment }: Work): number {
  const copy = new DatabaseCopy(core, pinned, target, moment);
  const tellCopied = () => tell({ done: copy.done, total: copy.total, phase: 'copy' });
  tellCopied();
  for (let goesOn = true; goesOn; tellCopied()) goesOn = copy.advance();
  if (copy.done !== copy.total) throw incomplete('a tree has not as many entries as it says');
  target.control(messages.SYNC);
  target.close();
  return copy.keys;
}

/**
 * A copy in the making is written without syncs, and its metas count for nobody else: they belong
 * to a run that no machine has. Its clock stands still, so that commits find nothing that is due.
 */
function targetOptions({ options, meta, source }: Core): CheckedOptions {
  const { pageSize, createdAt } = meta;
  const mine = { readonly: false, create: true, mmap: false, sync: 'none', lock: false } as const;
  const clock = () => createdAt;
  const own = { clock, bootId: systemRandom(BOOT_ID_BYTES), identity: source.keys.identity() };
  return { ...options, ...mine, cacheSize: CACHE_BYTES, threads: 1, pageSize, ...own };
}

/** Ends what is not finished; nothing when it is closed. */
function abandon(target: Core): void {
  try {
    target.close();
  } catch {
    // Why it could not be finished is known already.
  }
}

/** Reads the copy back, past any cache of ours, and checks every page; returns its size. */
function prove(core: Core, storage: Storage, temporary: string, { tell }: Work): number {
  const { bootId: _, ...options } = targetOptions(core);
  const made = new Core(temporary, { ...options, create: false, sync: 'full' });
  try {
    // It has grown ahead of need.
    const { pageCount, pageSize } = made.meta;
    onDisk(temporary, () => storage.truncate(temporary, pageCount * pageSize));
    const [problem] = verify(made, tell).problems;
    if (problem === undefined) return made.file.size();
    throw incomplete(`the copy does not hold: ${problem.message}`);
  } finally {
    abandon(made);
  }
}

function incomplete(reason: string): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason });
}
