/**
 * Makes a transaction a committed state.
 *
 *   step                              a crash just after it leaves
 *   1 records into the catalog, seal  the old state; nothing is in the file yet
 *   2 grow the file                   the old state; a full disk ends it here, with nothing changed
 *   3 write the new pages             the old state; nothing points at the new pages yet
 *   4 write the meta, sync            the old state or the new one, never a mixture
 *   5 publish                         the new state; readers see it from here on
 *
 * With `sync: 'none'` steps 3 and 4 wait for `writeBehind` or `makeDurable`, which then write what
 * is left of many commits.
 */

import { assert, PROVES_ALL } from '../shared/assert.js';
import { debug, isDebugged, shortMs } from '../shared/debug-log.js';
import { type TxnId, toPageId } from '../shared/ids.js';
import { encodeKeyspace, RECORD_BYTES_MAX, treesOf } from '../shared/keyspaces/catalog.js';
import { sealRecord } from '../shared/keyspaces/sealed-record.js';
import { publishState, setWriterTurn } from '../shared/memory/control-block.js';
import type { SyncMode } from '../shared/memory/messages.js';
import type { FreeExtent } from '../shared/pages/meta-page.js';
import { pageLevel } from '../shared/pages/page.js';
import { monotonicMs } from '../shared/system.js';
import { nodeProblem } from '../shared/tree/node.js';
import { type FileState, isFullDisk, type StateFields } from './file-state.js';
import type { KeyRingWriter } from './keyspaces/key-ring.js';
import type { KeyspaceHost } from './keyspaces/keyspace-host.js';
import type { OpenKeyspace } from './keyspaces/open-keyspace.js';
import type { TakenPages } from './pages/dirty-pages.js';
import type { FreeList, PageRun } from './pages/free-list.js';
import { FreeLog, type FreeRecord } from './pages/free-log.js';
import { newPage } from './pages/overflow-writer.js';
import { sealTree } from './seal-tree.js';

/** The engine, as far as a commit needs it. */
export interface CommitHost extends KeyspaceHost {
  readonly files: FileState;
  readonly keyRing: KeyRingWriter;
  readonly free: FreeList;
  readonly freeLogBytesMax: number;
  readonly txnId: TxnId;
  readonly committedPageCount: number;
  readonly isOpen: boolean;
  protectedStates(): readonly TxnId[];
}

export class Commit {
  readonly #engine: CommitHost;
  readonly #sync: SyncMode;
  /** Sealed pages of the open transaction that are not written yet. */
  #sealed: TakenPages[] = [];
  /** True when pages of the open transaction were written early. */
  #spilled = false;
  readonly #freeLog: FreeLog;
  readonly #record = new Uint8Array(RECORD_BYTES_MAX);
  /** True when the last error may have left something in the file that nobody expects. */
  inDoubt = false;

  constructor(engine: CommitHost, sync: SyncMode) {
    this.#engine = engine;
    this.#sync = sync;
    this.#freeLog = new FreeLog(engine, engine.files.meta, engine.protectedStates());
  }

  /** The extents that hold the free state, as the newest meta has it. */
  get freeExtents(): readonly FreeExtent[] {
    return this.#freeLog.extents;
  }

  begin(): void {
    this.#sealed = [];
    this.#spilled = false;
    this.#engine.overflow.begin();
  }

