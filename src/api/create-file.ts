/**
 * Makes a new database file: whole under a temporary name first, then linked to its own, so that no
 * process ever opens half of one.
 */

import { MnemeError } from '../shared/errors.js';
import { DATA_START_BYTES, META_AREA_BYTES } from '../shared/limits.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { BOOT_ID_BYTES, encodeMeta, type Meta, metaOffset } from '../shared/pages/meta-page.js';
import { Checksummer } from '../shared/pages/page-file.js';
import { checksumWord, type ScratchMemory } from '../shared/pages/recovery.js';
import type { Storage, StorageFile } from '../shared/pages/storage.js';
import { type Clock, processId, type Random, systemRandom } from '../shared/system.js';
import { newTree } from '../shared/tree-root.js';

function emptyMeta(pageSize: number, clock: Clock, random: Random, bootId?: Uint8Array): Meta {
  const secret = new DataView(Uint8Array.from(random(8)).buffer);
  return {
    pageSize,
    weak: bootId !== undefined,
    seedLow: secret.getInt32(0),
    seedHigh: secret.getInt32(4),
    databaseId: random(16),
    createdAt: clock(),
    txnId: 1,
    metaEpoch: 1,
    pageCount: DATA_START_BYTES / pageSize,
    catalog: newTree(),
    freeExtent: undefined,
    freeLog: new Uint8Array(0),
    newPages: new Uint8Array(0),
    bootId: bootId ?? new Uint8Array(BOOT_ID_BYTES),
    freePages: 0,
    waitingPages: 0,
  };
}

/** Writes both meta areas of an empty database. */
function writeEmpty(file: StorageFile, scratch: ScratchMemory, meta: Meta): void {
  const { memory, window } = scratch;
  memory.u8.fill(0, window, window + META_AREA_BYTES);
  const length = encodeMeta(meta, memory.u8, window);
  const seed = { low: meta.seedLow, high: meta.seedHigh };
  const checksummer = new Checksummer(memory, seed, checksumWord(scratch));
  checksummer.compute(window, length - 8);
  const sum = new DataView(memory.u8.buffer, window + length - 8, 8);
  sum.setInt32(0, checksummer.low, true);
  sum.setInt32(4, checksummer.high, true);
  for (const slot of [0, 1]) {
    const taken = file.write(memory.u8, window, META_AREA_BYTES, metaOffset(slot));
    if (taken !== META_AREA_BYTES) throw new MnemeError('ERR_MNEME_IO', { cause: 'ENOSPC' });
  }
  file.datasync();
}

/** How the names begin under which a process makes a file. */
export function temporaryPrefix(path: string, pid: number): string {
  return `${path}.tmp-${pid}-`;
}

/** A name beside a path that nobody else has. */
export function temporaryPath(path: string): string {
  return temporaryPrefix(path, processId()) + Buffer.from(systemRandom(6)).toString('hex');
}

/**
 * Creates the file unless another process was first.
 * @param bootId - The only run for which it counts, until something is made durable.
 */
export function createDatabaseFile(
  storage: Storage,
  path: string,
  memory: SharedMemory,
  window: number,
  pageSize: number,
  clock: Clock,
  bootId?: Uint8Array,
): void {
  const temporary = temporaryPath(path);
  const file = storage.create(temporary);
  try {
    writeEmpty(file, { memory, window }, emptyMeta(pageSize, clock, systemRandom, bootId));
    storage.link(temporary, path);
  } catch (error) {
    const lostRace = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!lostRace) throw error;
  } finally {
    file.close();
    storage.unlink(temporary);
  }
  storage.syncDirectory(path);
}
