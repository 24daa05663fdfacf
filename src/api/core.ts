/**
 * What all handles of one open database share: memory, file, the newest state, the writer, and the
 * batch that is running, if one is.
 */
import type { ReaderStart } from '../reader/worker.js';
import { ioError, MnemeError } from '../shared/errors.js';
import { type KeyspaceRecord, readKeyspace } from '../shared/keyspaces/catalog.js';
import {
  type CommittedState,
  GATHERS,
  isMarkedClosed,
  markClosed,
  OWN_TURN,
  publishedSequence,
  publishState,
  readState,
  writerTurn,
} from '../shared/memory/control-block.js';
import * as messages from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { type PinnedState, pinnedTxnIds } from '../shared/memory/snapshot-pins.js';
import { isInEpoch, releaseThreadSlot, type ThreadSlot } from '../shared/memory/thread-slots.js';
import { MappedFile } from '../shared/pages/mapped-file.js';
import type { Meta } from '../shared/pages/meta-page.js';
import { MetaWatch } from '../shared/pages/meta-watch.js';
import { Checksummer, type ChecksumSeed, PageMismatch } from '../shared/pages/page-file.js';
import { PageSource } from '../shared/pages/page-source.js';
import {
  checksumWord,
  isNewerMeta,
  isSameMeta,
  type MetaOrder,
  readNewestMeta,
  type ScratchMemory,
} from '../shared/pages/recovery.js';
import type { StorageFile } from '../shared/pages/storage.js';
import { processId } from '../shared/system.js';
import { nodeProblem } from '../shared/tree/node.js';
import { Events } from './events.js';
import { forgetAtExit, rememberAtExit } from './exit.js';
import { preferLargePages } from './large-pages.js';
import { bootIdBytes, firstMeta, openDatabaseFile, type SharedPlaces } from './open-file.js';
import type { CheckedOptions } from './options.js';
import { Pins } from './pins.js';
import { ReaderLocks } from './reader-locks.js';
import { Searches } from './searches.js';
import { Transactions } from './transaction.js';
import { WriterConnection } from './writer-connection.js';

const ATTEMPTS_MAX = 4;

/** Other openings of the file, in this process and in others. */
interface Others {
  readonly locks: ReaderLocks;
  readonly watch: MetaWatch;
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
  #isOpen = true;
  /** True when another thread opened the database: its writer is used, and stays. */
  readonly #isAttached: boolean;
  readonly #memoryFile: SharedArrayBuffer | undefined;
  /** Which file it is, whatever stands at its path. */
  readonly identity: () => string;
  /** Says for which run weak metas count. */
  readonly #readBootId: () => Uint8Array;
  readonly events: Events;
  readonly transactions: Transactions;
  readonly searches: Searches;
  readonly #pins: Pins;
  #state: CommittedState;
  /** The pinned state that a read has come down to: it is the newest one until the read ends. */
  #read: CommittedState | undefined;
  /** What others do with the file; undefined where nobody else has it. */
  readonly #others: Others | undefined;
  readonly #scratch: ScratchMemory;
  /** What stands in the file as the newest state and is none: a writer replaces it, in time. */
  readonly #rejected: MetaOrder | undefined;
  #nextHandle = 1;

