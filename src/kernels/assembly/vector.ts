/**
 * The scan over rows of int8 codes: which vectors may be among the nearest.
 *
 * Rows of four leaves are walked in lock-step: one stream of reads stalls at the end of each page,
 * four keep one another busy. ../../shared/bytes/vector-codes.ts draws rows and queries and proves
 * the bounds; ../scalar-vector.ts is the slow twin.
 */
import { BLOCK, findLeaves, leafAt } from './cached-leaves';
import { cellOf, entryCount, restOf, suffixOf } from './node';
import {
  areFar,
  judge,
  laneSum,
  laneSums,
  NO_STOP,
  Q_CODES,
  Q_ENTRY,
  Q_OUT,
  Q_OUT_END,
  Q_ROWS,
  Q_SEGMENTS,
  Q_STOPS,
  Q_STRIDE,
  Q_WIDTH,
  SURVIVOR,
} from './vector-bounds';

const ROW_HEADER: usize = 16;
/** Of ten checks at a stop, how many have to succeed for it to be worth its while. */
const SUCCESSES_MIN = 6;
const PART: usize = 16;

// @ts-ignore: decorator
@inline
function product(codes: usize, low: v128, high: v128): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.load_ext<i8>(codes), low),
    i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 8), high),
  );
}

/** Where the query's codes too have to be fetched. */
// @ts-ignore: decorator
@inline
function productAt(codes: usize, query: usize): v128 {
  return product(codes, v128.load(query), v128.load(query, 16));
}

/** Of the row's codes and those of a segment of the query. */
function dot(codes: usize, row: usize, width: usize): i32 {
  let sum = i32x4.splat(0);
  for (let at: usize = 0; at < width; at += 16) {
    const low = v128.load(codes + (at << 1));
    const high = v128.load(codes + (at << 1), 16);
    sum = i32x4.add(sum, product(row + ROW_HEADER + at, low, high));
  }
  return laneSum(sum);
}

/** What one segment of a long vector brings, with the header of its row. */
// @ts-ignore: decorator
@inline
function writePart(out: usize, row: usize, sum: i32): void {
  store<i32>(out, sum);
  store<u64>(out, load<u64>(row), 4);
  store<u32>(out, load<u32>(row, 8), 12);
}

/** The rows of an entry, 0 when it has another size than every entry has. */
// @ts-ignore: decorator
@inline
function rowsOf(leaf: usize, index: usize, size: usize): usize {
  const cell = cellOf(leaf, index);
  return <usize>load<u16>(cell) == size ? cell + 2 + restOf(suffixOf(leaf, index)) : 0;
}

// @ts-ignore: decorator
@inline
function segmentCodes(query: usize, entry: i32): usize {
  const segment = <usize>(<u32>entry % load<u32>(query, Q_SEGMENTS));
  return query + Q_CODES + ((segment * <usize>load<u32>(query, Q_WIDTH)) << 1);
}

/** True when the survivors or parts of so many entries fit below the end of the output. */
// @ts-ignore: decorator
@inline
function hasRoom(query: usize, entries: usize): bool {
  const rows = <usize>load<u32>(query, Q_ROWS);
  const size = load<u32>(query, Q_SEGMENTS) == 1 ? rows * SURVIVOR : PART;
  return entries * size <= <usize>load<u32>(query, Q_OUT_END) - <usize>load<u32>(query, Q_OUT);
}

/** The entries `from` to `to` of one leaf; `entry` is the number of its first. */
function scanEntries(query: usize, leaf: usize, from: usize, to: usize, entry: i32): bool {
  const width = <usize>load<u32>(query, Q_WIDTH);
  const rows = load<i32>(query, Q_ROWS);
  const stride = <usize>load<u32>(query, Q_STRIDE);
  const whole = load<u32>(query, Q_SEGMENTS) == 1;
  let out = <usize>load<u32>(query, Q_OUT);
  const parts = out - <usize>load<u32>(query, Q_ENTRY) * PART;
  for (let index = from; index < to; index++) {
    let row = rowsOf(leaf, index, <usize>rows * stride);
    if (row == 0) return false;
    const number = entry + <i32>index;
    const codes = segmentCodes(query, number);
    if (!whole) {
      writePart(parts + <usize>number * PART, row, dot(codes, row, width));
      continue;
    }
    for (let at = 0; at < rows; at++) {
      out = judge(query, row, dot(codes, row, width), number * rows + at, out);
      row += stride;
    }
  }
  store<u32>(query, <u32>out, Q_OUT);
  return true;
}

/** Where the scan stops to see whether it has seen enough; 0 to 2, or NO_STOP. */
let stop = 0;

