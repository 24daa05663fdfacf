/**
 * The header that every page in the cache starts with.
 *
 *   offset  size  field
 *        0     1  type         1 leaf, 2 branch
 *        1     1  level        0 for a leaf
 *        2     2  entryCount
 *        4     4  pageId
 *        8     8  birthTxn     low and high word
 *       16     4  reserved     zero
 *       20     2  prefixLength bytes of the common prefix
 *       22     2  reserved     zero
 *       24     4  heapStart    lowest used byte of the heap, from the start of the page
 *       28     4  deadBytes    unused bytes within the heap
 *       32        slots, see tree/node.ts
 */
import type { TxnId } from '../ids.js';
import type { SharedMemory } from '../memory/shared-memory.js';

export const PAGE_HEADER_BYTES = 32;
export const PAGE_TYPE_LEAF = 1;
export const PAGE_TYPE_BRANCH = 2;
const TWO_POW_32 = 2 ** 32;

export function pageLevel(memory: SharedMemory, address: number): number {
  return memory.u8[address + 1] as number;
}

export function entryCount(memory: SharedMemory, address: number): number {
  return memory.u16[(address >>> 1) + 1] as number;
}

export function pageIdOf(memory: SharedMemory, address: number): number {
  return (memory.i32[(address >>> 2) + 1] as number) >>> 0;
}

export function birthTxn(memory: SharedMemory, address: number): TxnId {
  const word = (address >>> 2) + 2;
  return ((memory.i32[word] as number) >>> 0) + (memory.i32[word + 1] as number) * TWO_POW_32;
}

/** Marks a page as made by transaction `birth` under its (new) page id. */
export function stampPage(
  memory: SharedMemory,
  address: number,
  pageId: number,
  birth: TxnId,
): void {
  const word = address >>> 2;
  memory.i32[word + 1] = pageId | 0;
  memory.i32[word + 2] = (birth % TWO_POW_32) | 0;
  memory.i32[word + 3] = Math.floor(birth / TWO_POW_32);
}

/**
 * Makes an empty node. What the frame held before goes: the part of a page that no cell uses is
 * written to the file too, and it may have been a page of an encrypted keyspace.
 */
export function initPage(memory: SharedMemory, address: number, level: number): void {
  // Shared memory is filled element by element: eight bytes at a time takes a seventh of the time.
  memory.f64.fill(0, address >>> 3, (address + memory.pageSize) >>> 3);
  const word = address >>> 2;
  const type = level === 0 ? PAGE_TYPE_LEAF : PAGE_TYPE_BRANCH;
  memory.i32[word] = type | (level << 8);
  memory.i32[word + 6] = memory.nodeBytes;
}
