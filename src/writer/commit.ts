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

import { type TxnId, toPageId } from '../shared/ids.js';
import { encodeKeyspace, RECORD_BYTES_MAX, treesOf } from '../shared/keyspaces/catalog.js';
import { publishState } from '../shared/memory/control-block.js';
import type { SyncMode } from '../shared/memory/messages.js';
import type { FreeBase, NewPage } from '../shared/pages/meta-page.js';
import { extentPageCount } from '../shared/pages/overflow-page.js';
import { type FileState, FREE_LOG_BYTES_MAX, isFullDisk, type StateFields } from './file-state.js';
import type { KeyspaceHost } from './keyspaces/keyspace-host.js';
import type { OpenKeyspace } from './keyspaces/open-keyspace.js';
import type { FreeList } from './pages/free-list.js';
import { encodeChange, type FreeChange, type FreedRun, type PageRun } from './pages/free-state.js';
import { type SealedPage, sealTree } from './seal-tree.js';

/** A log shorter than this never makes a new base. */
const FREE_LOG_BYTES_MIN = 1536;
const NO_BYTES = new Uint8Array(0);

/** The part of the free state that is not in the newest meta yet. */
interface FreeRecord {
  readonly base: FreeBase | undefined;
  /** Undefined when it grew too long: the next meta needs a new base. */
  readonly log: Uint8Array | undefined;
}

/** The engine, as far as a commit needs it. */
export interface CommitHost extends KeyspaceHost {
  readonly files: FileState;
  readonly free: FreeList;
  readonly txnId: TxnId;
  readonly committedPageCount: number;
  readonly isOpen: boolean;
  protectedStates(): TxnId[];
}

export class Commit {
  readonly #engine: CommitHost;
  readonly #sync: SyncMode;
  /** Sealed pages of the open transaction that are not written yet. */
  #sealed: SealedPage[] = [];
  /** True when pages of the open transaction were written early. */
  #spilled = false;
  #freeRecord: FreeRecord | undefined;
  readonly #record = new Uint8Array(RECORD_BYTES_MAX);
  /** True when the last error may have left something in the file that nobody expects. */
  inDoubt = false;

  constructor(engine: CommitHost, sync: SyncMode) {
    this.#engine = engine;
    this.#sync = sync;
  }

  begin(): void {
    this.#sealed = [];
    this.#spilled = false;
    this.#engine.overflow.begin();
  }

