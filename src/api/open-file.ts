/**
 * From a path to an open file and the memory that its pages are read into.
 */
import { type ErrorDetails, ioError, MnemeError } from '../shared/errors.js';
import {
  createMemoryHandle,
  type MemoryHandle,
  SharedMemory,
} from '../shared/memory/shared-memory.js';
import { claimThreadSlot, type ThreadSlot } from '../shared/memory/thread-slots.js';
import { createMemoryFileBuffer, MemoryStorage } from '../shared/pages/memory-storage.js';
import {
  BOOT_ID_BYTES,
  hasMagic,
  META_HEADER_BYTES,
  metaOffset,
} from '../shared/pages/meta-page.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import { chooseMeta, type ScratchMemory, type TrustedMeta } from '../shared/pages/recovery.js';
import type { Storage, StorageFile } from '../shared/pages/storage.js';
import { currentSystemThreadId, readBootId } from '../shared/system.js';
import { createDatabaseFile } from './create-file.js';
import { type CheckedOptions, MEMORY_PATH } from './options.js';

const ATTEMPTS_MAX = 4;

/** What a thread shares with another that attaches to its database. */
export interface SharedPlaces {
  readonly memory: MemoryHandle;
  /** The file itself, for ':memory:'. */
  readonly memoryFile: SharedArrayBuffer | undefined;
}

/** An open file, and this thread's place in the memory that belongs to it. */
export interface OpenedFile {
  readonly storage: Storage;
  readonly file: StorageFile;
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly memoryFile: SharedArrayBuffer | undefined;
}

/** Opens a file, creating it when it is missing, or opens it anew for a memory that exists. */
export function openDatabaseFile(
  path: string,
  options: CheckedOptions,
  shared?: SharedPlaces,
): OpenedFile {
  const isInMemory = path === MEMORY_PATH;
  const memoryFile = shared?.memoryFile ?? (isInMemory ? createMemoryFileBuffer() : undefined);
  const storage = memoryFile === undefined ? new NodeStorage() : new MemoryStorage(memoryFile);
  if (options.lock && !options.unsafeRemoteFs) refuseRemote(storage, path);
  const existing = openExisting(storage, path, options);
  const memory =
    shared === undefined ? newMemory(existing, options) : new SharedMemory(shared.memory);
  const slot = claimThreadSlot(memory, currentSystemThreadId());
  if (existing !== undefined) return { storage, file: existing, memory, slot, memoryFile };
  create(storage, path, options, memory, slot);
  return { storage, file: openFile(storage, path), memory, slot, memoryFile };
}

function refuseRemote(storage: Storage, path: string): void {
  let isRemote: boolean;
  try {
    isRemote = storage.isRemote(path);
  } catch {
    return; // a directory that is not there: opening says so
  }
  if (isRemote) throw new MnemeError('ERR_MNEME_REMOTE_FS', { path });
}

/**
 * The meta to begin with; the file is closed when there is none.
 * @param readBootId - Says for which run weak metas count.
 */
export function firstMeta(
  file: StorageFile,
  scratch: ScratchMemory,
  path: string,
  readBootId = bootIdBytes,
): TrustedMeta {
  try {
    const trusted = trustedMeta(file, scratch, readBootId);
    if (trusted.meta.pageSize === scratch.memory.pageSize) return trusted;
    throw new MnemeError('ERR_MNEME_CORRUPT', { path, page: 0, reason: 'page sizes disagree' });
  } catch (error) {
    file.close();
    throw error instanceof MnemeError ? withPath(error, path) : ioError(error, { path });
  }
}

/** What another process writes meanwhile may look like damage, but not time and again. */
function trustedMeta(
  file: StorageFile,
  scratch: ScratchMemory,
  readBootId: () => Uint8Array,
): TrustedMeta {
  for (let attempt = 1; ; attempt++) {
    try {
      return chooseMeta(file, scratch, readBootId);
    } catch (error) {
      const isDamage = error instanceof MnemeError && error.code === 'ERR_MNEME_CORRUPT';
      if (!isDamage || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function withPath(error: MnemeError, path: string): MnemeError {
  const details: ErrorDetails = { path, ...error.details };
  return new MnemeError(error.code, details);
}

/** The file to read; undefined when there is none and one is to be made. */
function openExisting(
  storage: Storage,
  path: string,
  options: CheckedOptions,
): StorageFile | undefined {
  try {
    return storage.open(path, 'read');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing) throw ioError(error, { path });
    if (options.readonly || !options.create) throw new MnemeError('ERR_MNEME_NOT_FOUND', { path });
    return undefined;
  }
}

function create(
  storage: Storage,
  path: string,
  { pageSize, clock, bootId }: CheckedOptions,
  memory: SharedMemory,
  slot: ThreadSlot,
): void {
  try {
    const window = memory.scratchAddress(slot.index);
    createDatabaseFile(storage, path, memory, window, pageSize, clock, bootId);
  } catch (error) {
    throw ioError(error, { path });
  }
}

function openFile(storage: Storage, path: string): StorageFile {
  try {
    return storage.open(path, 'read');
  } catch (error) {
    throw ioError(error, { path });
  }
}

/** The memory has to fit the file's page size, which a first look at its metas tells. */
function newMemory(file: StorageFile | undefined, options: CheckedOptions): SharedMemory {
  const stated = file === undefined ? undefined : statedPageSize(file);
  const { pageSize, cacheSize } = options;
  try {
    return new SharedMemory(createMemoryHandle(stated ?? pageSize, cacheSize));
  } catch (cause) {
    file?.close();
    throw new MnemeError(
      'ERR_MNEME_IO',
      { reason: 'no memory for the cache', cacheSize },
      { cause },
    );
  }
}

function statedPageSize(file: StorageFile): number | undefined {
  const header = Buffer.alloc(META_HEADER_BYTES);
  for (const slot of [0, 1]) {
    try {
      file.read(header, 0, header.length, metaOffset(slot));
    } catch (error) {
      file.close();
      throw ioError(error);
    }
    const pageSize = header.readUInt32LE(16);
    const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
    if (hasMagic(header) && isPowerOfTwo && pageSize >= 4096 && pageSize <= 65536) return pageSize;
  }
  return undefined;
}

let knownBootId: Uint8Array | undefined;

/** Read when it is asked for first: most files have nothing that only counts until a restart. */
export function bootIdBytes(): Uint8Array {
  if (knownBootId === undefined) {
    const id = Buffer.from(readBootId().replaceAll('-', ''), 'hex');
    knownBootId = new Uint8Array(BOOT_ID_BYTES);
    knownBootId.set(id.subarray(0, BOOT_ID_BYTES));
  }
  return knownBootId;
}
