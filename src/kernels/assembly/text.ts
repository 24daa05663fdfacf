/**
 * A text search over blocks of postings, a window of documents at a time. ../scalar-text.ts draws
 * the record of a window and is the slow twin; ../../shared/bytes/postings.ts draws the blocks.
 */
import { cellOf, restOf, suffixOf } from './node';

const W_FIRST: usize = 0;
const W_COUNT: usize = 4;
const W_SCORES: usize = 8;
const W_HITS: usize = 12;
const W_SEEN: usize = 16;
const W_WEIGHT: usize = 24;
const W_NORM: usize = 32;
const W_PER_TERM: usize = 40;
const W_FLOOR: usize = 48;

const CELL_HEADER: usize = 2;
const BLOCK_HEADER: usize = 8;
const HIT: usize = 16;

/** The block that was looked at last: every instance belongs to one thread. */
let count: usize = 0;
let distances: usize = 0;
let distanceWidth: usize = 0;
let frequencies: usize = 0;
let frequencyWidth: usize = 0;
let lengths: usize = 0;
let lengthWidth: usize = 0;
/** Its first document in the window; may lie outside. */
let base: i64 = 0;

/** Bytes by code: 0, 1, 2, 4. */
// @ts-ignore: decorator
@inline
function widthOf(code: usize): usize {
  return code == 0 ? 0 : <usize>1 << (code - 1);
}

// @ts-ignore: decorator
@inline
function wide(start: usize, width: usize, index: usize): u32 {
  if (width == 1) return load<u8>(start + index);
  return width == 2 ? load<u16>(start + (index << 1)) : load<u32>(start + (index << 2));
}

/** Finds the parts of a block; false when it is none. */
function openBlock(window: usize, leaf: usize, index: usize): bool {
  const cell = cellOf(leaf, index);
  const size = <usize>load<u16>(cell);
  if (size < BLOCK_HEADER) return false;
  const start = cell + CELL_HEADER + restOf(suffixOf(leaf, index));
  const codes = <usize>load<u8>(start, 1);
  count = <usize>load<u8>(start) + 1;
  distanceWidth = widthOf(codes & 3);
  frequencyWidth = widthOf((codes >>> 2) & 3);
  lengthWidth = widthOf((codes >>> 4) & 3);
  distances = start + BLOCK_HEADER + ((codes >>> 6) + 1) * (frequencyWidth + lengthWidth);
  frequencies = distances + count * distanceWidth;
  lengths = frequencies + count * frequencyWidth;
  base = <i64>load<u32>(start, 4) - <i64>load<u32>(window, W_FIRST);
  const isWhole = distanceWidth != 0 && lengthWidth != 0;
  return isWhole && lengths + count * lengthWidth == start + size;
}

// @ts-ignore: decorator
@inline
function addScore(window: usize, document: usize, score: f64): void {
  const at = <usize>load<u32>(window, W_SCORES) + (document << 3);
  store<f64>(at, load<f64>(at) + score);
}

// @ts-ignore: decorator
@inline
function setBit(bits: usize, document: usize): void {
  const word = bits + ((document >>> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (<u64>document & 63)));
}

// @ts-ignore: decorator
@inline
function scoreAt(window: usize, posting: usize): f64 {
  const frequency: f64 = frequencyWidth == 0 ? 1 : wide(frequencies, frequencyWidth, posting);
  const length: f64 = wide(lengths, lengthWidth, posting);
  const norm = load<f64>(window, W_NORM) + load<f64>(window, W_PER_TERM) * length;
  return (load<f64>(window, W_WEIGHT) * frequency) / (frequency + norm);
}

/** The commonest blocks: every frequency is 1, every length takes a byte. */
// @ts-ignore: decorator
@inline
function addOnes<D>(window: usize): void {
  const documents = <u64>load<u32>(window, W_COUNT);
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const weight = load<f64>(window, W_WEIGHT);
  const norm = load<f64>(window, W_NORM);
  const perTerm = load<f64>(window, W_PER_TERM);
  const end = count;
  const from = distances;
  const lengthsFrom = lengths;
  const first = base;
  for (let posting: usize = 0; posting < end; posting++) {
    const place = <u64>(first + <i64>load<D>(from + posting * sizeof<D>()));
    if (place >= documents) continue;
    const document = <usize>place;
    const score = weight / (1 + (norm + perTerm * <f64>load<u8>(lengthsFrom + posting)));
    const at = scores + (document << 3);
    store<f64>(at, load<f64>(at) + score);
    setBit(hits, document);
  }
}

/** Blocks whose frequencies and lengths take a byte each. */
// @ts-ignore: decorator
@inline
function addBytes<D>(window: usize): void {
  const documents = <u64>load<u32>(window, W_COUNT);
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const weight = load<f64>(window, W_WEIGHT);
  const norm = load<f64>(window, W_NORM);
  const perTerm = load<f64>(window, W_PER_TERM);
  const end = count;
  const from = distances;
  const frequenciesFrom = frequencies;
  const lengthsFrom = lengths;
  const first = base;
  for (let posting: usize = 0; posting < end; posting++) {
    const place = <u64>(first + <i64>load<D>(from + posting * sizeof<D>()));
    if (place >= documents) continue;
    const document = <usize>place;
    const frequency = <f64>load<u8>(frequenciesFrom + posting);
    const length = <f64>load<u8>(lengthsFrom + posting);
    const score = (weight * frequency) / (frequency + (norm + perTerm * length));
    const at = scores + (document << 3);
    store<f64>(at, load<f64>(at) + score);
    setBit(hits, document);
  }
}

