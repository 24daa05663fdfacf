/**
 * What all handles of one open database share: memory, file, the newest state, the writer, and the
 * batch that is running, if one is.
 */
import { type ErrorDetails, ioError, MnemeError } from '../shared/errors.js';
import { type KeyspaceRecord, readKeyspace } from '../shared/keyspaces/catalog.js';
import {
  type CommittedState,
  isWritersTurn,
  markClosed,
  publishedSequence,
  publishState,
  readState,
} from '../shared/memory/control-block.js';
import * as messages from '../shared/memory/messages.js';
import { createMemoryHandle, SharedMemory } from '../shared/memory/shared-memory.js';
import { claimPin, type PinnedState, releasePin, setPin } from '../shared/memory/snapshot-pins.js';
import {
  claimThreadSlot,
  releaseThreadSlot,
  type ThreadSlot,
} from '../shared/memory/thread-slots.js';
import { createMemoryFileBuffer, MemoryStorage } from '../shared/pages/memory-storage.js';
import {
  BOOT_ID_BYTES,
  hasMagic,
  META_HEADER_BYTES,
  type Meta,
  metaOffset,
} from '../shared/pages/meta-page.js';
import { MetaWatch } from '../shared/pages/meta-watch.js';
import { NodeStorage } from '../shared/pages/node-storage.js';
import { Checksummer, PageMismatch } from '../shared/pages/page-file.js';
import { PageSource } from '../shared/pages/page-source.js';
import {
  checksumWord,
  chooseMeta,
  isNewerMeta,
  readNewestMeta,
  type ScratchMemory,
} from '../shared/pages/recovery.js';
import type { Storage, StorageFile } from '../shared/pages/storage.js';
import { currentSystemThreadId, readBootId } from '../shared/system.js';
import { nodeProblem } from '../shared/tree/node.js';
import { createDatabaseFile } from './create-file.js';
import { forgetAtExit, rememberAtExit } from './exit.js';
import { type CheckedOptions, MEMORY_PATH } from './options.js';
import { ReaderLocks } from './reader-locks.js';
import { Transactions } from './transaction.js';
import { WriterConnection } from './writer-connection.js';

const ATTEMPTS_MAX = 4;

/** Other openings of the file, in this process and in others. */
interface Others {
  readonly locks: ReaderLocks;
  readonly watch: MetaWatch;
}

/** A pin that several iterators of one state share. */
interface SharedPin {
  readonly pinned: PinnedState;
  holders: number;
}

export class Core {
  readonly path: string;
  readonly options: CheckedOptions;
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly source: PageSource;
  readonly writer: WriterConnection;
  readonly meta: Meta;
  readonly file: StorageFile;
  isOpen = true;
  readonly transactions: Transactions;
  readonly #pins = new Map<CommittedState, SharedPin>();
  #state: CommittedState;
  /** The pinned state that a read has come down to: it is the newest one until the read ends. */
  #read: CommittedState | undefined;
  /** What others do with the file; undefined where nobody else has it. */
  readonly #others: Others | undefined;
  readonly #scratch: ScratchMemory;
  readonly #bootId: Uint8Array;
  #nextHandle = 1;

  constructor(path: string, options: CheckedOptions) {
    this.path = path;
    this.options = options;
    const memoryFile = path === MEMORY_PATH ? createMemoryFileBuffer() : undefined;
    const storage = memoryFile === undefined ? new NodeStorage() : new MemoryStorage(memoryFile);
    const isNew = needsCreation(storage, path, options);
    const bootId = bootIdBytes();
    const opened = isNew
      ? create(storage, path, options)
      : openMemory(openFile(storage, path), options);
    this.memory = opened.memory;
    this.slot = opened.slot;
    this.file = opened.file ?? openFile(storage, path);
    const { memory, slot, file } = this;
    const scratch = { memory, window: memory.scratchAddress(slot.index) };
    this.#scratch = scratch;
    this.#bootId = bootId;
    if (memoryFile === undefined && options.lock) {
      const locks = new ReaderLocks(storage, file, options.lockTimeoutMs);
      const watch = new MetaWatch(file, (length) => storage.mapStart(file, length));
      watch.hasMoved(); // before the metas are read: what comes later is seen
      watch.accept();
      this.#others = { locks, watch };
    }
    try {
      this.meta = chooseMeta(file, scratch, bootId).meta;
      if (this.meta.pageSize !== memory.pageSize) throw unreadable(path);
    } catch (error) {
      file.close();
      throw error instanceof MnemeError ? withPath(error, path) : ioError(error, { path });
    }
    const seed = { low: this.meta.seedLow, high: this.meta.seedHigh };
    const checksummer = new Checksummer(memory, seed, checksumWord(scratch));
    this.source = new PageSource({ memory, slot, file, checksummer, check: nodeProblem });
    publishState(memory, this.meta);
    this.#state = readState(memory);
    this.transactions = new Transactions(this);
    const { sync } = options;
    if (sync === 'none' && !options.readonly) rememberAtExit(this);
    this.writer = new WriterConnection(memory, () => {
      const takesLocks = this.#others?.locks.prepareToWrite() ?? false;
      const { lockTimeoutMs } = options;
      const fileIdentity = storage.identity(file);
      const place = { memory: memory.handle, path, fileIdentity, memoryFile, bootId };
      return { ...place, sync, takesLocks, lockTimeoutMs };
    });
  }

