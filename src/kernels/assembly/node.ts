/**
 * A node of the tree: search, insertion, removal, and the way from a root to a leaf.
 *
 * The layout of a node is drawn in shared/tree/node.ts, that of the page table in
 * shared/memory/page-cache.ts, that of a walk record in shared/tree/walk.ts. The slow twins in
 * ../scalar-node.ts define the right answers.
 */

const HEADER: usize = 32;
const SLOT: usize = 8;
const HEAD: usize = 4;
const LEAF_CELL: usize = 2;
const BRANCH_CELL: usize = 18;
const SIGN: u32 = 0x80000000;

export const FRAME_MASK: u32 = 0xfffff;
export const HASH_FACTOR: u32 = 0x9e3779b1;
const BUCKET_SLOTS: usize = 16;
export const RECORD: usize = 32;

const LINE: usize = 64;
const TOUCHED_MAX: usize = 1024;

const WALK_STEPS: usize = 32;
const STEP: usize = 32;

// @ts-ignore: decorator
@inline
export function entryCount(node: usize): usize {
  return load<u16>(node, 2);
}

// @ts-ignore: decorator
@inline
export function cellOf(node: usize, index: usize): usize {
  return node + <usize>load<u16>(node + index * SLOT, HEADER + 4);
}

// @ts-ignore: decorator
@inline
export function suffixOf(node: usize, index: usize): usize {
  return load<u16>(node + index * SLOT, HEADER + 6);
}

// @ts-ignore: decorator
@inline
export function restOf(suffix: usize): usize {
  return suffix > HEAD ? suffix - HEAD : 0;
}

// @ts-ignore: decorator
@inline
export function cellFixed(node: usize): usize {
  return load<u8>(node, 1) == 0 ? LEAF_CELL : BRANCH_CELL;
}

/** Bytes of a cell that are not key. */
// @ts-ignore: decorator
@inline
export function cellValue(node: usize, cell: usize): usize {
  return load<u8>(node, 1) == 0 ? LEAF_CELL + <usize>load<u16>(cell) : BRANCH_CELL;
}

/** The first 4 bytes of a suffix as they are compared. */
export function headOf(key: usize, end: usize): i32 {
  const length = end - key;
  let head: u32 = 0;
  if (length >= 4) head = bswap<u32>(load<u32>(key));
  else {
    if (length > 0) head = <u32>load<u8>(key) << 24;
    if (length > 1) head |= <u32>load<u8>(key, 1) << 16;
    if (length > 2) head |= <u32>load<u8>(key, 2) << 8;
  }
  return <i32>(head ^ SIGN);
}

/** Order of two runs of bytes over the length they share. */
function compareBytes(a: usize, b: usize, length: usize): i32 {
  let at: usize = 0;
  while (at + 8 <= length) {
    const left = load<u64>(a + at);
    const right = load<u64>(b + at);
    if (left != right) return bswap<u64>(left) < bswap<u64>(right) ? -1 : 1;
    at += 8;
  }
  while (at < length) {
    const difference = <i32>load<u8>(a + at) - <i32>load<u8>(b + at);
    if (difference != 0) return difference;
    at += 1;
  }
  return 0;
}

/** Order of a key against an entry with the same prefix and head. */
function compareRest(node: usize, index: usize, key: usize, end: usize): i32 {
  const length = end - key;
  const suffix = suffixOf(node, index);
  const shared = min(length, suffix);
  if (shared > HEAD) {
    const rest = cellOf(node, index) + cellFixed(node);
    const order = compareBytes(key + HEAD, rest, shared - HEAD);
    if (order != 0) return order;
  }
  return <i32>length - <i32>suffix;
}

/** The index of the entry that has the key, else the complement of where it would stand. */
export function findKey(node: usize, nodeBytes: usize, key: usize, end: usize): i32 {
  const count = entryCount(node);
  const prefix: usize = load<u16>(node, 20);
  if (prefix > 0) {
    const length = end - key;
    const order = compareBytes(key, node + nodeBytes - prefix, min(prefix, length));
    if (order < 0 || (order == 0 && length < prefix)) return -1;
    if (order > 0) return ~(<i32>count);
    key += prefix;
  }
  const head = headOf(key, end);
  const heads = node + HEADER;
  let low: usize = 0;
  let left = count;
  // Without branches: where a key falls is anybody's guess.
  while (left > 0) {
    const half = left >>> 1;
    const isBelow = load<i32>(heads + (low + half) * SLOT) < head;
    low = isBelow ? low + half + 1 : low;
    left = isBelow ? left - half - 1 : half;
  }
  let high = low;
  while (high < count && load<i32>(heads + high * SLOT) == head) {
    // Equal heads are few as a rule; many are halved.
    const middle = high;
    const order = compareRest(node, middle, key, end);
    if (order == 0) return <i32>middle;
    if (order < 0) return ~(<i32>middle);
    high += 1;
    if (high - low == 4) return findAmongEqual(node, high, count, head, key, end);
  }
  return ~(<i32>high);
}