  /** Gives every page of the open transaction its checksum. */
  sealAll(keyspaces: Iterable<OpenKeyspace>): void {
    const { pages, catalog } = this.#engine;
    for (const { record } of keyspaces) {
      for (const tree of treesOf(record)) sealTree(pages, tree, this.#sealed);
    }
    sealTree(pages, catalog, this.#sealed);
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

  /** Commits the open transaction; false when it changed nothing. */
  run(keyspaces: readonly OpenKeyspace[]): boolean {
    const { pages, files, free } = this.#engine;
    this.inDoubt = false;
    if (pages.isUnchanged && keyspaces.every(({ changed }) => !changed)) return false;
    for (const keyspace of keyspaces) if (keyspace.changed) this.#writeRecord(keyspace);
    this.sealAll(keyspaces);
    const txnId = this.#engine.txnId + 1;
    const known = this.#knownFreeRecord();
    const { record, baseFreed } = this.#nextFreeRecord(txnId, known);
    const freed = [...pages.freed, ...baseFreed];
    files.writer.ensurePages(pages.pageCount);
    const live = this.#liveSealed();
    if (this.#sync === 'full') this.#writeDurably(txnId, record, live);
    // From here on the transaction is committed; nothing below can fail.
    this.#freeRecord = record;
    this.#release(live, this.#sync === 'none');
    pages.dropDeadFrames();
    this.#publish(txnId, pages.pageCount);
    // After publishing: whoever pins an older state later sees that it moved, and pins anew.
    free.addFreed(freed, this.#engine.protectedStates());
    return true;
  }

  #writeDurably(txnId: number, record: FreeRecord, live: readonly SealedPage[]): void {
    const { files, overflow, pages } = this.#engine;
    const fields = this.#fields(txnId, record, pages.pageCount);
    const single = !this.#spilled && files.isDurable(this.#engine.txnId);
    const change = single ? [...live.map(asNewPage), ...overflow.liveExtents()] : undefined;
    this.#guarded(() => files.writeStrong(fields, live, change));
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

  #writeRecord(keyspace: OpenKeyspace): void {
    const { pages, trees, catalog } = this.#engine;
    for (const tree of treesOf(keyspace.record)) sealTree(pages, tree, this.#sealed);
    const { key } = keyspace;
    const length = encodeKeyspace(keyspace.record, this.#record, 0);
    trees.locate(catalog, key, 0, key.length);
    trees.put(catalog, this.#record, 0, length);
    keyspace.exists = true;
    keyspace.changed = false;
  }

  /** Sealed pages that the new state can see. */
  #liveSealed(): SealedPage[] {
    const { pages } = this.#engine;
    const dead = new Set(pages.freed.map(({ start }) => start));
    return this.#sealed.filter(({ pageId, serial }) => {
      return pages.serialOf(pageId) === serial && !dead.has(pageId);
    });
  }

  /** Frames of pages go over to the cache, or wait in memory for the write-behind. */
  #release(live: readonly SealedPage[], waits = false): void {
    const { files, pages, source } = this.#engine;
    for (const page of live) {
      pages.forgetFrame(page.pageId);
      if (waits) files.unwritten.set(page.pageId, page);
      else source.cache.release(source.cache.frameAt(page.address));
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

  get freeBase(): FreeBase | undefined {
    return this.#knownFreeRecord().base;
  }

  #knownFreeRecord(): FreeRecord {
    const { freeBase, freeLog } = this.#engine.files.meta;
    return this.#freeRecord ?? { base: freeBase, log: freeLog };
  }

  /** The free state with the open transaction's change: a longer log, or a new base. */
  #nextFreeRecord(
    txnId: number,
    known: FreeRecord,
  ): { record: FreeRecord; baseFreed: readonly FreedRun[] } {
    // Many commits share one meta then, and what one of them took the next gave back.
    if (this.#sync === 'none')
      return { record: { base: known.base, log: undefined }, baseFreed: [] };
    const { pages, committedPageCount } = this.#engine;
    const lost = pages.lostRuns(committedPageCount);
    const freed = [...pages.freed, ...lost];
    const taken = pages.takenRuns();
    const added = encodeChange({ freedBy: txnId, taken, freed });
    const limit = Math.min(
      Math.max(FREE_LOG_BYTES_MIN, (known.base?.length ?? 0) / 2),
      FREE_LOG_BYTES_MAX,
    );
    const length = (known.log?.length ?? Number.POSITIVE_INFINITY) + added.length;
    if (known.log !== undefined && length <= limit) {
      const log = new Uint8Array(length);
      log.set(known.log);
      log.set(added, known.log.length);
      return { record: { base: known.base, log }, baseFreed: [] };
    }
    const base = this.#writeBase(
      txnId,
      { freedBy: txnId, taken: [], freed: pages.freed },
      known.base,
    );
    return { record: { base: base.pointer, log: NO_BYTES }, baseFreed: base.freed };
  }

  /** Writes the whole free state as an extent; the old one is freed with the transaction. */
  #writeBase(txnId: number, change: FreeChange, old: FreeBase | undefined) {
    const { free, overflow, memory, pages } = this.#engine;
    const { pageSize } = memory;
    const freed: FreedRun[] = [];
    if (old !== undefined) {
      const length = extentPageCount(old.length, pageSize);
      freed.push({ start: old.pageId, length, birth: old.birth, freedBy: txnId });
    }
    const whole = { ...change, freed: [...change.freed, ...freed] };
    // Taking the extent's pages may split one run in two, which takes a few bytes more.
    const room = free.encodeBase(whole).length + 32;
    const pageId = pages.takeExtent(extentPageCount(room, pageSize));
    const bytes = new Uint8Array(room);
    bytes.set(free.encodeBase(whole));
    const pointer = overflow.writeExtentAt(pageId, bytes, 0, bytes.length);
    return { pointer: { ...pointer, length: room, birth: txnId }, freed };
  }

  /** The free state for a meta that is written between transactions. */
  #settleFreeRecord(): FreeRecord {
    const known = this.#knownFreeRecord();
    const { pages, free, txnId, committedPageCount } = this.#engine;
    if (known.log !== undefined) return known;
    pages.begin(txnId, committedPageCount);
    const change = { freedBy: txnId, taken: [], freed: [] };
    const base = this.#writeBase(txnId, change, known.base);
    free.addFreed(base.freed, this.#engine.protectedStates());
    this.#freeRecord = { base: base.pointer, log: NO_BYTES };
    return this.#freeRecord;
  }

  /** Writes what is pending and a weak meta; returns the pages of the file. */
  writeBehind(): number {
    const { files, txnId, pages } = this.#engine;
    if (files.meta.txnId === txnId) return this.#engine.committedPageCount;
    this.inDoubt = false;
    const record = this.#settleFreeRecord();
    const pageCount = Math.max(this.#engine.committedPageCount, pages.pageCount);
    files.writer.ensurePages(pageCount);
    this.#writeUnwritten();
    this.#guarded(() => files.writeWeak(this.#fields(txnId, record, pageCount)));
    return pageCount;
  }

  /** Writes what is pending and syncs it; returns the pages of the file. */
  makeDurable(): number {
    const { files, txnId, pages } = this.#engine;
    if (files.isDurable(txnId)) return this.#engine.committedPageCount;
    this.inDoubt = false;
    const record = this.#settleFreeRecord();
    const pageCount = Math.max(this.#engine.committedPageCount, pages.pageCount);
    files.writer.ensurePages(pageCount);
    this.#writeUnwritten();
    this.#guarded(() => {
      files.writeStrong(this.#fields(txnId, record, pageCount), [], undefined);
    });
    return pageCount;
  }

  #fields(txnId: number, record: FreeRecord, pageCount: number): StateFields {
    const { free, catalog } = this.#engine;
    return {
      txnId,
      pageCount,
      catalog: { ...catalog },
      freeBase: record.base,
      freeLog: record.log ?? NO_BYTES,
      freePages: free.free.count,
      waitingPages: free.waitingPages,
    };
  }

  #publish(txnId: number, pageCount: number): void {
    const { memory, free, catalog, files } = this.#engine;
    const { metaEpoch } = files.meta;
    const { count: freePages } = free.free;
    const { waitingPages } = free;
    publishState(memory, { txnId, catalog, pageCount, metaEpoch, freePages, waitingPages });
  }
}

function asNewPage({ pageId, low, high }: SealedPage): NewPage {
  return { pageId, low, high, length: 0 };
}
