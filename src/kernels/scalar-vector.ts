/**
 * The plain loops of the scan over codes: the definition of the right answer, and what runs without
 * WebAssembly. shared/bytes/vector-codes.ts draws what they read and write, and has the proof.
 */
import type { VectorKernels } from './kernel-interface.js';
import { ScalarRuns } from './scalar-run.js';

const ROW_HEADER = 16;
/** What of it a part keeps. */
const PART_HEADER = 12;
const SURVIVOR = 24;
const PART = 16;
const QUERY = {
  scale: 0,
  norm: 8,
  error: 16,
  threshold: 24,
  metric: 32,
  width: 36,
  segments: 40,
  rows: 44,
  stride: 48,
  entry: 52,
  out: 56,
  outEnd: 60,
  codes: 96,
} as const;
const COSINE = 0;
const L2 = 2;
const ROUNDING = 1e-11;
const NORM_ROUNDING = 2.5e-7;
const NORM_MIN = 1e-30;

export class ScalarVectors extends ScalarRuns implements VectorKernels {
  scanLeaf(query: number, leaf: number): boolean {
    const count = this.count(leaf);
    const entry = this.u32(query + QUERY.entry);
    for (let index = 0; index < count; index++) {
      if (!this.#scanEntry(query, leaf, index, entry)) return false;
    }
    this.#advance(query, count);
    return true;
  }

  scanLeaves(query: number, walk: number, branch: number, from: number, to: number): number {
    let child = from;
    while (child < to) {
      const group = child + 4 <= to ? 4 : 1;
      const leaves = Array.from({ length: group }, (_, at) => this.#leaf(walk, branch, child + at));
      if (leaves.includes(0)) return child;
      const total = leaves.reduce((sum, leaf) => sum + this.count(leaf), 0);
      if (!this.#hasRoom(query, total)) return child;
      if (!this.#scanGroup(query, leaves)) return ~child;
      this.#advance(query, total);
      child += group;
    }
    return child;
  }

  /** In the order in which four are walked in lock-step. */
  #scanGroup(query: number, leaves: readonly number[]): boolean {
    const shared = Math.min(...leaves.map((leaf) => this.count(leaf)));
    const entries: number[] = [];
    let entry = this.u32(query + QUERY.entry);
    for (const leaf of leaves) {
      entries.push(entry);
      entry += this.count(leaf);
    }
    const rows = this.u32(query + QUERY.rows);
    for (let index = 0; index < shared; index++) {
      for (let row = 0; row < rows; row++) {
        for (const [at, leaf] of leaves.entries()) {
          if (!this.#scanRow(query, leaf, index, entries[at] as number, row)) return false;
        }
      }
    }
    return leaves.every((leaf, at) => {
      for (let index = shared; index < this.count(leaf); index++) {
        if (!this.#scanEntry(query, leaf, index, entries[at] as number)) return false;
      }
      return true;
    });
  }

  #leaf(walk: number, branch: number, child: number): number {
    const leaf = this.lookup(walk, this.cell(branch, child));
    return leaf !== 0 && this.isLeaf(leaf) ? leaf : 0;
  }

  #isWhole(query: number): boolean {
    return this.u32(query + QUERY.segments) === 1;
  }

  #hasRoom(query: number, entries: number): boolean {
    const size = this.#isWhole(query) ? this.u32(query + QUERY.rows) * SURVIVOR : PART;
    return entries * size <= this.u32(query + QUERY.outEnd) - this.u32(query + QUERY.out);
  }

  /** Entry numbers and parts go on behind so many entries. */
  #advance(query: number, entries: number): void {
    this.setU32(query + QUERY.entry, this.u32(query + QUERY.entry) + entries);
    if (this.#isWhole(query)) return;
    this.setU32(query + QUERY.out, this.u32(query + QUERY.out) + entries * PART);
  }

  /** `entry` is the number of the leaf's first. */
  #scanEntry(query: number, leaf: number, index: number, entry: number): boolean {
    const rows = this.u32(query + QUERY.rows);
    for (let row = 0; row < rows; row++) {
      if (!this.#scanRow(query, leaf, index, entry, row)) return false;
    }
    return true;
  }

  #scanRow(query: number, leaf: number, index: number, first: number, row: number): boolean {
    const rows = this.u32(query + QUERY.rows);
    const stride = this.u32(query + QUERY.stride);
    const cell = this.cell(leaf, index);
    if (this.u16(cell) !== rows * stride) return false;
    const address = cell + this.cellBytes(leaf, index) - (rows - row) * stride;
    const entry = first + index;
    const segments = this.u32(query + QUERY.segments);
    const sum = this.#dot(query, entry % segments, address);
    const out = this.u32(query + QUERY.out);
    if (segments === 1) {
      this.setU32(query + QUERY.out, this.#judge(query, address, sum, entry * rows + row, out));
      return true;
    }
    const part = out + (entry - this.u32(query + QUERY.entry)) * PART;
    this.view.setInt32(part, sum, true);
    this.bytes.copyWithin(part + 4, address, address + PART_HEADER);
    return true;
  }

  #dot(query: number, segment: number, row: number): number {
    const width = this.u32(query + QUERY.width);
    const codes = query + QUERY.codes + 2 * segment * width;
    let sum = 0;
    for (let at = 0; at < width; at++) {
      sum += this.view.getInt8(row + ROW_HEADER + at) * this.view.getInt16(codes + 2 * at, true);
    }
    return sum;
  }

  judgeParts(query: number, parts: number, count: number, slot: number, out: number): number {
    const segments = this.u32(query + QUERY.segments);
    let end = out;
    for (let vector = 0; vector < count; vector++) {
      const first = parts + vector * segments * PART;
      let sum = 0;
      for (let segment = 0; segment < segments; segment++) {
        sum += this.view.getInt32(first + segment * PART, true);
      }
      end = this.#judge(query, first + 4, sum, slot + vector, end);
    }
    return end;
  }

  #judge(query: number, row: number, sum: number, slot: number, out: number): number {
    const { view } = this;
    const norm = view.getFloat32(row + 8, true);
    const residual = view.getFloat32(row + 4, true);
    const queryNorm = view.getFloat64(query + QUERY.norm, true);
    const scale = view.getFloat64(query + QUERY.scale, true);
    const estimate = sum * view.getFloat32(row, true) * scale;
    const queryError = view.getFloat64(query + QUERY.error, true);
    const exact = queryNorm * residual + queryError * (norm + residual);
    const error = exact + ROUNDING * (Math.abs(estimate) + exact + queryNorm * norm);
    const metric = view.getInt32(query + QUERY.metric, true);
    let lower = estimate - error;
    let upper = estimate + error;
    if (norm < NORM_MIN && norm !== 0) {
      lower = Number.NEGATIVE_INFINITY;
      upper = Number.POSITIVE_INFINITY;
    } else if (metric === COSINE) {
      lower = norm === 0 ? 0 : lower / norm;
      upper = norm === 0 ? 0 : upper / norm;
      lower -= NORM_ROUNDING * Math.abs(lower);
      upper += NORM_ROUNDING * Math.abs(upper);
    } else if (metric === L2) {
      const square = norm * norm;
      const reach = queryNorm + norm;
      const rounding = ROUNDING * reach * reach;
      lower = 2 * lower - square - rounding;
      upper = 2 * upper - square * (1 - 2 * NORM_ROUNDING) + rounding;
    }
    if (upper < view.getFloat64(query + QUERY.threshold, true)) return out;
    view.setInt32(out, slot, true);
    view.setFloat64(out + 8, lower, true);
    view.setFloat64(out + 16, upper, true);
    return out + SURVIVOR;
  }
}
