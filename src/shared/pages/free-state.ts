/**
 * The free state as bytes, all varints; free-log.ts says where they stand and what they mean.
 *
 *   change   freedBy; count of taken runs, runs; count of freed runs, runs
 *   log      changes, one behind the other; a later one overrides an earlier
 *   extent   page id of the extent before it, 0 when there is none, else with it that extent's
 *            checksum low, checksum high, length, birth; then a log
 *
 * A run is (start, as the difference to the end of the run before, sign in the lowest bit; length).
 * `freedBy` is the transaction whose meta says so; 0 for pages that no state sees any more.
 */
import { VarintReader, type VarintWriter } from '../bytes/varint.js';
import { MnemeError } from '../errors.js';
import { type TxnId, toPageId } from '../ids.js';
import { type FreeExtent, firstDataPage, type Meta } from './meta-page.js';
import { extentPageCount, readExtent } from './overflow-page.js';
import { PageBitmap } from './page-bitmap.js';
import type { PageSource } from './page-source.js';

/** Runs of pages, flat: start, length, start, length, … */
export type PageRuns = readonly number[];

/** What became of pages between two metas. */
export interface FreeChange {
  readonly freedBy: TxnId;
  readonly taken: PageRuns;
  readonly freed: PageRuns;
}

/** The runs that pages in any order make. */
export function runsOf(pages: readonly number[]): PageRuns {
  const runs: number[] = [];
  let end = -1;
  for (const page of Uint32Array.from(pages).sort()) {
    if (page === end) runs[runs.length - 1] = (runs.at(-1) as number) + 1;
    else runs.push(page, 1);
    end = page + 1;
  }
  return runs;
}

export function encodeChange(writer: VarintWriter, change: FreeChange): void {
  writer.write(change.freedBy);
  encodeRuns(writer, change.taken);
  encodeRuns(writer, change.freed);
}

function encodeRuns(writer: VarintWriter, runs: PageRuns): void {
  writer.write(runs.length / 2);
  let end = 0;
  for (let at = 0; at < runs.length; at += 2) {
    const start = runs[at] as number;
    const length = runs[at + 1] as number;
    const difference = start - end;
    writer.write(difference >= 0 ? difference * 2 : -difference * 2 - 1);
    writer.write(length);
    end = start + length;
  }
}

/** How an extent begins: with the way to the one before it. */
export function encodeLink(writer: VarintWriter, previous: FreeExtent | undefined): void {
  writer.write(previous?.pageId ?? 0);
  if (previous === undefined) return;
  writer.write(previous.low >>> 0);
  writer.write(previous.high >>> 0);
  writer.write(previous.length);
  writer.write(previous.birth);
}

export function readLink(reader: VarintReader): FreeExtent | undefined {
  const pageId = toPageId(readNumber(reader));
  if (pageId === 0) return undefined;
  const low = readNumber(reader) | 0;
  const high = readNumber(reader) | 0;
  return { pageId, low, high, length: readNumber(reader), birth: readNumber(reader) };
}

function readNumber(reader: VarintReader): number {
  const value = reader.read();
  if (value < 0) throw freeStateDamaged();
  return value;
}

export function freeStateDamaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: 'the free list cannot be read' });
}

/** The free state while its log is carried out, oldest change first. */
export class FreeLogReader {
  /** Pages that no state sees any more. */
  readonly free: PageBitmap;
  /** Pages that were freed, but not before the oldest state that is still protected. */
  readonly seen = new PageBitmap();
  readonly #pageCount: number;
  readonly #firstPage: number;
  readonly #oldestState: TxnId;
  readonly #newestState: TxnId;

  /** @param pages - What lies outside of them is never free. */
  constructor(
    free: PageBitmap,
    pages: { readonly first: number; readonly end: number },
    states: { readonly oldest: TxnId; readonly newest: TxnId },
  ) {
    this.free = free;
    this.#firstPage = pages.first;
    this.#pageCount = pages.end;
    this.#newestState = states.newest;
    this.#oldestState = states.oldest;
  }

  readLog(reader: VarintReader): void {
    while (!reader.atEnd) {
      const freedBy = readNumber(reader);
      if (freedBy > this.#newestState) throw freeStateDamaged();
      this.#readRuns(reader, (page) => this.take(page));
      const target = this.#oldestState < freedBy ? this.seen : this.free;
      this.#readRuns(reader, (page) => {
        this.take(page);
        target.add(page, 1);
      });
    }
  }

  take(page: number): void {
    if (this.free.has(page)) this.free.remove(page, 1);
    else if (this.seen.has(page)) this.seen.remove(page, 1);
  }

  #readRuns(reader: VarintReader, visit: (page: number) => void): void {
    const count = readNumber(reader);
    let end = 0;
    for (let run = 0; run < count; run++) {
      const coded = readNumber(reader);
      const start = end + (coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2);
      end = start + readNumber(reader);
      if (start < this.#firstPage || end > this.#pageCount) throw freeStateDamaged();
      for (let page = start; page < end; page++) visit(page);
    }
  }
}

/** What a meta says of pages that its state does not use. */
export interface FreeState {
  /** Pages that were freed, but not before the oldest state that is still protected. */
  readonly seen: PageBitmap;
  /** The pages with the log itself, oldest first. */
  readonly extents: readonly FreeExtent[];
}

/**
 * Carries out the log that a meta leads to.
 * @param free - Is filled with the pages that no state from `oldest` on sees.
 */
export function readFreeState(
  source: PageSource,
  meta: Meta,
  oldest: TxnId,
  free: PageBitmap,
): FreeState {
  const { pageSize } = source.memory;
  const range = { first: firstDataPage(pageSize), end: meta.pageCount };
  const state = new FreeLogReader(free, range, { oldest, newest: meta.txnId });
  const logs = readExtents(source, meta);
  for (const { extent, reader } of logs) {
    state.readLog(reader);
    const end = extent.pageId + extentPageCount(extent.length, pageSize);
    for (let page: number = extent.pageId; page < end; page++) state.take(page);
  }
  state.readLog(new VarintReader(meta.freeLog));
  return { seen: state.seen, extents: logs.map(({ extent }) => extent) };
}

/** The logs in the extents, oldest first. */
function readExtents(source: PageSource, { freeExtent, txnId, pageCount }: Meta) {
  const { pageSize } = source.memory;
  const logs: { extent: FreeExtent; reader: VarintReader }[] = [];
  let birthMax = txnId + 1;
  for (let extent = freeExtent; extent !== undefined; ) {
    const end = extent.pageId * pageSize + extent.length;
    // Births fall, so it comes to an end.
    if (end > pageCount * pageSize || extent.birth >= birthMax) throw freeStateDamaged();
    birthMax = extent.birth;
    const bytes = new Uint8Array(extent.length);
    readExtent(source, extent, bytes, 0, bytes.length);
    const reader = new VarintReader(bytes);
    logs.unshift({ extent, reader });
    extent = readLink(reader);
  }
  return logs;
}
