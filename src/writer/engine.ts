/**
 * The engine: opens and recovers the file, and runs one transaction at a time. Plain code; it knows
 * nothing of threads and reaches the outside only through Storage and what it is handed.
 */
import { assert } from '../shared/assert.js';
import { ioError, MnemeError } from '../shared/errors.js';
import type { TxnId } from '../shared/ids.js';
import {
  catalogKey,
  type KeysKind,
  newKeyspaceRecord,
  readKeyspace,
} from '../shared/keyspaces/catalog.js';
import { KEYSPACE_ID_BYTES } from '../shared/keyspaces/sealed-record.js';
import type { SyncMode } from '../shared/memory/messages.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import { pinnedTxnIds } from '../shared/memory/snapshot-pins.js';
import type { ThreadSlot } from '../shared/memory/thread-slots.js';
import { type FileLocks, pinnedByOthers } from '../shared/pages/file-locks.js';
import { FREE_LOG_BYTES_MAX, type FreeExtent, type Meta } from '../shared/pages/meta-page.js';
import { NonceSequence } from '../shared/pages/page-cipher.js';
import { Checksummer } from '../shared/pages/page-file.js';
import { PageSource } from '../shared/pages/page-source.js';
import { checksumWord, chooseMeta } from '../shared/pages/recovery.js';
import type { StorageFile } from '../shared/pages/storage.js';
import { type Random, systemRandom } from '../shared/system.js';
import { nodeProblem } from '../shared/tree/node.js';
import type { Tree } from '../shared/tree-root.js';
import { Commit } from './commit.js';
import { FileState, isFullDisk } from './file-state.js';
import { KeyRingWriter } from './keyspaces/key-ring.js';
import { copyKeyspace, type OpenKeyspace } from './keyspaces/open-keyspace.js';
import { type DirtyMark, DirtyPages } from './pages/dirty-pages.js';
import { FreeList } from './pages/free-list.js';
import { OverflowWriter } from './pages/overflow-writer.js';
import { PageFileWriter } from './pages/page-file-writer.js';
import { TreeWriter } from './tree/tree-writer.js';

export interface EngineOptions {
  readonly memory: SharedMemory;
  readonly slot: ThreadSlot;
  readonly file: StorageFile;
  readonly bootId: Uint8Array;
  readonly sync: SyncMode;
  readonly locks: FileLocks;
  /** The cache of an engine that this one follows: another process wrote meanwhile. */
  readonly source?: PageSource;
  readonly freeLogBytesMax?: number;
  readonly random?: Random;
}

/** How a keyspace is made that does not exist. */
export interface NewKeyspace {
  readonly keys?: KeysKind;
  readonly encrypted?: boolean;
}

/** What a savepoint goes back to. */
interface Savepoint {
  readonly mark: DirtyMark;
  readonly catalog: Tree;
  readonly keyspaces: Map<string, OpenKeyspace>;
}

/** What is not written leaves at least a quarter of the cache to reads. */
const SPILL_SHARE = 3 / 4;
/** Pages that the record of a keyspace may take when it is written: a path, with splits. */
const CATALOG_PAGES_MAX = 8;

export class Engine {
  readonly memory: SharedMemory;
  readonly #plain: PageSource;
  readonly pages: DirtyPages;
  readonly trees: TreeWriter;
  readonly overflow: OverflowWriter;
  readonly files: FileState;
  readonly free: FreeList;
  readonly freeLogBytesMax: number;
  readonly keyRing: KeyRingWriter;
  readonly #random: Random;
  readonly #nonces: NonceSequence;
  readonly #commit: Commit;
  /** The committed state that the next transaction starts from. */
  txnId: TxnId;
  #committedCatalog: Tree;
  #committedPageCount: number;
  /** The open transaction's catalog tree. */
  catalog: Tree;
  #keyspaces = new Map<string, OpenKeyspace>();
  #savepoints: Savepoint[] = [];
  #open = false;
  /** Set by a failed write or sync: from then on only reading is safe. */
  #failure: unknown;
  readonly #locks: FileLocks;
  /** States that other openings of the file read, asked for after this meta was written. */
  #pinnedByOthers: { readonly meta: Meta; readonly states: readonly TxnId[] } | undefined;

