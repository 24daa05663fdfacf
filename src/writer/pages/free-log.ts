/**
 * How the free state gets into the file and back: as a log of changes.
 *
 * Each meta that is written adds one change: the pages that are in use now and were not at the meta
 * before, and those that are unused now and were in use. What many commits took and gave back
 * between two metas is not in it; so a commit only remembers which pages it touched. The log's tail
 * stands in the meta. When it is full it moves to an extent, which names the extent before it; and
 * when these are together half as long as the first, a new first extent is begun, which says
 * everything anew. So what a meta costs goes with what changed since the last, not with the file.
 *
 * An extent's own pages are in no log: they count as taken from the moment that it was written.
 *
 * The file does not say when a freed page was made; it counts as made at 0. Opening protects what
 * the file itself leads to, the newest state and the last durable one, and the pins of others. So
 * a page waits at most a little longer than it has to, until the durable state has moved on.
 */
import { VarintWriter } from '../../shared/bytes/varint.js';
import type { TxnId } from '../../shared/ids.js';
import { encodeChange, encodeLink, readFreeState, runsOf } from '../../shared/pages/free-state.js';
import type { FreeExtent, Meta } from '../../shared/pages/meta-page.js';
import { extentPageCount } from '../../shared/pages/overflow-page.js';
import type { DirtyPages } from './dirty-pages.js';
import type { FreedRun, FreeList } from './free-list.js';
import type { OverflowWriter } from './overflow-writer.js';

const NO_BYTES = new Uint8Array(0);

/** The free state as a meta has it. */
export interface FreeRecord {
  /** Oldest first; the meta names the last. */
  readonly extents: readonly FreeExtent[];
  readonly log: Uint8Array;
}

/** What the log is about. */
export interface FreeLogHost {
  readonly pages: DirtyPages;
  readonly free: FreeList;
  readonly overflow: OverflowWriter;
  /** How long the tail may become; a test makes it short to see many extents. */
  readonly freeLogBytesMax: number;
}

export class FreeLog {
  readonly #host: FreeLogHost;
  /** What the newest meta in the file says, and how many pages the file has by it. */
  #record: FreeRecord;
  #pageCount: number;
  /** Pages that commits took or freed since that meta. */
  readonly #touched = new Set<number>();

  /** Fills the free list with what `meta` says; `protectedStates` rise. */
  constructor(host: FreeLogHost, meta: Meta, protectedStates: readonly TxnId[]) {
    this.#host = host;
    this.#pageCount = meta.pageCount;
    this.#record = { extents: this.#load(meta, protectedStates), log: meta.freeLog };
  }

  /** The extents that the newest meta leads to. */
  get extents(): readonly FreeExtent[] {
    return this.#record.extents;
  }

  #load(meta: Meta, protectedStates: readonly TxnId[]): readonly FreeExtent[] {
    const { free, pages } = this.#host;
    const [oldest = meta.txnId] = protectedStates;
    const { seen, extents } = readFreeState(pages.source, meta, oldest, free.free);
    const runs: FreedRun[] = [];
    seen.forEachRun((start, length) => {
      runs.push({ start, length, birth: 0, freedBy: meta.txnId });
    });
    free.addFreed(runs, protectedStates);
    return extents;
  }

  /** The open transaction is committed: the next meta has to tell what it did. */
  touch(): void {
    const { pages } = this.#host;
    const touched = this.#touched;
    for (const { pageId: start, length } of pages.taken) {
      // Behind the end that the file has by the last meta, only unused pages are worth a word.
      if (start >= this.#pageCount) continue;
      for (let page: number = start; page < start + length; page++) touched.add(page);
    }
    for (const { start, length } of pages.freed) {
      for (let page = start; page < start + length; page++) touched.add(page);
    }
  }

  /**
   * The free state for a meta that is to be written now, with what the open transaction did. May
   * take and free pages in that transaction.
   */
  next(txnId: TxnId): FreeRecord {
    const { extents, log } = this.#record;
    const change = this.#encodeChange(txnId);
    if (change.length === 0) return this.#record;
    const tailBytes = log.length + change.length;
    if (tailBytes <= this.#host.freeLogBytesMax) return { extents, log: joined(log, change) };
    const [first, ...others] = extents;
    const otherBytes = others.reduce((sum, { length }) => sum + length, tailBytes);
    if (first === undefined || otherBytes > first.length / 2) return this.#startAnew(txnId);
    const writer = new VarintWriter();
    encodeLink(writer, extents.at(-1));
    const extent = this.#writeExtent(txnId, joined(writer.bytes(), log, change));
    return { extents: [...extents, extent], log: NO_BYTES };
  }

  /** The meta with this record stands in the file. */
  settle(record: FreeRecord): void {
    this.#record = record;
    this.#pageCount = this.#host.pages.pageCount;
    this.#touched.clear();
    this.#host.free.sweep.moveOn();
  }

  /** What changed since the newest meta; nothing when nothing did. */
  #encodeChange(txnId: TxnId): Uint8Array {
    const { pages, free } = this.#host;
    const taken: number[] = [];
    const freed: number[] = [];
    // What is free now and was in the file at the last meta was unused then already: what its state
    // sees is protected.
    for (const page of this.#touched) {
      if (free.waiting.has(page)) freed.push(page);
      else if (page < this.#pageCount && !free.free.has(page)) taken.push(page);
    }
    for (const { pageId, length } of pages.taken) {
      if (pageId < this.#pageCount) pushRun(taken, pageId, length);
    }
    for (const { start, length } of pages.freed) pushRun(freed, start, length);
    free.free.forEachRun((start, length) => pushRun(freed, start, length), this.#pageCount);
    if (taken.length + freed.length === 0) return NO_BYTES;
    const writer = new VarintWriter();
    encodeChange(writer, { freedBy: txnId, taken: runsOf(taken), freed: runsOf(freed) });
    return writer.bytes();
  }

  /** An extent that says everything; those before it are freed. */
  #startAnew(txnId: TxnId): FreeRecord {
    const { pages, free } = this.#host;
    const { pageSize } = pages.memory;
    for (const extent of this.#record.extents) {
      pages.freePages(extent, extentPageCount(extent.length, pageSize), extent.birth);
    }
    const dying: number[] = [];
    for (const { start, length } of pages.freed) pushRun(dying, start, length);
    const writer = new VarintWriter();
    encodeLink(writer, undefined);
    encodeChange(writer, { freedBy: 0, taken: [], freed: free.free.runs() });
    encodeChange(writer, { freedBy: txnId, taken: [], freed: free.waiting.runs() });
    encodeChange(writer, { freedBy: txnId, taken: [], freed: runsOf(dying) });
    return { extents: [this.#writeExtent(txnId, writer.bytes())], log: NO_BYTES };
  }

  #writeExtent(txnId: TxnId, bytes: Uint8Array): FreeExtent {
    const { pages, overflow } = this.#host;
    const taken = pages.takeExtent(extentPageCount(bytes.length, pages.memory.pageSize));
    const pointer = overflow.writeExtentAt(taken, bytes, 0, bytes.length);
    return { ...pointer, length: bytes.length, birth: txnId };
  }
}

function pushRun(pages: number[], start: number, length: number): void {
  for (let page = start; page < start + length; page++) pages.push(page);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
