/**
 * The hits that a text search has in a window of documents: keeps, forgets and takes them, 64 at a
 * time. ../scalar-text.ts is the slow twin and draws the record of a window.
 */

export const W_COUNT: usize = 4;
export const W_SCORES: usize = 8;
export const W_HITS: usize = 12;
export const W_SEEN: usize = 16;
export const W_WEIGHT: usize = 24;
export const W_NORM: usize = 32;
export const W_NORM_PER_TERM: usize = 40;
const W_FLOOR: usize = 48;
/** Bytes of a hit that is taken. */
const HIT: usize = 16;

/** The bits of up to 64 documents; of the last ones there may be only a half. */
// @ts-ignore: decorator
@inline
function loadBits(address: usize, left: u32): u64 {
  if (left >= 64) return load<u64>(address);
  const bits = left > 32 ? load<u64>(address) : <u64>load<u32>(address);
  return bits & ((<u64>1 << <u64>left) - 1);
}

/** Clears some bits in such a word. */
// @ts-ignore: decorator
@inline
function clearBits(address: usize, left: u32, bits: u64): void {
  if (left > 32) store<u64>(address, load<u64>(address) & ~bits);
  else store<u32>(address, load<u32>(address) & ~(<u32>bits));
}

/** Sets the scores of some of 64 documents to 0. */
// @ts-ignore: decorator
@inline
function clearScores(scores: usize, bits: u64): void {
  for (; bits != 0; bits &= bits - 1) store<f64>(scores + (<usize>ctz(bits) << 3), 0);
}

/** Forgets the hits that are not seen; then none is. */
export function keepSeen(window: usize): void {
  const documents = load<u32>(window, W_COUNT);
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const seen = <usize>load<u32>(window, W_SEEN);
  for (let first: u32 = 0; first < documents; first += 64) {
    const left = documents - first;
    const at = <usize>(first >>> 3);
    const gone = loadBits(hits + at, left) & ~loadBits(seen + at, left);
    if (gone == 0) continue;
    clearBits(hits + at, left, gone);
    clearScores(scores + (<usize>first << 3), gone);
  }
  forgetSeen(window);
}

/** Then none is seen. */
export function forgetSeen(window: usize): void {
  const words = (<usize>load<u32>(window, W_COUNT) + 31) >>> 5;
  memory.fill(<usize>load<u32>(window, W_SEEN), 0, words << 2);
}

/** Forgets the hits whose scores are below the floor. */
export function pruneHits(window: usize): void {
  const documents = load<u32>(window, W_COUNT);
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const floor = load<f64>(window, W_FLOOR);
  for (let first: u32 = 0; first < documents; first += 64) {
    const left = documents - first;
    const start = scores + (<usize>first << 3);
    const at = hits + <usize>(first >>> 3);
    let gone: u64 = 0;
    for (let bits = loadBits(at, left); bits != 0; bits &= bits - 1) {
      const bit = ctz(bits);
      gone |= <u64>(load<f64>(start + (<usize>bit << 3)) < floor) << bit;
    }
    if (gone == 0) continue;
    clearBits(at, left, gone);
    clearScores(start, gone);
  }
}

/** Writes the hits that are not below the floor, and forgets all; returns how many it wrote. */
export function takeHits(window: usize, out: usize): usize {
  const documents = load<u32>(window, W_COUNT);
  const number = load<u32>(window);
  const scores = <usize>load<u32>(window, W_SCORES);
  const hits = <usize>load<u32>(window, W_HITS);
  const floor = load<f64>(window, W_FLOOR);
  let at = out;
  for (let first: u32 = 0; first < documents; first += 64) {
    const left = documents - first;
    const word = hits + <usize>(first >>> 3);
    const taken = loadBits(word, left);
    if (taken == 0) continue;
    clearBits(word, left, taken);
    for (let bits = taken; bits != 0; bits &= bits - 1) {
      const document = first + <u32>ctz(bits);
      const place = scores + (<usize>document << 3);
      const score = load<f64>(place);
      store<f64>(place, 0);
      if (score < floor) continue;
      store<u32>(at, number + document);
      store<f64>(at, score, 8);
      at += HIT;
    }
  }
  return (at - out) / HIT;
}