/** Goes on from entry `low`, where all entries before are smaller. */
function findAmongEqual(
  node: usize,
  low: usize,
  count: usize,
  head: i32,
  key: usize,
  end: usize,
): i32 {
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const seen = load<i32>(node + middle * SLOT, HEADER);
    const order = seen == head ? compareRest(node, middle, key, end) : seen < head ? 1 : -1;
    if (order == 0) return <i32>middle;
    if (order > 0) low = middle + 1;
    else high = middle;
  }
  return ~(<i32>low);
}

/**
 * The address of the frame that holds the page of a pointer, as a step or a branch's cell begins
 * with one; 0 when none does.
 */
export function lookup(walk: usize, step: usize): usize {
  const pageId = load<u32>(step);
  const low = load<u32>(step, 4);
  const high = load<u32>(step, 8);
  const hash = pageId * HASH_FACTOR;
  const tag = hash & ~FRAME_MASK;
  let bucket = (hash >>> 4) & load<u32>(walk, 4);
  for (let attempt = 0; attempt < 2; attempt++) {
    const start = load<usize>(walk) + <usize>bucket * BUCKET_SLOTS * 4;
    for (let slot = start; slot < start + BUCKET_SLOTS * 4; slot += 4) {
      const entry = atomic.load<u32>(slot);
      if ((entry & ~FRAME_MASK) != tag || entry == 0) continue;
      const frame = (entry & FRAME_MASK) - 1;
      if (<i32>frame < 0) continue;
      const record = load<usize>(walk, 8) + <usize>frame * RECORD;
      if (load<u32>(record, 4) != pageId || load<u32>(record, 8) != low) continue;
      if (load<u32>(record, 12) != high || load<u32>(record, 20) != load<u32>(walk, 24)) continue;
      if (load<u32>(record, 16) == 0) store<u32>(record, 1, 16);
      return load<usize>(walk, 12) + <usize>frame * load<usize>(walk, 16);
    }
    bucket ^= 1;
  }
  return 0;
}

/**
 * Reads a word of each cache line that the search may want, so that they come in from memory
 * together and not one after the other; it makes a get of a random key a tenth faster.
 */
// @ts-ignore: decorator
@inline
function touch(node: usize, nodeBytes: usize): u32 {
  let touched = load<u32>(node + nodeBytes - 4);
  const end = min(node + HEADER + entryCount(node) * SLOT, node + TOUCHED_MAX);
  for (let at = node + LINE; at < end; at += LINE) touched ^= load<u32>(at);
  return touched;
}

/**
 * Goes on from the step at `level` to the leaf of a key. `node` is that step's page where it is
 * known already, else 0. Returns -1 at the leaf, else the level whose page is not in the cache, or
 * is a page of another level.
 */
export function descend(walk: usize, level: i32, node: usize, key: usize, end: usize): i32 {
  const nodeBytes: usize = load<u32>(walk, 20);
  let step = walk + WALK_STEPS + <usize>level * STEP;
  while (true) {
    if (node == 0) node = lookup(walk, step);
    if (node == 0 || <i32>load<u8>(node, 1) != level) return level;
    store<u32>(step, <u32>node, 12);
    store<u32>(step, touch(node, nodeBytes), 20);
    let index = findKey(node, nodeBytes, key, end);
    if (level == 0) {
      store<i32>(step, index, 16);
      return -1;
    }
    if (index < 0) index = index == -1 ? 0 : ~index - 1;
    store<i32>(step, index, 16);
    const cell = cellOf(node, index);
    step -= STEP;
    level -= 1;
    store<u32>(step, load<u32>(cell));
    store<u64>(step, load<u64>(cell, 4), 4);
    node = 0;
  }
}

/** Adds to the counts of the branches on the way, from a level up to the root's. */
export function addToCounts(walk: usize, from: i32, root: i32, difference: f64): void {
  const summand = <i64>difference;
  for (let level = from; level <= root; level++) {
    const step = walk + WALK_STEPS + <usize>level * STEP;
    const cell = cellOf(load<usize>(step, 12), load<usize>(step, 16));
    const low = <u64>load<u32>(cell, 12);
    const count = <i64>(low | (<u64>load<u16>(cell, 16) << 32)) + summand;
    store<u32>(cell, <u32>count, 12);
    store<u16>(cell, <u16>(count >> 32), 16);
  }
}