  /** Gives every page of the open transaction its checksum. */
  sealAll(keyspaces: Iterable<OpenKeyspace>): void {
    const { pages, catalog } = this.#engine;
    const { source } = pages;
    for (const keyspace of keyspaces) {
      this.#engine.enter(keyspace);
      for (const tree of treesOf(keyspace.record)) sealTree(pages, tree, this.#sealed);
    }
    this.#engine.enterCatalog();
    sealTree(pages, catalog, this.#sealed);
    pages.source = source; // whatever it was that asked for room goes on
  }

  /** Writes what is committed or sealed early, so that its frames may be evicted. */
  spill(keyspaces: Iterable<OpenKeyspace>): void {
    const { files, pages, isOpen } = this.#engine;
    this.inDoubt = false;
    files.writer.ensurePages(pages.pageCount);
    this.#writeUnwritten();
    if (!isOpen) return;
    this.sealAll(keyspaces);
    const live = this.#liveSealed();
    this.#guarded(() => files.writePages(live));
    this.#release(live);
    // What is dead now comes back to life if its savepoint is rolled back to.
    const written = new Set(live);
    this.#sealed = this.#sealed.filter((page) => !written.has(page));
    this.#spilled = true;
  }

  /** Commits the open transaction under an id; false when it changed nothing. */
  run(keyspaces: readonly OpenKeyspace[], txnId: TxnId): boolean {
    const { pages, files, free } = this.#engine;
    this.inDoubt = false;
    if (pages.isUnchanged && keyspaces.every(({ changed }) => !changed)) return false;
    const startMs = isDebugged ? monotonicMs() : 0;
    this.#writeRecords(keyspaces.filter(({ changed }) => changed));
    this.sealAll(keyspaces);
    this.#engine.enterCatalog();
    const record = this.#sync === 'full' ? this.#freeLog.next(txnId) : undefined;
    files.writer.ensurePages(pages.pageCount);
    const live = this.#liveSealed();
    if (PROVES_ALL) this.#proveNodes(live);
    // Others see the state as soon as its meta stands in the file. What was seen by anybody must be
    // there for everybody, so the threads of this opening look there too until it is published.
    if (record !== undefined) {
      setWriterTurn(this.#engine.memory, false);
      this.#writeDurably(txnId, record, live);
    }
    // From here on the transaction is committed; nothing below can fail.
    if (record === undefined) this.#freeLog.touch();
    this.#release(live, record === undefined);
    pages.dropDeadFrames();
    this.#publish(txnId, pages.pageCount);
    if (record !== undefined) setWriterTurn(this.#engine.memory, true);
    // After publishing: whoever pins an older state later sees that it moved, and pins anew.
    free.addFreed(pages.freed, this.#engine.protectedStates());
    if (isDebugged) {
      const how = record === undefined ? 'in memory' : 'synced';
      const took = shortMs(monotonicMs() - startMs);
      debug(`writer: transaction ${txnId}, ${live.length} pages ${how}, ${took}`);
    }
    return true;
  }

  /** What is written is read by anybody, and has to be what every reader expects of a node. */
  #proveNodes(live: readonly TakenPages[]): void {
    const { memory } = this.#engine;
    for (const { pageId, address } of live) {
      const problem = nodeProblem(memory, address, pageId, pageLevel(memory, address));
      assert(problem === undefined, `page ${pageId} is as it should be: ${problem}`);
    }
  }

  #writeDurably(txnId: TxnId, record: FreeRecord, live: readonly TakenPages[]): void {
    const { files, overflow } = this.#engine;
    const fields = this.#fields(txnId, record);
    const single = !this.#spilled && files.isDurable(this.#engine.txnId);
    const change = single
      ? [...live.map((page) => newPage(page, 0)), ...overflow.liveExtents()]
      : undefined;
    this.#guarded(() => files.writeStrong(fields, live, change));
    this.#freeLog.settle(record);
  }

  /** Runs writes; what fails for want of room has done no harm. */
  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.inDoubt = !isFullDisk(error);
      throw error;
    }
  }

  #writeRecords(keyspaces: readonly OpenKeyspace[]): void {
    const { keyRing } = this.#engine;
    for (const keyspace of keyspaces) this.#writeRecord(keyspace);
    if (keyspaces.some(({ source }) => source.cipher !== undefined)) keyRing.settle();
  }

  #writeRecord(keyspace: OpenKeyspace): void {
    const { pages, trees, catalog } = this.#engine;
    this.#engine.enter(keyspace);
    const { key, source, record } = keyspace;
    for (const tree of treesOf(record)) sealTree(pages, tree, this.#sealed);
    const plain = this.#record.subarray(0, encodeKeyspace(record, this.#record, 0));
    const { keyspaceId } = record;
    const stored =
      source.cipher === undefined || keyspaceId === undefined
        ? plain
        : sealRecord(source.cipher, keyspaceId, key, plain, pages.sealing);
    this.#engine.enterCatalog();
    trees.locate(catalog, key, 0, key.length);
    trees.put(catalog, stored, 0, stored.length);
    keyspace.exists = true;
    keyspace.changed = false;
  }

