/**
 * A text search over blocks of postings: adds what they score to the documents of a window.
 *
 * ../scalar-text.ts is the slow twin: it draws the record of a window and defines every bit of the
 * scores. ../../shared/bytes/postings.ts draws the blocks. Whatever a block says, nothing but
 * documents of the window is written; where damage lets distances fall, some may be overlooked.
 */
import { cellOf, cellValue, restOf, suffixOf } from './node';
import {
  W_COUNT,
  W_HITS,
  W_NORM,
  W_NORM_PER_TERM,
  W_SCORES,
  W_SEEN,
  W_WEIGHT,
} from './text-hits';

const BLOCK_HEADER: usize = 8;
const ALL_FOUR = 15;
/**
 * To find the posting of a hit takes as long as to test so many postings; so much longer it may
 * take altogether until these are tested instead.
 */
const HIT_COST = 4;
const BUDGET = 16;

/** Where the parts of the block lie that `findBlock` found, and the bytes of a number in each. */
let count = 0;
let distances: usize = 0;
let distanceWidth = 0;
let frequencies: usize = 0;
let frequencyWidth = 0;
let lengths: usize = 0;
let lengthWidth = 0;
/** The number of its first document, from that of the window's first. */
let offset: i64 = 0;
/** What `clipBlock` found: the distances from `low` to below `low + span` are in the window. */
let low: u32 = 0;
let span: u32 = 0;

// @ts-ignore: decorator
@inline
function widthOf(code: i32): i32 {
  return (1 << code) >> 1;
}

/** Finds the parts of the block of an entry; false when it is none. */
function findBlock(window: usize, leaf: usize, index: usize): bool {
  const cell = cellOf(leaf, index);
  const size = <usize>load<u16>(cell);
  if (size < BLOCK_HEADER) return false;
  const end = cell + cellValue(leaf, cell) + restOf(suffixOf(leaf, index));
  const block = end - size;
  const codes = <i32>load<u8>(block, 1);
  count = <i32>load<u8>(block) + 1;
  distanceWidth = widthOf(codes & 3);
  frequencyWidth = widthOf((codes >>> 2) & 3);
  lengthWidth = widthOf((codes >>> 4) & 3);
  if (distanceWidth == 0 || lengthWidth == 0) return false;
  const bounds = (codes >>> 6) + 1;
  distances = block + BLOCK_HEADER + <usize>(bounds * (frequencyWidth + lengthWidth));
  frequencies = distances + <usize>(count * distanceWidth);
  lengths = frequencies + <usize>(count * frequencyWidth);
  offset = <i64>load<u32>(block, 4) - <i64>load<u32>(window);
  return lengths + <usize>(count * lengthWidth) == end;
}

/** Finds which distances are in the window; false when none is. */
// @ts-ignore: decorator
@inline
function clipBlock<T>(window: usize): bool {
  const first = <i64>load<T>(distances);
  const last = <i64>load<T>(distances + <usize>(count - 1) * sizeof<T>());
  const start = max<i64>(first, -offset);
  const end = min<i64>(last + 1, <i64>load<u32>(window, W_COUNT) - offset);
  if (start >= end) return false;
  low = <u32>start;
  span = <u32>(end - start);
  return true;
}

/** Four numbers from an index on; some behind the last have no meaning. */
// @ts-ignore: decorator
@inline
function loadFour(start: usize, width: i32, index: i32): v128 {
  if (width == 1) {
    const bytes = v128.load32_zero(start + <usize>index);
    return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
  }
  if (width == 2) return i32x4.extend_low_i16x8_u(v128.load64_zero(start + (<usize>index << 1)));
  return v128.load(start + (<usize>index << 2));
}

/** The first posting from one on whose distance is not below the given one; else the count. */
// @ts-ignore: decorator
@inline
function findDistance<T>(posting: i32, distance: T): i32 {
  const sought = v128.splat<T>(distance);
  for (; posting < count; posting += 16 / sizeof<T>()) {
    const start = distances + <usize>posting * sizeof<T>();
    const reached = v128.bitmask<T>(v128.ge<T>(v128.load(start), sought));
    if (reached != 0) return min(posting + ctz(reached), count);
  }
  return count;
}

// @ts-ignore: decorator
@inline
function addBit(hits: usize, document: u32): void {
  const at = hits + <usize>(document >>> 3);
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(document & 7)));
}

