/**
 * What of the database is in the file: the metas, and how a committed state gets there.
 *
 * A strong meta names a state whose pages are on the disk, or that lists them so that recovery can
 * tell. A weak meta names one that is only in the system's page cache; it goes into the slot that
 * does not hold the last durable meta, and counts until the machine restarts.
 */
import { assert } from '../shared/assert.js';
import { MnemeError } from '../shared/errors.js';
import type { PageId, TxnId } from '../shared/ids.js';
import {
  encodeNewPages,
  FREE_LOG_BYTES_MAX,
  META_BYTES_MAX,
  type Meta,
  metaLength,
  NEW_PAGE_BYTES,
  type NewPage,
} from '../shared/pages/meta-page.js';
import type { Checksummer } from '../shared/pages/page-file.js';
import type { ScratchMemory, TornSlot, TrustedMeta } from '../shared/pages/recovery.js';
import type { TakenPages } from './pages/dirty-pages.js';
import type { PageFileWriter, PageWrite } from './pages/page-file-writer.js';

/** A state's fields in its meta, whatever way it is written. */
export type StateFields = Pick<
  Meta,
  'txnId' | 'pageCount' | 'catalog' | 'freeExtent' | 'freeLog' | 'freePages' | 'waitingPages'
>;

const NO_BYTES = new Uint8Array(0);

export class FileState {
  readonly writer: PageFileWriter;
  readonly #scratch: ScratchMemory;
  readonly #checksummer: Checksummer;
  readonly #bootId: Uint8Array;
  /** The newest meta in the file. */
  meta: Meta;
  #durable: Meta;
  #durableSlot: 0 | 1;
  #durableStates: readonly TxnId[];
  #writtenStates: readonly TxnId[];
  /** States that a file's meta may lead back to, rising. */
  protectedStates: readonly TxnId[] = [];
  #confirmed: boolean;
  /** Slots that held no whole meta when the file was opened. */
  readonly torn: readonly TornSlot[];
  /** Pages that are committed but not in the file yet, by page id. */
  readonly unwritten = new Map<PageId, Readonly<TakenPages>>();

  constructor(options: {
    scratch: ScratchMemory;
    checksummer: Checksummer;
    writer: PageFileWriter;
    bootId: Uint8Array;
    trusted: TrustedMeta;
  }) {
    this.#scratch = options.scratch;
    this.#checksummer = options.checksummer;
    this.writer = options.writer;
    this.#bootId = options.bootId;
    const { meta, slot, rejectedOther, confirmed, durable, torn } = options.trusted;
    this.meta = meta;
    this.torn = torn;
    this.#durable = durable;
    this.#durableSlot = durable === meta ? slot : other(slot);
    this.#durableStates = [durable.txnId];
    this.#writtenStates = [durable.txnId, meta.txnId];
    this.#protectStates();
    this.#confirmed = confirmed;
    if (rejectedOther) this.#overwriteRejected(meta, other(slot));
    // Its writer may have been killed before the sync, and what it replaced is overwritten next.
    else if (durable === meta && !confirmed) this.writer.sync();
  }