/** Moves the cells together so that all free bytes lie between slots and heap. */
export function compactNode(node: usize, nodeBytes: usize, spare: usize): void {
  memory.copy(spare, node, nodeBytes);
  const count = entryCount(node);
  let heap = nodeBytes - <usize>load<u16>(node, 20);
  for (let index: usize = 0; index < count; index++) {
    const cell = cellOf(spare, index);
    const size = cellValue(spare, cell) + restOf(suffixOf(spare, index));
    heap -= size;
    memory.copy(node + heap, cell, size);
    store<u16>(node + index * SLOT, <u16>heap, HEADER + 4);
  }
  store<u32>(node, <u32>heap, 24);
  store<u32>(node, 0, 28);
}

/**
 * Makes room for an entry and writes its key. Returns where its value or child goes, 0 when it does
 * not fit or lacks the node's prefix.
 */
export function insertEntry(
  node: usize,
  nodeBytes: usize,
  index: usize,
  key: usize,
  end: usize,
  valueLength: usize,
  spare: usize,
): usize {
  const prefix: usize = load<u16>(node, 20);
  const length = end - key;
  if (length < prefix || compareBytes(key, node + nodeBytes - prefix, prefix) != 0) return 0;
  const suffix = length - prefix;
  const isLeaf = load<u8>(node, 1) == 0;
  const value = isLeaf ? LEAF_CELL + valueLength : BRANCH_CELL;
  const rest = restOf(suffix);
  const needed = value + rest + SLOT;
  const count = entryCount(node);
  const free = <usize>load<u32>(node, 24) - HEADER - count * SLOT;
  if (free < needed) {
    if (free + <usize>load<u32>(node, 28) < needed) return 0;
    compactNode(node, nodeBytes, spare);
  }
  const slot = node + HEADER + index * SLOT;
  memory.copy(slot + SLOT, slot, (count - index) * SLOT);
  const heap = <usize>load<u32>(node, 24) - value - rest;
  store<u32>(node, <u32>heap, 24);
  store<u16>(node, <u16>(count + 1), 2);
  store<i32>(slot, headOf(key + prefix, end));
  store<u16>(slot, <u16>heap, 4);
  store<u16>(slot, <u16>suffix, 6);
  const cell = node + heap;
  const fixed = isLeaf ? LEAF_CELL : BRANCH_CELL;
  memory.copy(cell + fixed, key + prefix + HEAD, rest);
  if (!isLeaf) return cell;
  store<u16>(cell, <u16>valueLength);
  return cell + fixed + rest;
}

export function removeEntry(node: usize, index: usize): void {
  const count = entryCount(node);
  const cell = cellOf(node, index);
  const size = cellValue(node, cell) + restOf(suffixOf(node, index));
  store<u32>(node, load<u32>(node, 28) + <u32>size, 28);
  const slot = node + HEADER + index * SLOT;
  memory.copy(slot, slot + SLOT, (count - index - 1) * SLOT);
  store<u16>(node, <u16>(count - 1), 2);
}

const HIGH_BITS: u64 = 0x8080808080808080;

/**
 * Copies bytes by words, so up to 7 behind them are written too; returns the or of all that count.
 */
// @ts-ignore: decorator
@inline
function copyWords(target: usize, source: usize, length: usize): u64 {
  let bits: u64 = 0;
  let at: usize = 0;
  for (; at + 8 <= length; at += 8) {
    const word = load<u64>(source + at);
    store<u64>(target + at, word);
    bits |= word;
  }
  if (at < length) {
    const word = load<u64>(source + at) & (u64.MAX_VALUE >> <u64>(8 * (8 - (length - at))));
    store<u64>(target + at, word);
    bits |= word;
  }
  return bits;
}

/**
 * Writes the keys of entries from `from` on, `step` apart, one behind the other, as many of `count`
 * as fit below `limit`; their lengths go to `lengths`, 4 bytes each, and behind the last 1 when a
 * byte of them is above 127, else 0. Returns how many keys were written.
 */
export function copyKeys(
  node: usize,
  nodeBytes: usize,
  from: usize,
  step: i32,
  count: usize,
  out: usize,
  limit: usize,
  lengths: usize,
): usize {
  const prefix: usize = load<u16>(node, 20);
  const prefixStart = node + nodeBytes - prefix;
  const fixed = cellFixed(node);
  let bits: u64 = 0;
  let written: usize = 0;
  for (let index = from; written < count; index += step, written++) {
    const suffix = suffixOf(node, index);
    const length = prefix + suffix;
    if (out + length + 8 > limit) break;
    bits |= copyWords(out, prefixStart, prefix);
    // A whole head: what is too much of it is zero, and written over by the next key.
    const head = load<u32>(node + index * SLOT, HEADER) ^ SIGN;
    store<u32>(out + prefix, bswap<u32>(head));
    bits |= <u64>head;
    const rest = cellOf(node, index) + fixed;
    bits |= copyWords(out + prefix + HEAD, rest, restOf(suffix));
    store<u32>(lengths + written * 4, <u32>length);
    out += length;
  }
  store<u32>(lengths + written * 4, (bits & HIGH_BITS) != 0 ? 1 : 0);
  return written;
}