// @ts-ignore: decorator
@inline
function addScore(scores: usize, document: u32, score: f64): void {
  const at = scores + (<usize>document << 3);
  store<f64>(at, load<f64>(at) + score);
}

// @ts-ignore: decorator
@inline
function addHit(scores: usize, hits: usize, document: u32, score: f64): void {
  addScore(scores, document, score);
  addBit(hits, document);
}

/** Makes four documents hits; where they lie densely, their bits are in one word as a rule. */
// @ts-ignore: decorator
@inline
function addBits<T>(hits: usize, a: u32, b: u32, c: u32, d: u32): void {
  if (sizeof<T>() == 1 && ((a ^ b) | (a ^ c) | (a ^ d)) >>> 5 == 0) {
    const word = hits + <usize>((a >>> 5) << 2);
    const bits = (1 << (a & 31)) | (1 << (b & 31)) | (1 << (c & 31)) | (1 << (d & 31));
    store<u32>(word, load<u32>(word) | bits);
    return;
  }
  addBit(hits, a);
  addBit(hits, b);
  addBit(hits, c);
  addBit(hits, d);
}

/** Adds the postings of a block that are in the window, four at a time: divisions take longest. */
function addBlock<T>(window: usize): void {
  if (!clipBlock<T>(window)) return;
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const weight = v128.load64_splat(window, W_WEIGHT);
  const norm = v128.load64_splat(window, W_NORM);
  const normPerTerm = v128.load64_splat(window, W_NORM_PER_TERM);
  const lows = i32x4.splat(low);
  const spans = i32x4.splat(span);
  const shift = <u32>offset;
  // Kept here, since globals are read again after each write.
  const end = count;
  const fStart = frequencies;
  const fWidth = frequencyWidth;
  const lStart = lengths;
  const lWidth = lengthWidth;
  for (let at = findDistance<T>(0, <T>low); at < end; at += 4) {
    const place = distances + <usize>at * sizeof<T>();
    const inside = i32x4.sub(loadFour(place, sizeof<T>(), 0), lows);
    let mask = i32x4.bitmask(i32x4.lt_u(inside, spans));
    if (at + 4 > end) mask &= (1 << (end - at)) - 1;
    if (mask == 0) return;
    const f = fWidth == 0 ? i32x4.splat(1) : loadFour(fStart, fWidth, at);
    const l = loadFour(lStart, lWidth, at);
    const f01 = f64x2.convert_low_i32x4_u(f);
    const f23 = f64x2.convert_low_i32x4_u(v128.shuffle<i64>(f, f, 1, 0));
    const l01 = f64x2.convert_low_i32x4_u(l);
    const l23 = f64x2.convert_low_i32x4_u(v128.shuffle<i64>(l, l, 1, 0));
    const norm01 = f64x2.add(norm, f64x2.mul(normPerTerm, l01));
    const norm23 = f64x2.add(norm, f64x2.mul(normPerTerm, l23));
    const score01 = f64x2.div(f64x2.mul(weight, f01), f64x2.add(f01, norm01));
    const score23 = f64x2.div(f64x2.mul(weight, f23), f64x2.add(f23, norm23));
    const a = <u32>load<T>(place) + shift;
    const b = <u32>load<T>(place, sizeof<T>()) + shift;
    const c = <u32>load<T>(place, 2 * sizeof<T>()) + shift;
    const d = <u32>load<T>(place, 3 * sizeof<T>()) + shift;
    if (mask == ALL_FOUR) {
      addScore(scores, a, f64x2.extract_lane(score01, 0));
      addScore(scores, b, f64x2.extract_lane(score01, 1));
      addScore(scores, c, f64x2.extract_lane(score23, 0));
      addScore(scores, d, f64x2.extract_lane(score23, 1));
      addBits<T>(hits, a, b, c, d);
      continue;
    }
    if (mask & 1) addHit(scores, hits, a, f64x2.extract_lane(score01, 0));
    if (mask & 2) addHit(scores, hits, b, f64x2.extract_lane(score01, 1));
    if (mask & 4) addHit(scores, hits, c, f64x2.extract_lane(score23, 0));
    if (mask & 8) addHit(scores, hits, d, f64x2.extract_lane(score23, 1));
  }
}