  /** Sealed pages that the new state can see. */
  #liveSealed(): TakenPages[] {
    return this.#sealed.filter(({ isLive }) => isLive);
  }

  /** Frames of pages go over to the cache, or wait in memory for the write-behind. */
  #release(live: readonly TakenPages[], waits = false): void {
    const { files, pages, source } = this.#engine;
    for (const page of live) {
      if (waits) files.unwritten.set(page.pageId, page);
      else source.cache.release(page.frame);
      pages.forgetFrame(page);
    }
  }

  #writeUnwritten(): void {
    const { files, source } = this.#engine;
    const pages = [...files.unwritten.values()];
    this.#guarded(() => files.writePages(pages));
    for (const { address } of pages) source.cache.release(source.cache.frameAt(address));
    files.unwritten.clear();
  }

  /** A page that died before it was written need not be written at all. */
  forgetUnwritten({ start, length }: PageRun): void {
    const { files, source } = this.#engine;
    if (files.unwritten.size === 0) return;
    for (let page = start; page < start + length; page++) {
      const waiting = files.unwritten.get(toPageId(page));
      if (waiting === undefined) continue;
      files.unwritten.delete(waiting.pageId);
      source.cache.drop(source.cache.frameAt(waiting.address));
    }
  }

  /** Writes what is pending and a weak meta; returns the pages of the file. */
  writeBehind(): number {
    const { files, txnId, committedPageCount } = this.#engine;
    if (files.meta.txnId === txnId) return committedPageCount;
    return this.#writePending((fields) => files.writeWeak(fields));
  }

  /** Writes what is pending and syncs it; returns the pages of the file. */
  makeDurable(): number {
    const { files, txnId, committedPageCount } = this.#engine;
    if (files.isDurable(txnId)) return committedPageCount;
    return this.#writePending((fields) => files.writeStrong(fields, [], undefined));
  }

  /** Writes the committed state with a meta; a transaction of its own takes pages for that. */
  #writePending(writeMeta: (fields: StateFields) => void): number {
    const { files, free, pages, txnId, committedPageCount, isOpen } = this.#engine;
    assert(!isOpen, 'a state is written between transactions');
    this.#engine.enterCatalog();
    this.inDoubt = false;
    pages.begin(txnId, committedPageCount);
    try {
      const record = this.#freeLog.next(txnId);
      files.writer.ensurePages(pages.pageCount);
      if (isDebugged && files.unwritten.size > 0)
        debug(`writer: writes ${files.unwritten.size} pages behind`);
      this.#writeUnwritten();
      this.#guarded(() => writeMeta(this.#fields(txnId, record)));
      this.#freeLog.settle(record);
    } catch (error) {
      pages.abort(committedPageCount);
      throw error;
    }
    free.addFreed(pages.freed, this.#engine.protectedStates());
    return pages.pageCount;
  }

  #fields(txnId: TxnId, { extents, log }: FreeRecord): StateFields {
    const { catalog, pages } = this.#engine;
    return {
      txnId,
      pageCount: pages.pageCount,
      catalog: { ...catalog },
      freeExtent: extents.at(-1),
      freeLog: log,
      ...this.#pageCounts(),
    };
  }

  /** What the transaction has freed waits from now on, though it is not among the waiting yet. */
  #pageCounts() {
    const { free, pages } = this.#engine;
    const waitingPages = free.waiting.count + pages.freedPages;
    return { freePages: free.free.count, waitingPages };
  }

  #publish(txnId: TxnId, pageCount: number): void {
    const { memory, catalog, files } = this.#engine;
    const { metaEpoch } = files.meta;
    publishState(memory, { txnId, catalog, pageCount, metaEpoch, ...this.#pageCounts() });
  }
}