  /** What must not come back is replaced by a copy of what was chosen, before anything else. */
  #overwriteRejected(meta: Meta, slot: 0 | 1): void {
    this.meta = { ...meta, metaEpoch: meta.metaEpoch + 1, newPages: NO_BYTES };
    this.#writeMeta(this.meta, slot);
    this.writer.sync();
    this.#durable = this.meta;
    this.#durableSlot = slot;
    this.#confirmed = true;
  }

  #protectStates(): void {
    const states = new Set([...this.#durableStates, ...this.#writtenStates]);
    this.protectedStates = [...states].sort((a, b) => a - b);
  }

  /** True when everything up to this state is on the disk. */
  isDurable(txnId: TxnId): boolean {
    const { txnId: durable, weak } = this.#durable;
    return txnId === durable && !weak && this.unwritten.size === 0;
  }

  /**
   * Commits a state durably. Where `wholeChange` is all that the file lacks of it, and short enough
   * to list, one sync does; else the pages are synced before the meta.
   */
  writeStrong(
    fields: StateFields,
    pages: readonly PageWrite[],
    wholeChange: readonly NewPage[] | undefined,
  ): void {
    this.writePages(pages);
    const list = wholeChange ?? [];
    const listed = metaLength(fields.freeLog.length, list.length * NEW_PAGE_BYTES);
    // Only a list makes recovery look at the file, and so see that it is too short.
    const grows = fields.pageCount > this.#durable.pageCount;
    const isSeen = list.length > 0 || !grows;
    const single = wholeChange !== undefined && isSeen && listed <= META_BYTES_MAX;
    const slot = other(this.#durableSlot);
    if (!single) this.#syncOrGoBack(slot);
    const newPages = single ? encodeNewPages(list) : NO_BYTES;
    const meta = this.#stateMeta(fields, false, newPages);
    // A meta that was written but for its last bytes may be whole by chance.
    this.#orGoBack(slot, () => this.#writeMeta(meta, slot));
    this.#syncOrGoBack(slot);
    this.#becomeDurable(meta, slot);
  }

  /**
   * What the disk holds is unknown when a sync fails: the old state goes back where a newer one may
   * be, also a weak one, whose pages the system may take for written from now on.
   */
  #syncOrGoBack(slot: 0 | 1): void {
    this.#orGoBack(slot, () => this.writer.sync());
  }

  #orGoBack(slot: 0 | 1, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#writeBack(slot);
      throw error;
    }
  }

  #writeBack(slot: 0 | 1): void {
    try {
      this.#writeMeta(this.#durable, slot);
    } catch {
      // The failed sync is what the caller is told of; a disk that takes nothing more adds nothing.
    }
  }

  #becomeDurable(meta: Meta, slot: 0 | 1): void {
    this.meta = meta;
    this.#durable = meta;
    this.#durableSlot = slot;
    this.#confirmed = false;
    this.#durableStates = [this.#durableStates.at(-1) as TxnId, meta.txnId];
    this.#writtenStates = [this.#writtenStates.at(-1) as TxnId, meta.txnId];
    this.#protectStates();
  }

  /** Writes a weak meta for a state whose pages are written, without a sync. */
  writeWeak(fields: StateFields): void {
    assert(fields.freeLog.length <= FREE_LOG_BYTES_MAX, 'a weak meta is one block');
    const meta = this.#stateMeta(fields, true, NO_BYTES);
    this.#writeMeta(meta, other(this.#durableSlot));
    this.meta = meta;
    this.#writtenStates = [this.#writtenStates.at(-1) as TxnId, meta.txnId];
    this.#protectStates();
    this.#confirmed = false;
  }

  /** Puts the durable meta into both slots, so that nothing has to be checked at the next open. */
  confirm(): void {
    if (this.#confirmed) return;
    this.#writeMeta({ ...this.#durable, newPages: NO_BYTES }, other(this.#durableSlot));
    this.writer.sync();
    this.#confirmed = true;
  }

  /** Pages from memory into the file, neighbours together. */
  writePages(pages: readonly PageWrite[]): void {
    const writes = [...pages].sort((a, b) => a.pageId - b.pageId);
    this.writer.writePages(writes);
  }

  #stateMeta(fields: StateFields, weak: boolean, newPages: Uint8Array): Meta {
    const { metaEpoch } = this.meta;
    return { ...this.#durable, ...fields, metaEpoch, weak, newPages, bootId: this.#bootId };
  }

  #writeMeta(meta: Meta, slot: 0 | 1): void {
    this.writer.writeMeta(meta, slot, this.#scratch.window, this.#checksummer);
  }
}

function other(slot: 0 | 1): 0 | 1 {
  return slot === 0 ? 1 : 0;
}

/** A write that failed for want of room; everything else may have done harm. */
export function isFullDisk(error: unknown): boolean {
  return error instanceof MnemeError && error.details['cause'] === 'ENOSPC';
}