/** Adds what the postings of a leaf's entries score; false when an entry is no block. */
export function addPostings(window: usize, leaf: usize, from: usize, to: usize): bool {
  for (let index = from; index < to; index++) {
    if (!findBlock(window, leaf, index)) return false;
    if (distanceWidth == 1) addBlock<u8>(window);
    else if (distanceWidth == 2) addBlock<u16>(window);
    else addBlock<u32>(window);
  }
  return true;
}

// @ts-ignore: decorator
@inline
function loadOne(start: usize, width: i32, index: i32): u32 {
  if (width == 1) return load<u8>(start + <usize>index);
  if (width == 2) return load<u16>(start + (<usize>index << 1));
  return load<u32>(start + (<usize>index << 2));
}

/** The first hit from a document on; above `last` when there is none before. */
// @ts-ignore: decorator
@inline
function nextHit(hits: usize, document: u32, last: u32): u32 {
  if (document > last) return document;
  let first = document & ~63;
  let bits = load<u64>(hits + <usize>(first >>> 3)) & (u64.MAX_VALUE << <u64>(document & 63));
  while (bits == 0) {
    first += 64;
    if (first > last) return first;
    bits = load<u64>(hits + <usize>(first >>> 3));
  }
  return first + <u32>ctz(bits);
}

/** Adds a posting's score to that of a hit, which becomes seen. */
// @ts-ignore: decorator
@inline
function see(window: usize, document: u32, posting: i32): void {
  const isOne = frequencyWidth == 0;
  const frequency = isOne ? 1.0 : <f64>loadOne(frequencies, frequencyWidth, posting);
  const length = <f64>loadOne(lengths, lengthWidth, posting);
  const norm = load<f64>(window, W_NORM) + load<f64>(window, W_NORM_PER_TERM) * length;
  const score = (load<f64>(window, W_WEIGHT) * frequency) / (frequency + norm);
  addScore(<usize>load<u32>(window, W_SCORES), document, score);
  addBit(<usize>load<u32>(window, W_SEEN), document);
}

/**
 * Goes from hit to hit, and through the postings only as far as these. Returns the first posting
 * that is not settled: where hits turn out to be many, it leaves the rest.
 */
function probeHits<T>(window: usize): i32 {
  const hits = <usize>load<u32>(window, W_HITS);
  const shift = <u32>offset;
  const first = low + shift;
  const last = first + (span - 1);
  let posting = 0;
  let budget = BUDGET;
  let hit = nextHit(hits, first, last);
  while (hit <= last) {
    const distance = <T>(hit - shift);
    const from = posting;
    posting = findDistance<T>(posting, distance);
    if (posting == count) return count;
    const found = load<T>(distances + <usize>posting * sizeof<T>());
    if (found == distance) {
      see(window, hit, posting);
      posting += 1;
    }
    // Behind the hit in any case, and not before the posting.
    const ahead = <u32>found - <u32>distance;
    if (ahead > last - hit) return count;
    hit = nextHit(hits, hit + max<u32>(ahead, 1), last);
    // The way to the first one is short, however many postings it passes.
    budget += (from == 0 ? 0 : posting - from) - HIT_COST;
    if (budget < 0) return posting;
  }
  return count;
}

/** Goes from posting to posting. */
function probeEach<T>(window: usize, from: i32): void {
  const hits = <usize>load<u32>(window, W_HITS);
  const shift = <u32>offset;
  for (let posting = from; posting < count; posting++) {
    const distance = <u32>load<T>(distances + <usize>posting * sizeof<T>());
    if (distance - low >= span) return;
    const document = distance + shift;
    const bits = <u32>load<u8>(hits + <usize>(document >>> 3));
    if ((bits >>> (document & 7)) & 1) see(window, document, posting);
  }
}

// @ts-ignore: decorator
@inline
function probeBlock<T>(window: usize): void {
  if (!clipBlock<T>(window)) return;
  const unsettled = probeHits<T>(window);
  if (unsettled < count) probeEach<T>(window, unsettled);
}

/** The same as `addPostings` for documents that are hits already, which become seen. */
export function probePostings(window: usize, leaf: usize, from: usize, to: usize): bool {
  for (let index = from; index < to; index++) {
    if (!findBlock(window, leaf, index)) return false;
    if (distanceWidth == 1) probeBlock<u8>(window);
    else if (distanceWidth == 2) probeBlock<u16>(window);
    else probeBlock<u32>(window);
  }
  return true;
}