/** The first `count` entries of each of four leaves, of vectors that are whole in a row. */
function scanFour(
  query: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  count: usize,
  entry: i32,
): bool {
  const width = <usize>load<u32>(query, Q_WIDTH);
  const rows = load<i32>(query, Q_ROWS);
  const stride = <usize>load<u32>(query, Q_STRIDE);
  const size = <usize>rows * stride;
  const codes = query + Q_CODES;
  const slotB = <i32>entryCount(a) * rows;
  const slotC = slotB + <i32>entryCount(b) * rows;
  const slotD = slotC + <i32>entryCount(c) * rows;
  let out = <usize>load<u32>(query, Q_OUT);
  const first = stop == NO_STOP ? width : <usize>load<u32>(query + Q_STOPS + (<usize>stop << 2));
  let stopped = 0;
  let successes = 0;
  // From the last on, since that is how they lie in memory one behind the other.
  for (let left = count; left > 0; left--) {
    const index = left - 1;
    let rowA = rowsOf(a, index, size);
    let rowB = rowsOf(b, index, size);
    let rowC = rowsOf(c, index, size);
    let rowD = rowsOf(d, index, size);
    if (rowA == 0 || rowB == 0 || rowC == 0 || rowD == 0) return false;
    let slot = (entry + <i32>index) * rows;
    for (let at = 0; at < rows; at++) {
      let sumA = i32x4.splat(0);
      let sumB = sumA;
      let sumC = sumA;
      let sumD = sumA;
      let step: usize = 0;
      for (let end = first; ; end = width) {
        for (; step < end; step += 16) {
          const low = v128.load(codes + (step << 1));
          const high = v128.load(codes + (step << 1), 16);
          sumA = i32x4.add(sumA, product(rowA + ROW_HEADER + step, low, high));
          sumB = i32x4.add(sumB, product(rowB + ROW_HEADER + step, low, high));
          sumC = i32x4.add(sumC, product(rowC + ROW_HEADER + step, low, high));
          sumD = i32x4.add(sumD, product(rowD + ROW_HEADER + step, low, high));
        }
        const sums = laneSums(sumA, sumB, sumC, sumD);
        const isWhole = step >= width;
        const areOut = areFar(query, rowA, rowB, rowC, rowD, sums, isWhole ? NO_STOP : stop);
        if (!isWhole) {
          stopped += 1;
          successes += i32(areOut);
        }
        if (areOut) break;
        if (!isWhole) continue;
        out = judge(query, rowA, i32x4.extract_lane(sums, 0), slot, out);
        out = judge(query, rowB, i32x4.extract_lane(sums, 1), slot + slotB, out);
        out = judge(query, rowC, i32x4.extract_lane(sums, 2), slot + slotC, out);
        out = judge(query, rowD, i32x4.extract_lane(sums, 3), slot + slotD, out);
        break;
      }
      rowA += stride;
      rowB += stride;
      rowC += stride;
      rowD += stride;
      slot += 1;
    }
  }
  store<u32>(query, <u32>out, Q_OUT);
  if (successes * 10 < stopped * SUCCESSES_MIN) stop += 1;
  return true;
}

/** The same for vectors that take several entries. */
function scanFourParts(
  query: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  count: usize,
  entry: i32,
): bool {
  const width = <usize>load<u32>(query, Q_WIDTH);
  const size = <usize>load<u32>(query, Q_STRIDE);
  const partB = <i32>entryCount(a);
  const partC = partB + <i32>entryCount(b);
  const partD = partC + <i32>entryCount(c);
  const parts = <usize>load<u32>(query, Q_OUT);
  for (let index = <i32>count - 1; index >= 0; index--) {
    const rowA = rowsOf(a, index, size);
    const rowB = rowsOf(b, index, size);
    const rowC = rowsOf(c, index, size);
    const rowD = rowsOf(d, index, size);
    if (rowA == 0 || rowB == 0 || rowC == 0 || rowD == 0) return false;
    const codesA = segmentCodes(query, entry + index);
    const codesB = segmentCodes(query, entry + partB + index);
    const codesC = segmentCodes(query, entry + partC + index);
    const codesD = segmentCodes(query, entry + partD + index);
    let sumA = i32x4.splat(0);
    let sumB = sumA;
    let sumC = sumA;
    let sumD = sumA;
    for (let at: usize = 0; at < width; at += 16) {
      const to = at << 1;
      const row = ROW_HEADER + at;
      sumA = i32x4.add(sumA, productAt(rowA + row, codesA + to));
      sumB = i32x4.add(sumB, productAt(rowB + row, codesB + to));
      sumC = i32x4.add(sumC, productAt(rowC + row, codesC + to));
      sumD = i32x4.add(sumD, productAt(rowD + row, codesD + to));
    }
    writePart(parts + <usize>index * PART, rowA, laneSum(sumA));
    writePart(parts + <usize>(partB + index) * PART, rowB, laneSum(sumB));
    writePart(parts + <usize>(partC + index) * PART, rowC, laneSum(sumC));
    writePart(parts + <usize>(partD + index) * PART, rowD, laneSum(sumD));
  }
  return true;
}

