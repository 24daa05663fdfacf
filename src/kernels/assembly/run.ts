/**
 * Runs: entries of neighbouring nodes in a row, to be dealt out anew over pages.
 *
 * A run is a list of references, 8 bytes each: the address of a copy of the node that the entry
 * lies in, and its index there; an address of 0 means the entry that is being inserted, which
 * `fresh` describes: key, key's end, value, value's length, 4 bytes each. So nothing of an entry is
 * touched before it is written to its place, and entries whose prefix stays are moved as they are.
 * The slow twins in ../scalar-run.ts define the right answers.
 */
import { cellFixed, cellOf, cellValue, headOf, restOf, suffixOf } from './node';

const HEADER: usize = 32;
const SLOT: usize = 8;
const HEAD: usize = 4;
const LEAF_CELL: usize = 2;
const BRANCH_CELL: usize = 18;
const KEY_ROOM: usize = 4096;
const TYPE_LEAF: u32 = 1;
const TYPE_BRANCH: u32 = 2;

// @ts-ignore: decorator
@inline
function sourceOf(run: usize, index: usize): usize {
  return load<usize>(run + index * 8);
}

// @ts-ignore: decorator
@inline
function entryOf(run: usize, index: usize): usize {
  return load<usize>(run + index * 8, 4);
}

/** Appends the entries `from` to `to` of a node's copy; returns the new length. */
export function appendEntries(
  run: usize,
  length: usize,
  source: usize,
  from: usize,
  to: usize,
): usize {
  for (let index = from; index < to; index++, length++) {
    store<u32>(run + length * 8, <u32>source);
    store<u32>(run + length * 8, <u32>index, 4);
  }
  return length;
}

function keyLength(run: usize, index: usize, fresh: usize): usize {
  const source = sourceOf(run, index);
  if (source == 0) return load<usize>(fresh, 4) - load<usize>(fresh);
  return <usize>load<u16>(source, 20) + suffixOf(source, entryOf(run, index));
}

/** Bytes of an entry beside its key and its slot. */
function valueBytes(run: usize, index: usize, fresh: usize, level: u32): usize {
  if (level > 0) return BRANCH_CELL;
  const source = sourceOf(run, index);
  if (source == 0) return LEAF_CELL + <usize>load<u32>(fresh, 12);
  return LEAF_CELL + <usize>load<u16>(cellOf(source, entryOf(run, index)));
}

/** Writes the whole key of an entry to `out`; returns its length. */
function runKey(
  run: usize,
  index: usize,
  fresh: usize,
  nodeBytes: usize,
  out: usize,
): usize {
  const source = sourceOf(run, index);
  if (source == 0) {
    const length = load<usize>(fresh, 4) - load<usize>(fresh);
    memory.copy(out, load<usize>(fresh), length);
    return length;
  }
  const entry = entryOf(run, index);
  const prefix: usize = load<u16>(source, 20);
  memory.copy(out, source + nodeBytes - prefix, prefix);
  const suffix = suffixOf(source, entry);
  // Room for a whole head: what is too much of it is written over or not looked at.
  store<u32>(out + prefix, bswap<u32>(load<u32>(source + entry * SLOT, HEADER) ^ 0x80000000));
  const cell = cellOf(source, entry);
  memory.copy(out + prefix + HEAD, cell + cellFixed(source), restOf(suffix));
  return prefix + suffix;
}

/** How many bytes two entries' keys have in common at the start; `spare` holds two keys. */
function commonPrefix(
  run: usize,
  a: usize,
  b: usize,
  fresh: usize,
  nodeBytes: usize,
  spare: usize,
): usize {
  const other = spare + KEY_ROOM;
  const limit = min(
    runKey(run, a, fresh, nodeBytes, spare),
    runKey(run, b, fresh, nodeBytes, other),
  );
  let length: usize = 0;
  while (length < limit && load<u8>(spare + length) == load<u8>(other + length)) length += 1;
  return length;
}

/** Bytes of a page that holds the entries `from` to `to`. */
export function runBytes(
  run: usize,
  from: usize,
  to: usize,
  fresh: usize,
  nodeBytes: usize,
  level: u32,
  spare: usize,
): usize {
  const prefix = commonPrefix(run, from, to - 1, fresh, nodeBytes, spare);
  let sum = HEADER + prefix;
  for (let index = from; index < to; index++) {
    const rest = restOf(keyLength(run, index, fresh) - prefix);
    sum += SLOT + rest + valueBytes(run, index, fresh, level);
  }
  return sum;
}

function weight(run: usize, index: usize, fresh: usize, level: u32): f64 {
  return <f64>(SLOT + keyLength(run, index, fresh) + valueBytes(run, index, fresh, level));
}

/**
 * Divides a run into even shares, as few as fit pages that are full to `fillMax` at most, and at
 * least `sharesMin`; writes where each begins, and the run's length behind. Returns their number.
 */