  /** Hands what is in memory only to the file; a batch that was running is over. */
  flushAtExit(): void {
    if (!this.isOpen || !this.writer.isStarted) return;
    this.writer.discard();
    this.writer.drain();
    this.control(messages.ABORT);
    this.control(messages.WRITE_BEHIND);
  }

  assertOpen(): void {
    if (!this.isOpen) throw new MnemeError('ERR_MNEME_CLOSED');
  }

  assertWritable(): void {
    this.assertOpen();
    if (this.options.readonly) throw new MnemeError('ERR_MNEME_READONLY');
  }

  assertNoBatch(): void {
    this.assertOpen();
    if (this.transactions.isActive) throw new MnemeError('ERR_MNEME_BATCH_ACTIVE');
  }

  newHandleId(): number {
    return this.#nextHandle++;
  }

  now(): number {
    return this.options.clock();
  }

  /** The newest committed state, whoever made it. */
  state(): CommittedState {
    if (this.#read !== undefined) return this.#read;
    // While this database's own writer has its turn nobody else changes the file, and what others
    // did before was published with the turn.
    const isOwnTurn = isWritersTurn(this.memory);
    const published = publishedSequence(this.memory);
    if (published !== this.#publishedSequence) {
      const state = readState(this.memory);
      this.#publishedSequence = state.sequence;
      if (!isNewerMeta(this.#state, state)) this.#state = state;
    }
    if (this.#others !== undefined && !isOwnTurn) this.#lookForOthers(this.#others);
    return this.#state;
  }

  #publishedSequence = -1;

  #lookForOthers({ watch }: Others): void {
    if (!watch.hasMoved()) return;
    const { meta, isWhole } = readNewestMeta(this.file, this.#scratch, this.#bootId);
    // One that is being written at this moment is looked at again.
    if (isWhole) watch.accept();
    if (meta !== undefined && isNewerMeta(meta, this.#state)) {
      this.#state = { ...meta, sequence: -1 };
    }
  }

  /** A keyspace's record in a committed state. */
  recordIn(state: CommittedState, catalogKey: Uint8Array): KeyspaceRecord | undefined {
    return readKeyspace(this.source, state.catalog, catalogKey);
  }

  /**
   * Runs a read and, when a page of its state was reused meanwhile, runs it again on the newest
   * state; the last time under a pin. What fails then is damage.
   */
  reading<T>(read: () => T): T {
    for (let attempt = 1; ; attempt++) {
      const pinned = attempt === ATTEMPTS_MAX ? this.pin() : undefined;
      this.#read = pinned?.state;
      this.source.enter();
      try {
        return read();
      } catch (error) {
        if (!(error instanceof PageMismatch)) throw ioError(error);
        if (attempt === ATTEMPTS_MAX) throw corrupt(error);
      } finally {
        this.source.leave();
        this.#read = undefined;
        if (pinned !== undefined) this.unpin(pinned);
      }
    }
  }

  /** Runs a read of a state that is pinned, or of the batch's. */
  readingPinned<T>(read: () => T): T {
    this.source.enter();
    try {
      return read();
    } catch (error) {
      throw error instanceof PageMismatch ? corrupt(error) : ioError(error);
    } finally {
      this.source.leave();
    }
  }

  /** Pins the newest state; iterators of one state share a pin. */
  pin(): PinnedState {
    const shared = this.#pins.get(this.state());
    if (shared !== undefined) {
      shared.holders++;
      return shared.pinned;
    }
    const pinned = this.#pinNewest();
    this.#pins.set(pinned.state, { pinned, holders: 1 });
    return pinned;
  }

  /** Publishes the pin, then looks whether the state is still the newest (snapshot-pins.ts). */
  #pinNewest(): PinnedState {
    const pinIndex = claimPin(this.memory, this.slot);
    for (;;) {
      const state = this.state();
      setPin(this.memory, pinIndex, state.txnId);
      this.#others?.locks.pin(state.txnId);
      if (this.state() === state) return { state, pinIndex };
      this.#others?.locks.unpin(state.txnId);
    }
  }

  unpin(pinned: PinnedState): void {
    const shared = this.#pins.get(pinned.state);
    if (shared === undefined || --shared.holders > 0) return;
    this.#pins.delete(pinned.state);
    this.#others?.locks.unpin(pinned.state.txnId);
    releasePin(this.memory, pinned.pinIndex);
  }

  /** Sends one operation without key or value, outside of transactions, and waits. */
  control(code: number): number {
    this.writer.begin(false, this.now());
    this.writer.reserve(0);
    this.writer.add({ code, flags: 0, handle: 0, number: 0 }, 0, 0);
    return this.writer.send();
  }

  #closeWriter(): void {
    try {
      this.control(messages.CLOSE);
    } catch (error) {
      // A writer that died is told of by the writes; with 'full' nothing acknowledged is lost by
      // it.
      const died = error instanceof MnemeError && error.code === 'ERR_MNEME_WRITER_DIED';
      if (!died || this.options.sync === 'none') throw error;
    }
  }

  close(): void {
    if (!this.isOpen) return;
    this.assertNoBatch();
    this.isOpen = false;
    try {
      if (this.writer.isStarted) this.#closeWriter();
    } finally {
      forgetAtExit(this);
      this.writer.end();
      markClosed(this.memory);
      for (const { pinned } of this.#pins.values()) releasePin(this.memory, pinned.pinIndex);
      this.#pins.clear();
      this.#others?.locks.close();
      releaseThreadSlot(this.memory, this.slot);
      this.file.close();
    }
  }
}

interface Opened {
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly file: StorageFile | undefined;
}

function needsCreation(storage: Storage, path: string, options: CheckedOptions): boolean {
  if (storage.exists(path)) return false;
  if (options.readonly || !options.create) throw new MnemeError('ERR_MNEME_NOT_FOUND', { path });
  return true;
}

function create(storage: Storage, path: string, options: CheckedOptions): Opened {
  const { pageSize, cacheSize, clock } = options;
  const memory = new SharedMemory(createMemoryHandle(pageSize, cacheSize));
  const slot = claimThreadSlot(memory, currentSystemThreadId());
  try {
    const window = memory.scratchAddress(slot.index);
    createDatabaseFile(storage, path, memory, window, pageSize, clock);
  } catch (error) {
    throw ioError(error, { path });
  }
  return { memory, slot, file: undefined };
}

function openFile(storage: Storage, path: string): StorageFile {
  try {
    return storage.open(path, 'read');
  } catch (error) {
    throw ioError(error, { path });
  }
}

/** The memory has to fit the file's page size, which a first look at its metas tells. */
function openMemory(file: StorageFile, options: CheckedOptions): Opened {
  const pageSize = statedPageSize(file) ?? options.pageSize;
  const memory = new SharedMemory(createMemoryHandle(pageSize, options.cacheSize));
  return { memory, slot: claimThreadSlot(memory, currentSystemThreadId()), file };
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

function bootIdBytes(): Uint8Array {
  const bytes = new Uint8Array(BOOT_ID_BYTES);
  bytes.set(Buffer.from(readBootId().replaceAll('-', ''), 'hex').subarray(0, BOOT_ID_BYTES));
  return bytes;
}

function withPath(error: MnemeError, path: string): MnemeError {
  const details: ErrorDetails = { path, ...error.details };
  return new MnemeError(error.code, details);
}

function unreadable(path: string): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { path, page: 0, reason: 'page sizes disagree' });
}

function corrupt(error: PageMismatch): MnemeError {
  const details = { page: error.pageId, reason: error.message };
  return new MnemeError('ERR_MNEME_CORRUPT', details, { cause: error });
}