/** Entry numbers and parts go on behind so many entries. */
// @ts-ignore: decorator
@inline
function advance(query: usize, entries: usize): void {
  store<u32>(query, load<u32>(query, Q_ENTRY) + <u32>entries, Q_ENTRY);
  if (load<u32>(query, Q_SEGMENTS) == 1) return;
  store<u32>(query, load<u32>(query, Q_OUT) + <u32>(entries * PART), Q_OUT);
}

/** Scans one leaf; false when it is not a leaf of codes. The output has room for it. */
export function scanLeaf(query: usize, leaf: usize): bool {
  const count = entryCount(leaf);
  if (!scanEntries(query, leaf, 0, count, load<i32>(query, Q_ENTRY))) return false;
  advance(query, count);
  return true;
}

/** Scans four leaves in lock-step; false when one is not a leaf of codes. */
function scanGroup(query: usize, a: usize, b: usize, c: usize, d: usize): bool {
  const countA = entryCount(a);
  const countB = entryCount(b);
  const countC = entryCount(c);
  const countD = entryCount(d);
  const count = min(min(countA, countB), min(countC, countD));
  const entry = load<i32>(query, Q_ENTRY);
  const isGood =
    load<u32>(query, Q_SEGMENTS) == 1
      ? scanFour(query, a, b, c, d, count, entry)
      : scanFourParts(query, a, b, c, d, count, entry);
  if (!isGood) return false;
  // Leaves are as full as can be but for the last, so the rest is rarely anything.
  const entryB = entry + <i32>countA;
  const entryC = entryB + <i32>countB;
  if (!scanEntries(query, a, count, countA, entry)) return false;
  if (!scanEntries(query, b, count, countB, entryB)) return false;
  if (!scanEntries(query, c, count, countC, entryC)) return false;
  if (!scanEntries(query, d, count, countD, entryC + <i32>countC)) return false;
  advance(query, countA + countB + countC + countD);
  return true;
}

/** As `scanLeaves`, for so few leaves that they are looked for together. */
function scanBlock(query: usize, walk: usize, branch: usize, from: i32, to: i32): i32 {
  findLeaves(walk, branch, from, to);
  stop = 0;
  let child = from;
  for (; child + 4 <= to; child += 4) {
    const a = leafAt(walk, child - from);
    const b = leafAt(walk, child - from + 1);
    const c = leafAt(walk, child - from + 2);
    const d = leafAt(walk, child - from + 3);
    if (a == 0 || b == 0 || c == 0 || d == 0) return child;
    if (!hasRoom(query, entryCount(a) + entryCount(b) + entryCount(c) + entryCount(d))) {
      return child;
    }
    if (!scanGroup(query, a, b, c, d)) return ~child;
  }
  for (; child < to; child++) {
    const leaf = leafAt(walk, child - from);
    if (leaf == 0 || !hasRoom(query, entryCount(leaf))) return child;
    if (!scanLeaf(query, leaf)) return ~child;
  }
  return child;
}

/**
 * Scans the children `from` to `to` of a branch above leaves of codes. Returns where it stopped:
 * `to`, or the first child of a group that is not in the cache or finds no room for its output;
 * below 0, the complement of a child that is not a leaf of codes, or of one near it.
 */
export function scanLeaves(query: usize, walk: usize, branch: usize, from: i32, to: i32): i32 {
  let child = from;
  while (child < to) {
    const end = min(to, child + BLOCK);
    child = scanBlock(query, walk, branch, child, end);
    if (child != end) return child;
  }
  return child;
}

/**
 * Judges `count` vectors whose parts lie one behind another at `parts`, the first of them with the
 * given slot. Writes the survivors to `out` and returns where they end.
 */
export function judgeParts(
  query: usize,
  parts: usize,
  count: i32,
  slot: i32,
  out: usize,
): usize {
  const segments = load<i32>(query, Q_SEGMENTS);
  for (let vector = 0; vector < count; vector++) {
    let sum = 0;
    for (let segment = 0; segment < segments; segment++) {
      sum += load<i32>(parts + <usize>segment * PART);
    }
    out = judge(query, parts + 4, sum, slot + vector, out);
    parts += <usize>segments * PART;
  }
  return out;
}
