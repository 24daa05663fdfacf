/**
 * Finds leaves in the page cache, many at a time. shared/memory/page-cache.ts draws its table.
 */
import { cellOf, FRAME_MASK, HASH_FACTOR, lookup, RECORD } from './node';

/** Leaves that are looked for together; where their addresses go in the walk record. */
export const BLOCK = 64;
const ADDRESSES: usize = 2048;
const BUCKET_BYTES: usize = 64;

// @ts-ignore: decorator
@inline
function bucketOf(walk: usize, hash: u32): usize {
  return load<usize>(walk) + <usize>((hash >>> 4) & load<u32>(walk, 4)) * BUCKET_BYTES;
}

// @ts-ignore: decorator
@inline
function tagsIn(bucket: usize, tag: v128): i32 {
  return i32x4.bitmask(i32x4.eq(v128.and(v128.load(bucket), i32x4.splat(~FRAME_MASK)), tag));
}

/** The record of the frame that probably holds a page, 0 when none is to be seen. */
// @ts-ignore: decorator
@inline
function likelyRecord(walk: usize, cell: usize): usize {
  const hash = load<u32>(cell) * HASH_FACTOR;
  const bucket = bucketOf(walk, hash);
  const tag = i32x4.splat(hash & ~FRAME_MASK);
  const low = tagsIn(bucket, tag) | (tagsIn(bucket + 16, tag) << 4);
  const found = low | (tagsIn(bucket + 32, tag) << 8) | (tagsIn(bucket + 48, tag) << 12);
  const frame = (load<u32>(bucket + (<usize>ctz(found | 0x8000) << 2)) & FRAME_MASK) - 1;
  return found == 0 || <i32>frame < 0 ? 0 : load<usize>(walk, 8) + <usize>frame * RECORD;
}

// @ts-ignore: decorator
@inline
function isFrameOf(record: usize, cell: usize, walk: usize): bool {
  if (load<u32>(record, 4) != load<u32>(cell)) return false;
  return load<u64>(record, 8) == load<u64>(cell, 4) && load<u32>(record, 20) == load<u32>(walk, 24);
}

/**
 * Finds the children `from` to `to` of a branch in the cache. Each step is taken for all of them
 * before the next, so that what it needs from memory comes in together: one after the other, that
 * takes as long as the scan.
 */
export function findLeaves(walk: usize, branch: usize, from: i32, to: i32): void {
  const addresses = walk + ADDRESSES;
  let touched: u32 = 0;
  for (let child = from; child < to; child++) {
    touched ^= load<u32>(bucketOf(walk, load<u32>(cellOf(branch, child)) * HASH_FACTOR));
  }
  for (let child = from; child < to; child++) {
    const record = likelyRecord(walk, cellOf(branch, child));
    store<u32>(addresses + ((<usize>(child - from)) << 2), <u32>record);
    touched ^= load<u32>(record);
  }
  for (let child = from; child < to; child++) {
    const at = addresses + ((<usize>(child - from)) << 2);
    const cell = cellOf(branch, child);
    const record = <usize>load<u32>(at);
    let leaf: usize = 0;
    if (record != 0 && isFrameOf(record, cell, walk)) {
      if (load<u32>(record, 16) == 0) store<u32>(record, 1, 16);
      const frame = (record - load<usize>(walk, 8)) / RECORD;
      leaf = load<usize>(walk, 12) + frame * load<usize>(walk, 16);
    } else leaf = lookup(walk, cell);
    store<u32>(at, <u32>leaf);
    touched ^= load<u32>(leaf) ^ load<u32>(leaf, 64);
  }
  store<u32>(addresses + (<usize>BLOCK << 2), touched);
}

/** A leaf of the codes that was looked for, 0 when it is not in the cache. */
// @ts-ignore: decorator
@inline
export function leafAt(walk: usize, index: i32): usize {
  const leaf = <usize>load<u32>(walk + ADDRESSES + ((<usize>index) << 2));
  return leaf != 0 && load<u8>(leaf, 1) == 0 ? leaf : 0;
}
