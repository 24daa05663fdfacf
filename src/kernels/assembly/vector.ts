/**
 * The scan over rows of int8 codes: which vectors may be among the nearest.
 *
 * Rows of four leaves are walked in lock-step: one stream of reads stalls at the end of each page,
 * four keep one another busy. ../../shared/vectors/codes.ts draws a row and a query and proves the
 * bounds; ../scalar-vector.ts is the slow twin.
 */
import { cellOf, entryCount, lookup, restOf, suffixOf } from './node';

const ROW_HEADER: usize = 12;
const SURVIVOR: usize = 24;
const PART: usize = 16;
/** Offsets of the query's fields. */
const Q_SCALE: usize = 0;
const Q_NORM: usize = 8;
const Q_ERROR: usize = 16;
const Q_THRESHOLD: usize = 24;
const Q_METRIC: usize = 32;
const Q_WIDTH: usize = 36;
const Q_SEGMENTS: usize = 40;
const Q_ROWS: usize = 44;
const Q_STRIDE: usize = 48;
const Q_ENTRY: usize = 52;
const Q_OUT: usize = 56;
const Q_OUT_END: usize = 60;
const Q_CODES: usize = 64;
const COSINE = 0;
const L2 = 2;
const ROUNDING: f64 = 1e-11;
const NORM_ROUNDING: f64 = 2.5e-7;
const NORM_MIN: f64 = 1e-30;

// @ts-ignore: decorator
@inline
function laneSum(v: v128): i32 {
  const pairs = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

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

/** Appends the vector to the survivors unless its upper bound is below the threshold. */
// @ts-ignore: decorator
@inline
function judge(query: usize, row: usize, sum: i32, slot: i32, out: usize): usize {
  const norm = <f64>load<f32>(row, 8);
  const residual = <f64>load<f32>(row, 4);
  const queryNorm = load<f64>(query, Q_NORM);
  const estimate = <f64>sum * <f64>load<f32>(row) * load<f64>(query, Q_SCALE);
  const exact = queryNorm * residual + load<f64>(query, Q_ERROR) * (norm + residual);
  const error = exact + ROUNDING * (abs(estimate) + exact + queryNorm * norm);
  const metric = load<i32>(query, Q_METRIC);
  let lower = estimate - error;
  let upper = estimate + error;
  if (norm < NORM_MIN && norm != 0) {
    lower = -Infinity;
    upper = Infinity;
  } else if (metric == COSINE) {
    lower = norm == 0 ? 0 : lower / norm;
    upper = norm == 0 ? 0 : upper / norm;
    lower -= NORM_ROUNDING * abs(lower);
    upper += NORM_ROUNDING * abs(upper);
  } else if (metric == L2) {
    const square = norm * norm;
    lower = 2 * lower - square;
    upper = 2 * upper - square * (1 - 2 * NORM_ROUNDING);
  }
  if (upper < load<f64>(query, Q_THRESHOLD)) return out;
  store<i32>(out, slot);
  store<f64>(out, lower, 8);
  store<f64>(out, upper, 16);
  return out + SURVIVOR;
}

/** What one segment of a long vector brings, with the header of its row. */
// @ts-ignore: decorator
@inline
function writePart(out: usize, row: usize, sum: i32): void {
  store<i32>(out, sum);
  store<u64>(out, load<u64>(row), 4);
  store<u32>(out, load<u32>(row, 8), 12);
}

/** A leaf of the codes in the cache, 0 when it is not there. */
// @ts-ignore: decorator
@inline
function leafOf(walk: usize, branch: usize, child: i32): usize {
  const leaf = lookup(walk, cellOf(branch, child));
  return leaf != 0 && load<u8>(leaf, 1) == 0 ? leaf : 0;
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
  let slot = entry * rows;
  let out = <usize>load<u32>(query, Q_OUT);
  for (let index: usize = 0; index < count; index++) {
    let rowA = rowsOf(a, index, size);
    let rowB = rowsOf(b, index, size);
    let rowC = rowsOf(c, index, size);
    let rowD = rowsOf(d, index, size);
    if (rowA == 0 || rowB == 0 || rowC == 0 || rowD == 0) return false;
    for (let at = 0; at < rows; at++) {
      let sumA = i32x4.splat(0);
      let sumB = sumA;
      let sumC = sumA;
      let sumD = sumA;
      for (let step: usize = 0; step < width; step += 16) {
        const low = v128.load(codes + (step << 1));
        const high = v128.load(codes + (step << 1), 16);
        sumA = i32x4.add(sumA, product(rowA + ROW_HEADER + step, low, high));
        sumB = i32x4.add(sumB, product(rowB + ROW_HEADER + step, low, high));
        sumC = i32x4.add(sumC, product(rowC + ROW_HEADER + step, low, high));
        sumD = i32x4.add(sumD, product(rowD + ROW_HEADER + step, low, high));
      }
      out = judge(query, rowA, laneSum(sumA), slot, out);
      out = judge(query, rowB, laneSum(sumB), slot + slotB, out);
      out = judge(query, rowC, laneSum(sumC), slot + slotC, out);
      out = judge(query, rowD, laneSum(sumD), slot + slotD, out);
      rowA += stride;
      rowB += stride;
      rowC += stride;
      rowD += stride;
      slot += 1;
    }
  }
  store<u32>(query, <u32>out, Q_OUT);
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
  for (let index = 0; index < <i32>count; index++) {
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

/**
 * Scans the children `from` to `to` of a branch above leaves of codes. Returns where it stopped:
 * `to`, or the first child of a group that is not in the cache or finds no room for its output;
 * below 0, the complement of a child that is not a leaf of codes, or of one near it.
 */
export function scanLeaves(query: usize, walk: usize, branch: usize, from: i32, to: i32): i32 {
  const whole = load<u32>(query, Q_SEGMENTS) == 1;
  let child = from;
  for (; child + 4 <= to; child += 4) {
    const a = leafOf(walk, branch, child);
    const b = leafOf(walk, branch, child + 1);
    const c = leafOf(walk, branch, child + 2);
    const d = leafOf(walk, branch, child + 3);
    if (a == 0 || b == 0 || c == 0 || d == 0) return child;
    const countA = entryCount(a);
    const countB = entryCount(b);
    const countC = entryCount(c);
    const countD = entryCount(d);
    const total = countA + countB + countC + countD;
    if (!hasRoom(query, total)) return child;
    const count = min(min(countA, countB), min(countC, countD));
    const entry = load<i32>(query, Q_ENTRY);
    const isGood = whole
      ? scanFour(query, a, b, c, d, count, entry)
      : scanFourParts(query, a, b, c, d, count, entry);
    if (!isGood) return ~child;
    // Leaves are as full as can be but for the last, so this is rare.
    const entryB = entry + <i32>countA;
    const entryC = entryB + <i32>countB;
    if (!scanEntries(query, a, count, countA, entry)) return ~child;
    if (!scanEntries(query, b, count, countB, entryB)) return ~child;
    if (!scanEntries(query, c, count, countC, entryC)) return ~child;
    if (!scanEntries(query, d, count, countD, entryC + <i32>countC)) return ~child;
    advance(query, total);
  }
  for (; child < to; child++) {
    const leaf = leafOf(walk, branch, child);
    if (leaf == 0 || !hasRoom(query, entryCount(leaf))) return child;
    if (!scanLeaf(query, leaf)) return ~child;
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