export function dealRun(
  run: usize,
  length: usize,
  fresh: usize,
  nodeBytes: usize,
  level: u32,
  fillMax: f64,
  sharesMin: usize,
  borders: usize,
  spare: usize,
): usize {
  let total: f64 = 0;
  for (let index: usize = 0; index < length; index++) total += weight(run, index, fresh, level);
  let wanted = sharesMin;
  while (true) {
    const shares = evenBorders(run, length, fresh, level, total, wanted, borders);
    // One page more than a single split would need is always enough at full pages.
    const share = wanted > sharesMin + 2 ? 1 : fillMax;
    const limit = <f64>nodeBytes * share;
    let fits = true;
    for (let at: usize = 0; at < shares && fits; at++) {
      const from = load<u32>(borders + at * 4);
      const to = load<u32>(borders + at * 4, 4);
      fits = <f64>runBytes(run, from, to, fresh, nodeBytes, level, spare) <= limit;
    }
    if (fits) return shares;
    wanted += 1;
  }
}

function evenBorders(
  run: usize,
  length: usize,
  fresh: usize,
  level: u32,
  total: f64,
  wanted: usize,
  borders: usize,
): usize {
  let count: usize = 1;
  let last: usize = 0;
  let sum: f64 = 0;
  store<u32>(borders, 0);
  for (let index: usize = 0; index < length && count < wanted; index++) {
    const own = weight(run, index, fresh, level);
    // The entry in the middle of a border goes to the side that has more of it.
    if (index > last && sum + own / 2 > (total * <f64>count) / <f64>wanted) {
      store<u32>(borders + count * 4, <u32>index);
      last = index;
      count += 1;
    }
    sum += own;
  }
  store<u32>(borders + count * 4, <u32>length);
  return count;
}

/** Fills a page, whose id and birth stay, with the entries `from` to `to`. */
export function writeRun(
  run: usize,
  from: usize,
  to: usize,
  fresh: usize,
  target: usize,
  nodeBytes: usize,
  level: u32,
  spare: usize,
): void {
  const prefix = commonPrefix(run, from, to - 1, fresh, nodeBytes, spare);
  const type = level == 0 ? TYPE_LEAF : TYPE_BRANCH;
  let heap = nodeBytes - prefix;
  memory.copy(target + heap, spare, prefix);
  store<u32>(target, type | (level << 8) | (<u32>(to - from) << 16));
  store<u32>(target, 0, 16);
  store<u32>(target, <u32>prefix, 20);
  for (let index = from; index < to; index++) {
    const slot = target + HEADER + (index - from) * SLOT;
    const source = sourceOf(run, index);
    if (source != 0 && <usize>load<u16>(source, 20) == prefix) {
      const entry = entryOf(run, index);
      const cell = cellOf(source, entry);
      const size = cellValue(source, cell) + restOf(suffixOf(source, entry));
      heap -= size;
      memory.copy(target + heap, cell, size);
      store<u64>(slot, load<u64>(source + entry * SLOT, HEADER));
    } else {
      heap = writeEntry(run, index, fresh, target, nodeBytes, level, spare, prefix, heap, slot);
    }
    store<u16>(slot, <u16>heap, 4);
  }
  store<u32>(target, <u32>heap, 24);
  store<u32>(target, 0, 28);
}

/** Writes an entry by way of its whole key; returns where its cell begins. */
function writeEntry(
  run: usize,
  index: usize,
  fresh: usize,
  target: usize,
  nodeBytes: usize,
  level: u32,
  spare: usize,
  prefix: usize,
  heap: usize,
  slot: usize,
): usize {
  const length = runKey(run, index, fresh, nodeBytes, spare);
  const suffix = length - prefix;
  const rest = restOf(suffix);
  const value = valueBytes(run, index, fresh, level);
  heap -= value + rest;
  store<i32>(slot, headOf(spare + prefix, spare + length));
  store<u16>(slot, <u16>suffix, 6);
  const source = sourceOf(run, index);
  const cell = target + heap;
  const fixed = level == 0 ? LEAF_CELL : BRANCH_CELL;
  if (source != 0) {
    const entry = entryOf(run, index);
    const origin = cellOf(source, entry);
    const oldRest = restOf(suffixOf(source, entry));
    memory.copy(cell, origin, fixed);
    memory.copy(cell + fixed + rest, origin + fixed + oldRest, value - fixed);
  } else if (level == 0) {
    store<u16>(cell, load<u16>(fresh, 12));
    memory.copy(cell + fixed + rest, load<usize>(fresh, 8), value - fixed);
  } else memory.copy(cell, load<usize>(fresh, 8), fixed);
  memory.copy(cell + fixed, spare + prefix + HEAD, rest);
  return heap;
}

/** Entries below the children `from` to `to` of a branch's run. */
export function runChildCount(run: usize, from: usize, to: usize, fresh: usize): f64 {
  let sum: f64 = 0;
  for (let index = from; index < to; index++) {
    const source = sourceOf(run, index);
    const cell = source == 0 ? load<usize>(fresh, 8) : cellOf(source, entryOf(run, index));
    sum += <f64>load<u32>(cell, 12) + <f64>load<u16>(cell, 16) * 4294967296.0;
  }
  return sum;
}

/**
 * Writes the key that parts entry `index` from the one before to `spare`: in a branch the entry's
 * own, in a leaf the shortest that is above the one and not above the other. Returns its length.
 */
export function runSeparator(
  run: usize,
  index: usize,
  fresh: usize,
  nodeBytes: usize,
  level: u32,
  spare: usize,
): usize {
  if (level > 0) return runKey(run, index, fresh, nodeBytes, spare);
  const length = commonPrefix(run, index, index - 1, fresh, nodeBytes, spare) + 1;
  return length;
}