function addAny(window: usize): void {
  const documents = <u64>load<u32>(window, W_COUNT);
  const hits = <usize>load<u32>(window, W_HITS);
  for (let posting: usize = 0; posting < count; posting++) {
    const place = <u64>(base + <i64>wide(distances, distanceWidth, posting));
    if (place >= documents) continue;
    addScore(window, <usize>place, scoreAt(window, posting));
    setBit(hits, <usize>place);
  }
}

export function addPostings(window: usize, leaf: usize, from: i32, to: i32): bool {
  for (let index = from; index < to; index++) {
    if (!openBlock(window, leaf, <usize>index)) return false;
    const isNarrow = lengthWidth == 1 && distanceWidth != 4;
    if (isNarrow && frequencyWidth == 0) {
      if (distanceWidth == 1) addOnes<u8>(window);
      else addOnes<u16>(window);
    } else if (isNarrow && frequencyWidth == 1) {
      if (distanceWidth == 1) addBytes<u8>(window);
      else addBytes<u16>(window);
    } else addAny(window);
  }
  return true;
}

/** The first posting from one on that is not nearer than this. */
// @ts-ignore: decorator
@inline
function findDistance(posting: usize, distance: u32): usize {
  let low = posting;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (wide(distances, distanceWidth, middle) < distance) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** From hit to hit: most postings of a frequent term are of no hit. */
function probeBlock(window: usize): void {
  const documents = <i64>load<u32>(window, W_COUNT);
  const hits = <usize>load<u32>(window, W_HITS);
  const seen = <usize>load<u32>(window, W_SEEN);
  const last = base + <i64>wide(distances, distanceWidth, count - 1);
  const start = max<i64>(base, 0);
  const end = min<i64>(last, documents - 1);
  if (start > end) return;
  let posting: usize = 0;
  for (let word = start >>> 6; word <= end >>> 6; word++) {
    let bits = load<u64>(hits + (<usize>word << 3));
    while (bits != 0) {
      const document = (word << 6) + <i64>ctz(bits);
      bits &= bits - 1;
      if (document < start) continue;
      if (document > end) return;
      const distance = <u32>(document - base);
      posting = findDistance(posting, distance);
      if (posting == count) return;
      if (wide(distances, distanceWidth, posting) != distance) continue;
      addScore(window, <usize>document, scoreAt(window, posting));
      setBit(seen, <usize>document);
    }
  }
}

export function probePostings(window: usize, leaf: usize, from: i32, to: i32): bool {
  for (let index = from; index < to; index++) {
    if (!openBlock(window, leaf, <usize>index)) return false;
    probeBlock(window);
  }
  return true;
}

// @ts-ignore: decorator
@inline
function wordsEnd(window: usize): usize {
  return ((<usize>load<u32>(window, W_COUNT) + 63) >>> 6) << 3;
}

export function keepSeen(window: usize): void {
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const seen = <usize>load<u32>(window, W_SEEN);
  for (let at: usize = 0; at < wordsEnd(window); at += 8) {
    const kept = load<u64>(hits + at) & load<u64>(seen + at);
    let gone = load<u64>(hits + at) & ~kept;
    store<u64>(hits + at, kept);
    store<u64>(seen + at, 0);
    for (; gone != 0; gone &= gone - 1) {
      store<f64>(scores + (((at << 3) + <usize>ctz(gone)) << 3), 0);
    }
  }
}

export function forgetSeen(window: usize): void {
  memory.fill(<usize>load<u32>(window, W_SEEN), 0, wordsEnd(window));
}

export function pruneHits(window: usize): void {
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const floor = load<f64>(window, W_FLOOR);
  for (let at: usize = 0; at < wordsEnd(window); at += 8) {
    let kept = load<u64>(hits + at);
    for (let bits = kept; bits != 0; bits &= bits - 1) {
      const score = scores + (((at << 3) + <usize>ctz(bits)) << 3);
      if (load<f64>(score) >= floor) continue;
      store<f64>(score, 0);
      kept &= ~(bits & (0 - bits));
    }
    store<u64>(hits + at, kept);
  }
}

export function takeHits(window: usize, out: usize): i32 {
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const first = load<u32>(window, W_FIRST);
  const floor = load<f64>(window, W_FLOOR);
  let to = out;
  for (let at: usize = 0; at < wordsEnd(window); at += 8) {
    for (let bits = load<u64>(hits + at); bits != 0; bits &= bits - 1) {
      const document = (at << 3) + <usize>ctz(bits);
      const score = load<f64>(scores + (document << 3));
      store<f64>(scores + (document << 3), 0);
      if (!(score >= floor)) continue;
      store<u32>(to, first + <u32>document);
      store<f64>(to, score, 8);
      to += HIT;
    }
    store<u64>(hits + at, 0);
  }
  return <i32>((to - out) / HIT);
}