  constructor(options: EngineOptions) {
    const { memory, slot, file, bootId } = options;
    this.memory = memory;
    const scratch = { memory, window: memory.scratchAddress(slot.index) };
    const trusted = chooseMeta(file, scratch, () => bootId);
    const seed = { low: trusted.meta.seedLow, high: trusted.meta.seedHigh };
    const checksummer = new Checksummer(memory, seed, checksumWord(scratch));
    const { databaseId } = trusted.meta;
    const parts = { memory, slot, file, checksummer, check: nodeProblem, databaseId };
    this.#plain = options.source ?? new PageSource(parts);
    this.#locks = options.locks;
    const writer = new PageFileWriter(memory, file);
    this.files = new FileState({ scratch, checksummer, writer, bootId, trusted });
    this.freeLogBytesMax = options.freeLogBytesMax ?? FREE_LOG_BYTES_MAX;
    this.free = new FreeList((run) => this.#commit.forgetUnwritten(run));
    this.pages = new DirtyPages(this.#plain, this.free, writer);
    this.trees = new TreeWriter(this.pages);
    this.overflow = new OverflowWriter(this.pages, writer);
    this.#random = options.random ?? systemRandom;
    this.#nonces = new NonceSequence(this.#random);
    this.keyRing = new KeyRingWriter(this, this.#random);
    this.#commit = new Commit(this, options.sync);
    const { meta } = this.files;
    this.txnId = meta.txnId;
    this.#committedCatalog = { ...meta.catalog };
    this.#committedPageCount = meta.pageCount;
    this.catalog = { ...meta.catalog };
  }

  /** Committed states whose pages must stay as they are, rising. */
  protectedStates(): readonly TxnId[] {
    const pinned = pinnedTxnIds(this.memory);
    const others = this.#statesOfOthers();
    const { protectedStates } = this.files;
    if (pinned.length === 0 && others.length === 0) return protectedStates;
    return [...pinned, ...others, ...protectedStates].sort((a, b) => a - b);
  }

  /**
   * Others pin the state of the newest meta and look then whether it still is. So a pin that they
   * rely on is there once the next meta is written, and until then the metas protect their states.
   */
  #statesOfOthers(): readonly TxnId[] {
    const { meta } = this.files;
    if (this.#pinnedByOthers?.meta !== meta) {
      this.#pinnedByOthers = { meta, states: pinnedByOthers(this.#locks) };
    }
    return this.#pinnedByOthers.states;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get committedPageCount(): number {
    return this.#committedPageCount;
  }

  /** True when the open transaction has changed nothing so far. */
  get isUnchanged(): boolean {
    return this.pages.isUnchanged && this.changedKeyspaces().length === 0;
  }

  changedKeyspaces(): OpenKeyspace[] {
    return [...this.#keyspaces.values()].filter(({ changed }) => changed);
  }

  get freeExtents(): readonly FreeExtent[] {
    return this.#commit.freeExtents;
  }

  begin(): void {
    assert(!this.#open, 'one transaction runs at a time');
    if (this.#failure !== undefined) {
      throw new MnemeError('ERR_MNEME_IO', { reason: 'an earlier write failed; reopen' });
    }
    this.free.review(this.protectedStates());
    this.pages.begin(this.txnId + 1, this.#committedPageCount);
    this.#commit.begin();
    this.#nonces.renew();
    this.pages.sealing = undefined;
    this.#open = true;
  }

  /**
   * Commits; true when there was something to commit. On an error nothing is changed.
   * @param count - How many transactions of the callers it holds: so many the id goes on.
   */
  commit(count = 1): boolean {
    assert(this.#open && this.#savepoints.length === 0, 'savepoints end before their transaction');
    try {
      const changed = this.#commit.run([...this.#keyspaces.values()], this.txnId + count);
      if (!changed) {
        this.abort();
        return false;
      }
    } catch (error) {
      this.abort();
      throw this.#noteFailure(error);
    }
    this.txnId += count;
    this.#committedCatalog = { ...this.catalog };
    this.#committedPageCount = this.pages.pageCount;
    this.#end();
    return true;
  }

  abort(): void {
    this.pages.abort(this.#committedPageCount);
    this.catalog = { ...this.#committedCatalog };
    this.#savepoints.length = 0;
    this.#keyspaces.clear();
    this.#end();
  }

  #end(): void {
    this.#open = false;
    for (const keyspace of this.#keyspaces.values()) keyspace.changed = false;
  }

  /** A full disk is over when there is room; what else fails leaves the file in doubt. */
  #noteFailure(error: unknown): unknown {
    const failure = ioError(error);
    if (!(failure instanceof MnemeError) || this.#commit.inDoubt) this.#failure = failure;
    return failure;
  }

  /** An error while nobody waited: the next write or sync meets it again or is told of it. */
  noteBackgroundError(error: unknown): void {
    if (!isFullDisk(error)) this.refuse(error);
  }

  /** After a broken promise of our own nothing is written any more. */
  refuse(failure: unknown): void {
    this.#failure ??= failure;
  }

  savepoint(): void {
    this.#commit.sealAll(this.#keyspaces.values());
    const keyspaces = new Map<string, OpenKeyspace>();
    for (const [name, keyspace] of this.#keyspaces) keyspaces.set(name, copyKeyspace(keyspace));
    const mark = this.pages.freeze();
    this.#savepoints.push({ mark, catalog: { ...this.catalog }, keyspaces });
  }

  /**
   * Gives all pages of the transaction their checksums and never changes them again, so that roots
   * copied now stay readable until the transaction ends.
   */
  freeze(): void {
    this.#commit.sealAll(this.#keyspaces.values());
    this.pages.freeze();
  }

  releaseSavepoint(): void {
    assert(this.#savepoints.pop() !== undefined, 'there is a savepoint to release');
  }

  rollBackToSavepoint(): void {
    const savepoint = this.#savepoints.pop();
    assert(savepoint !== undefined, 'there is a savepoint to go back to');
    this.pages.rollBack(savepoint.mark);
    this.catalog = savepoint.catalog;
    this.#keyspaces = savepoint.keyspaces;
    this.pages.sealing = undefined; // the ring may be another one again
  }

  /**
   * Opens a keyspace of the open transaction, whether it exists yet or not; what follows is about
   * it. One that does not is to be made as the options say.
   */
  keyspace(name: string, { keys = 'text', encrypted = false }: NewKeyspace = {}): OpenKeyspace {
    const opened = this.#keyspaces.get(name) ?? this.#openKeyspace(name, keys, encrypted);
    this.enter(opened);
    return opened;
  }

  #openKeyspace(name: string, keys: KeysKind, encrypted: boolean): OpenKeyspace {
    const key = catalogKey(new TextEncoder().encode(name));
    const plain = this.enterCatalog();
    const stored = readKeyspace(plain, this.catalog, key);
    const keyspaceId = encrypted ? Uint8Array.from(this.#random(KEYSPACE_ID_BYTES)) : undefined;
    const record = stored ?? newKeyspaceRecord(keys, keyspaceId);
    const source = plain.of(record);
    const opened = { key, source, record, exists: stored !== undefined, changed: false };
    this.#keyspaces.set(name, opened);
    return opened;
  }

  /** Where the pages come from that are being changed. */
  get source(): PageSource {
    return this.pages.source;
  }

  /** What follows is about this keyspace. */
  enter({ source }: OpenKeyspace): void {
    if (source.cipher !== undefined && !this.pages.isSealing) {
      this.pages.sealing = { nonces: this.#nonces, keyId: this.keyRing.newestKey() };
    }
    this.pages.source = source;
  }

  /** What follows is about the catalog; returns where its pages come from. */
  enterCatalog(): PageSource {
    this.pages.source = this.#plain;
    return this.#plain;
  }

  /** Forgets what was read of the catalog: another state may be committed now. */
  forgetKeyspace(name: string): void {
    this.#keyspaces.delete(name);
  }

  /** Makes room in the cache when what is not written yet takes too much of it. */
  relieveCache(): void {
    const held = this.pages.heldCount + this.files.unwritten.size;
    if (held < this.memory.frameCount * SPILL_SHARE) return;
    try {
      this.#commit.spill(this.#keyspaces.values());
    } catch (error) {
      throw this.#noteFailure(error);
    }
  }

  /**
   * Makes sure that the open transaction has room to be committed, with so many pages more than it
   * has now. @throws `ERR_MNEME_IO`
   */
  reserveRoom(morePages: number): void {
    const catalogPages = (1 + this.#keyspaces.size) * CATALOG_PAGES_MAX;
    this.files.writer.ensurePages(this.pages.pageCount + catalogPages + morePages);
  }

  /** Writes behind what `sync: 'none'` left in memory, without a sync. */
  writeBehind(): void {
    this.#attempt(() => {
      this.#committedPageCount = this.#commit.writeBehind();
    });
  }

  /** Makes everything committed durable. */
  sync(): void {
    this.#attempt(() => {
      this.#committedPageCount = this.#commit.makeDurable();
    });
  }

  #attempt(operation: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      operation();
    } catch (error) {
      throw this.#noteFailure(error);
    }
  }

  get needsWriteBehind(): boolean {
    return this.#failure === undefined && this.txnId !== this.files.meta.txnId;
  }

  /** True when a power cut would lose something that was acknowledged or promised at close. */
  get owesSync(): boolean {
    return this.#failure === undefined && !this.files.isDurable(this.txnId);
  }

  /** Makes everything durable and confirms it; the file is not touched any more after. */
  close(): void {
    if (this.#failure !== undefined) return;
    this.sync();
    this.#attempt(() => this.files.confirm());
  }
}
