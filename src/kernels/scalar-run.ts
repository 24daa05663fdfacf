/**
 * The plain loops over runs: what assembly/run.ts does, in the most obvious way.
 */
import type { RunKernels } from './kernel-interface.js';
import { ScalarNodes } from './scalar-node.js';

const HEADER = 32;
const SLOT = 8;
const HEAD = 4;
const LEAF_CELL = 2;
const BRANCH_CELL = 18;
const TWO_POW_32 = 2 ** 32;

function commonLength(a: Uint8Array, b: Uint8Array): number {
  const differs = a.findIndex((byte, at) => byte !== b[at]);
  return differs < 0 ? a.length : differs;
}

/** An entry with its whole key; `value` is the record, or the 18 bytes of a child. */
interface PlainEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** How many bytes all keys of rising entries have in common. */
function prefixOf(entries: readonly PlainEntry[]): number {
  const [first, last] = [entries[0], entries.at(-1)];
  return first === undefined || last === undefined ? 0 : commonLength(first.key, last.key);
}

function cellBytes({ key, value }: PlainEntry, prefix: number, level: number): number {
  const fixed = level === 0 ? LEAF_CELL : 0;
  return fixed + value.length + Math.max(0, key.length - prefix - HEAD);
}

function pageBytes(entries: readonly PlainEntry[], level: number): number {
  const prefix = prefixOf(entries);
  let sum = HEADER + prefix;
  for (const entry of entries) sum += SLOT + cellBytes(entry, prefix, level);
  return sum;
}

const weight = ({ key, value }: PlainEntry, level: number): number =>
  SLOT + key.length + value.length + (level === 0 ? LEAF_CELL : 0);

/** Where even shares begin, the length behind them. */
function evenBorders(entries: readonly PlainEntry[], level: number, wanted: number): number[] {
  const weights = entries.map((entry) => weight(entry, level));
  const total = weights.reduce((sum, each) => sum + each, 0);
  const borders = [0];
  let sum = 0;
  weights.forEach((own, index) => {
    const goal = (total * borders.length) / wanted;
    const mayBegin = index > (borders.at(-1) as number) && borders.length < wanted;
    if (mayBegin && sum + own / 2 > goal) borders.push(index);
    sum += own;
  });
  return [...borders, entries.length];
}

export class ScalarRuns extends ScalarNodes implements RunKernels {
  #entryAt(run: number, index: number, fresh: number, nodeBytes: number): PlainEntry {
    const source = this.u32(run + index * 8);
    const entry = this.u32(run + index * 8 + 4);
    if (source === 0) {
      const [key, end, value, length] = [0, 4, 8, 12].map((at) => this.u32(fresh + at)) as [
        number,
        number,
        number,
        number,
      ];
      return { key: this.bytes.slice(key, end), value: this.bytes.slice(value, value + length) };
    }
    const cell = this.cell(source, entry);
    const end = cell + this.cellBytes(source, entry);
    const length = this.isLeaf(source) ? this.u16(cell) : BRANCH_CELL;
    const value = this.isLeaf(source)
      ? this.bytes.slice(end - length, end)
      : this.bytes.slice(cell, cell + length);
    return { key: this.key(source, nodeBytes, entry), value };
  }

  #entriesOf(
    run: number,
    from: number,
    to: number,
    fresh: number,
    nodeBytes: number,
  ): PlainEntry[] {
    return Array.from({ length: to - from }, (_, index) =>
      this.#entryAt(run, from + index, fresh, nodeBytes),
    );
  }

  #writePage(
    entries: readonly PlainEntry[],
    target: number,
    nodeBytes: number,
    level: number,
  ): void {
    const prefix = prefixOf(entries);
    let heap = nodeBytes - prefix;
    this.setU16(target, (level === 0 ? 1 : 2) | (level << 8));
    this.setU16(target + 2, entries.length);
    this.setU32(target + 16, 0);
    this.setU32(target + 20, prefix);
    const first = entries[0];
    if (first !== undefined) this.bytes.set(first.key.subarray(0, prefix), target + heap);
    entries.forEach((entry, index) => {
      heap -= cellBytes(entry, prefix, level);
      this.writeKey(target, index, entry.key.subarray(prefix), heap);
      const cell = target + heap;
      if (level === 0) {
        this.setU16(cell, entry.value.length);
        this.bytes.set(entry.value, cell + cellBytes(entry, prefix, 0) - entry.value.length);
      } else this.bytes.set(entry.value, cell);
    });
    this.setU32(target + 24, heap);
    this.setU32(target + 28, 0);
  }

  appendEntries(run: number, length: number, source: number, from: number, to: number): number {
    for (let index = from; index < to; index++) {
      this.setU32(run + (length + index - from) * 8, source);
      this.setU32(run + (length + index - from) * 8 + 4, index);
    }
    return length + to - from;
  }

  runBytes(
    run: number,
    from: number,
    to: number,
    fresh: number,
    nodeBytes: number,
    level: number,
  ): number {
    return pageBytes(this.#entriesOf(run, from, to, fresh, nodeBytes), level);
  }

  dealRun(
    run: number,
    length: number,
    fresh: number,
    nodeBytes: number,
    level: number,
    fillMax: number,
    sharesMin: number,
    borders: number,
  ): number {
    const entries = this.#entriesOf(run, 0, length, fresh, nodeBytes);
    for (let wanted = sharesMin; ; wanted++) {
      const starts = evenBorders(entries, level, wanted);
      const limit = wanted > sharesMin + 2 ? nodeBytes : nodeBytes * fillMax;
      const shares = starts.slice(1).map((end, at) => entries.slice(starts[at], end));
      if (shares.some((share) => pageBytes(share, level) > limit)) continue;
      starts.forEach((start, at) => {
        this.setU32(borders + at * 4, start);
      });
      return shares.length;
    }
  }

  writeRun(
    run: number,
    from: number,
    to: number,
    fresh: number,
    target: number,
    nodeBytes: number,
    level: number,
  ): void {
    this.#writePage(this.#entriesOf(run, from, to, fresh, nodeBytes), target, nodeBytes, level);
  }

  runChildCount(run: number, from: number, to: number, fresh: number): number {
    let sum = 0;
    for (let index = from; index < to; index++) {
      const source = this.u32(run + index * 8);
      const entry = this.u32(run + index * 8 + 4);
      const cell = source === 0 ? this.u32(fresh + 8) : this.cell(source, entry);
      sum += this.u32(cell + 12) + this.u16(cell + 16) * TWO_POW_32;
    }
    return sum;
  }

  runSeparator(
    run: number,
    index: number,
    fresh: number,
    nodeBytes: number,
    level: number,
    spare: number,
  ): number {
    const { key } = this.#entryAt(run, index, fresh, nodeBytes);
    const before = this.#entryAt(run, index - 1, fresh, nodeBytes).key;
    const length = level > 0 ? key.length : commonLength(key, before) + 1;
    this.bytes.set(key.subarray(0, length), spare);
    return length;
  }
}