  /** @param shared - What another thread opened, to be attached to. */
  constructor(path: string, options: CheckedOptions, shared?: SharedPlaces) {
    this.path = path;
    this.options = options;
    this.#isAttached = shared !== undefined;
    const opened = openDatabaseFile(path, options, shared);
    const { storage, memory, slot, file, memoryFile } = opened;
    this.memory = memory;
    this.slot = slot;
    this.file = file;
    this.#memoryFile = memoryFile;
    this.identity = () => storage.identity(file);
    this.#scratch = { memory, window: memory.scratchAddress(slot.index) };
    if (memoryFile === undefined && options.lock) {
      const locks = new ReaderLocks(storage, file, options.lockTimeoutMs);
      // It accepts nothing yet: a meta may be half written now, or newer than the published state.
      const watch = new MetaWatch(file, (length) => {
        preferLargePages(memory);
        return storage.map(file, 0, length);
      });
      this.#others = { locks, watch };
    }
    const { bootId } = options;
    this.#readBootId = bootId === undefined ? bootIdBytes : () => bootId;
    const { meta, rejected } = firstMeta(file, this.#scratch, path, this.#readBootId);
    this.meta = meta;
    this.#rejected = rejected;
    const seed = { low: this.meta.seedLow, high: this.meta.seedHigh };
    const checksummer = new Checksummer(memory, seed, checksumWord(this.#scratch));
    const isMapped = options.readonly && options.mmap;
    const pages = isMapped
      ? new MappedFile(file, (offset, length) => storage.map(file, offset, length))
      : file;
    const { databaseId } = this.meta;
    const parts = { memory, slot, file: pages, checksummer, check: nodeProblem, databaseId };
    this.source = new PageSource(parts);
    const { identity } = options;
    if (identity !== undefined) {
      this.source.keys.setIdentity(identity);
      identity.x25519Secret.fill(0);
    }
    if (shared === undefined) publishState(memory, this.meta);
    this.#state = readState(memory);
    this.#pins = new Pins(this, this.#others?.locks);
    this.events = new Events(this);
    this.transactions = new Transactions(this);
    const isUnsynced = options.sync === 'none' && !options.readonly;
    if (isUnsynced && !this.#isAttached) rememberAtExit(this);
    const readers = this.#isAttached ? undefined : () => this.#readerStart(seed);
    this.searches = new Searches(this.source, options.threads, readers);
    const start = this.#isAttached ? undefined : () => this.#writerStart();
    this.writer = new WriterConnection(
      memory,
      slot.index,
      options.lockTimeoutMs,
      start,
      this.events,
    );
    this.events.opened(this.#state, rejected !== undefined);
  }

  #writerStart(): messages.WriterStart {
    const { path, memory, options } = this;
    const takesLocks = this.#others?.locks.prepareToWrite() ?? false;
    const { sync, lockTimeoutMs } = options;
    const fileIdentity = this.identity();
    const file = { memory: memory.handle, path, fileIdentity, memoryFile: this.#memoryFile };
    return { ...file, bootId: this.#readBootId(), sync, takesLocks, lockTimeoutMs };
  }

  #readerStart(seed: ChecksumSeed): ReaderStart {
    const { path, memory } = this;
    const fileIdentity = this.identity();
    const { databaseId } = this.meta;
    const file = { memory: memory.handle, path, fileIdentity, memoryFile: this.#memoryFile };
    return { ...file, seed, databaseId };
  }

  /** What another thread needs to attach; the writer is started, since only this thread may. */
  share(): SharedPlaces {
    this.assertOpen();
    if (!this.options.readonly && !this.#isAttached) this.writer.ensureStarted();
    return { memory: this.memory.handle, memoryFile: this.#memoryFile };
  }

  get isOpen(): boolean {
    return this.#isOpen && !(this.#isAttached && isMarkedClosed(this.memory));
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
    this.events.assertNotTelling();
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
    let turn = writerTurn(this.memory);
    if (turn === GATHERS) turn = this.#settle();
    const published = publishedSequence(this.memory);
    if (published !== this.#publishedSequence) {
      const state = readState(this.memory);
      this.#publishedSequence = state.sequence;
      if (!isNewerMeta(this.#state, state)) this.#state = state;
    }
    if (this.#others !== undefined && turn !== OWN_TURN) this.#lookForOthers(this.#others);
    return this.#state;
  }

  #publishedSequence = -1;

  /** Has the writer commit what it has answered already; returns whose turn it is then. */
  #settle(): number {
    const isReading = isInEpoch(this.memory, this.slot);
    // The writer may need a frame that is kept for whoever reads.
    this.source.leave();
    try {
      this.control(messages.SETTLE);
    } catch (error) {
      // Reads go on with what was committed before the writer died.
      if (!(error instanceof MnemeError) || error.code !== 'ERR_MNEME_WRITER_DIED') throw error;
    } finally {
      if (isReading) this.source.enter();
    }
    return OWN_TURN;
  }

  #lookForOthers({ watch }: Others): void {
    if (!watch.hasMoved()) return;
    const look = () => readNewestMeta(this.file, this.#scratch, this.#readBootId);
    let { meta, torn } = look();
    // The newest may have been missed: one slot was read before it was written, then the other
    // while it was.
    while (torn.length > 0 && watch.hasMovedOn()) ({ meta, torn } = look());
    watch.accept(torn);
    if (meta === undefined || !isNewerMeta(meta, this.#state)) return;
    if (this.#rejected === undefined || !isSameMeta(meta, this.#rejected)) {
      this.#state = { ...meta, sequence: -1 };
    }
  }

  /** The newest whole meta in the file, which a commit may be about to replace. */
  newestMeta(): Meta | undefined {
    return readNewestMeta(this.file, this.#scratch, this.#readBootId).meta;
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
        this.events.read();
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
      this.events.read();
    }
  }

  /** Pins the newest state, until `unpin`. */
  pin(): PinnedState {
    return this.#pins.pin();
  }

  unpin(pinned: PinnedState): void {
    this.#pins.unpin(pinned);
  }

  /** Who reads the oldest state in use, of all threads and processes. */
  oldestReader(): { pid: number; txnId: bigint } | undefined {
    // One in the making has no state yet.
    const own = pinnedTxnIds(this.memory).find((txnId) => txnId > 0);
    const other = this.#others?.locks.oldestPin();
    if (own !== undefined && (other === undefined || own <= other.txnId)) {
      return { pid: processId(), txnId: BigInt(own) };
    }
    return other === undefined ? undefined : { ...other, txnId: BigInt(other.txnId) };
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
    if (!this.#isOpen) return;
    this.events.assertNotTelling();
    if (this.transactions.isActive) throw new MnemeError('ERR_MNEME_BATCH_ACTIVE');
    this.#isOpen = false;
    this.events.note('closes');
    try {
      if (!this.#isAttached) {
        markClosed(this.memory);
        if (this.writer.isStarted) this.#closeWriter();
      }
    } finally {
      forgetAtExit(this);
      this.searches.close();
      this.writer.end();
      this.#pins.clear();
      this.#others?.locks.close();
      this.source.cache.giveBack();
      this.source.clearKeys();
      if (!this.#isAttached) this.source.keys.clear();
      releaseThreadSlot(this.memory, this.slot);
      this.file.close();
    }
  }
}

function corrupt(error: PageMismatch): MnemeError {
  const details = { page: error.pageId, reason: error.message };
  return new MnemeError('ERR_MNEME_CORRUPT', details, { cause: error });
}
