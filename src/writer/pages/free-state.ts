/**
 * The free state as bytes: the base and the log of free-list.ts, as varints.
 *
 *   base   free runs: count, runs; waiting: count of groups, each (freedBy, count, (run, birth)…)
 *          then zeros up to the length that was taken for it
 *   log    per commit: freedBy, count of taken runs, runs, count of freed, (run, birth)…
 *
 * A run is (start, as the difference to the end of the run before, sign in the lowest bit; length).
 */
import { type VarintReader, VarintWriter } from '../../shared/bytes/varint.js';
import { MnemeError } from '../../shared/errors.js';
import type { TxnId } from '../../shared/ids.js';

export interface PageRun {
  readonly start: number;
  readonly length: number;
}

/** Pages made by transaction `birth` that transaction `freedBy` does not use any more. */
export interface FreedRun extends PageRun {
  readonly birth: TxnId;
  readonly freedBy: TxnId;
}

/** What a commit did to the free state. */
export interface FreeChange {
  readonly freedBy: TxnId;
  readonly taken: readonly PageRun[];
  readonly freed: readonly FreedRun[];
}

export function encodeBase(
  free: readonly PageRun[],
  waiting: ReadonlyMap<TxnId, readonly FreedRun[]>,
): Uint8Array {
  const writer = new VarintWriter();
  writeRuns(writer, free);
  writer.write(waiting.size);
  for (const [freedBy, runs] of waiting) {
    writer.write(freedBy);
    writeFreed(writer, runs);
  }
  return writer.bytes();
}

export function encodeChange(change: FreeChange): Uint8Array {
  const writer = new VarintWriter();
  writer.write(change.freedBy);
  writeRuns(writer, change.taken);
  writeFreed(writer, change.freed);
  return writer.bytes();
}

/** The difference to the last run's end, which may be negative, as an unsigned number. */
function writeStart(writer: VarintWriter, start: number, lastEnd: number): void {
  const difference = start - lastEnd;
  writer.write(difference >= 0 ? difference * 2 : -difference * 2 - 1);
}

function writeRuns(writer: VarintWriter, runs: readonly PageRun[]): void {
  writer.write(runs.length);
  let end = 0;
  for (const { start, length } of runs) {
    writeStart(writer, start, end);
    writer.write(length);
    end = start + length;
  }
}

function writeFreed(writer: VarintWriter, runs: readonly FreedRun[]): void {
  writer.write(runs.length);
  let end = 0;
  for (const { start, length, birth } of runs) {
    writeStart(writer, start, end);
    writer.write(length);
    writer.write(birth);
    end = start + length;
  }
}

function damaged(): MnemeError {
  return new MnemeError('ERR_MNEME_CORRUPT', { reason: 'the free list cannot be read' });
}

/** The free state while it is being put together, page by page. */
export class LoadedRuns {
  readonly pages = new Map<number, { birth: TxnId; freedBy: TxnId }>();
  readonly #pageCount: number;
  constructor(pageCount: number) {
    this.#pageCount = pageCount;
  }

  readBase(reader: VarintReader): void {
    this.#readRuns(reader, (page) => this.pages.set(page, { birth: 0, freedBy: 0 }));
    const groupCount = this.#number(reader);
    for (let group = 0; group < groupCount; group++) this.#readFreed(reader);
  }

  readChange(reader: VarintReader): void {
    const freedBy = this.#number(reader);
    this.#readRuns(reader, (page) => this.pages.delete(page));
    this.#readFreed(reader, freedBy);
  }

  #number(reader: VarintReader): number {
    const value = reader.read();
    if (value < 0) throw damaged();
    return value;
  }

  #readRun(reader: VarintReader, lastEnd: number, visit: (page: number) => void): number {
    const coded = this.#number(reader);
    const start = lastEnd + (coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2);
    const length = this.#number(reader);
    const end = start + length;
    if (start <= 0 || end > this.#pageCount) throw damaged();
    for (let page = start; page < end; page++) visit(page);
    return end;
  }

  #readRuns(reader: VarintReader, visit: (page: number) => void): void {
    const count = this.#number(reader);
    let end = 0;
    for (let run = 0; run < count; run++) end = this.#readRun(reader, end, visit);
  }

  #readFreed(reader: VarintReader, knownFreedBy?: TxnId): void {
    const freedBy = knownFreedBy ?? this.#number(reader);
    const count = this.#number(reader);
    let end = 0;
    for (let run = 0; run < count; run++) {
      const pages: number[] = [];
      end = this.#readRun(reader, end, (page) => pages.push(page));
      const birth = this.#number(reader);
      for (const page of pages) this.pages.set(page, { birth, freedBy });
    }
  }
}
