/**
 * Changes within one node of the open transaction. The layout is drawn in shared/tree/node.ts.
 *
 * A change that does not fit says so and leaves the node as it was; rebalance.ts then spreads the
 * entries over more pages.
 */

import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { entryCount, initPage, PAGE_HEADER_BYTES, pageLevel } from '../../shared/pages/page.js';
import {
  CHILD_BYTES,
  cellAddress,
  deadBytes,
  HEAD_BYTES,
  headOf,
  heapStart,
  prefixLength,
  SLOT_BYTES,
  suffixLength,
  VALUE_LENGTH_BYTES,
  valueAddress,
  valueLength,
} from '../../shared/tree/node.js';

/** Bytes a cell takes: fixed part, what the head does not hold of the suffix, value. */
export function cellBytes(level: number, suffix: number, value: number): number {
  const rest = suffix > HEAD_BYTES ? suffix - HEAD_BYTES : 0;
  return (level === 0 ? VALUE_LENGTH_BYTES + value : CHILD_BYTES) + rest;
}

function setEntryCount(memory: SharedMemory, node: number, count: number): void {
  memory.u16[(node >>> 1) + 1] = count;
}

function setHeapStart(memory: SharedMemory, node: number, offset: number): void {
  memory.i32[(node >>> 2) + 6] = offset;
}

function addDeadBytes(memory: SharedMemory, node: number, count: number): void {
  const word = (node >>> 2) + 7;
  memory.i32[word] = (memory.i32[word] as number) + count;
}

/** Makes an empty node whose keys will all begin with `key[0, prefix)`. */
export function initNode(
  memory: SharedMemory,
  node: number,
  level: number,
  key: Uint8Array,
  keyOffset: number,
  prefix: number,
): void {
  initPage(memory, node, level);
  memory.u16[(node >>> 1) + 10] = prefix;
  const start = memory.pageSize - prefix;
  for (let at = 0; at < prefix; at++) {
    memory.u8[node + start + at] = key[keyOffset + at] as number;
  }
  setHeapStart(memory, node, start);
}

/** True when `key[offset, end)` begins with what the node's keys have in common. */
export function hasPrefix(
  memory: SharedMemory,
  node: number,
  key: Uint8Array,
  offset: number,
  end: number,
): boolean {
  const prefix = prefixLength(memory, node);
  if (end - offset < prefix) return false;
  const start = node + memory.pageSize - prefix;
  for (let at = 0; at < prefix; at++) {
    if (key[offset + at] !== memory.u8[start + at]) return false;
  }
  return true;
}

/**
 * Makes room for an entry at `index` and writes its key; the caller writes the value at the address
 * returned. 0 when it does not fit, or the key lacks the node's prefix.
 */
export function insertEntry(
  memory: SharedMemory,
  node: number,
  index: number,
  key: Uint8Array,
  offset: number,
  end: number,
  value: number,
): number {
  if (!hasPrefix(memory, node, key, offset, end)) return 0;
  const count = entryCount(memory, node);
  const level = pageLevel(memory, node);
  const start = offset + prefixLength(memory, node);
  const suffix = end - start;
  const size = cellBytes(level, suffix, value);
  const slotsEnd = PAGE_HEADER_BYTES + count * SLOT_BYTES;
  const free = heapStart(memory, node) - slotsEnd;
  if (free < size + SLOT_BYTES) {
    if (free + deadBytes(memory, node) < size + SLOT_BYTES) return 0;
    compactNode(memory, node);
  }
  const slots = node + PAGE_HEADER_BYTES + index * SLOT_BYTES;
  memory.kernels.copyBytes(slots + SLOT_BYTES, slots, (count - index) * SLOT_BYTES);
  const cellOffset = heapStart(memory, node) - size;
  setHeapStart(memory, node, cellOffset);
  setEntryCount(memory, node, count + 1);
  memory.i32[slots >>> 2] = headOf(key, start, end);
  memory.u16[(slots >>> 1) + 2] = cellOffset;
  memory.u16[(slots >>> 1) + 3] = suffix;
  const cell = node + cellOffset;
  const rest = cell + (level === 0 ? VALUE_LENGTH_BYTES : CHILD_BYTES);
  const { u8 } = memory;
  for (let at = HEAD_BYTES; at < suffix; at++) {
    u8[rest + at - HEAD_BYTES] = key[start + at] as number;
  }
  if (level > 0) return cell;
  u8[cell] = value;
  u8[cell + 1] = value >>> 8;
  return cell + size - value;
}

/** Bytes of the cell of an entry. */
function entryCellBytes(memory: SharedMemory, node: number, index: number): number {
  const level = pageLevel(memory, node);
  const value = level === 0 ? valueLength(memory, node, index) : 0;
  return cellBytes(level, suffixLength(memory, node, index), value);
}

export function removeEntry(memory: SharedMemory, node: number, index: number): void {
  const count = entryCount(memory, node);
  addDeadBytes(memory, node, entryCellBytes(memory, node, index));
  const slots = node + PAGE_HEADER_BYTES + index * SLOT_BYTES;
  memory.kernels.copyBytes(slots, slots + SLOT_BYTES, (count - index - 1) * SLOT_BYTES);
  setEntryCount(memory, node, count - 1);
}

/** Where the new value of a leaf entry is to be written; 0 when it does not fit in its place. */
export function resizeValue(
  memory: SharedMemory,
  node: number,
  index: number,
  value: number,
): number {
  const old = valueLength(memory, node, index);
  if (value > old) return 0;
  const cell = cellAddress(memory, node, index);
  memory.u8[cell] = value;
  memory.u8[cell + 1] = value >>> 8;
  addDeadBytes(memory, node, old - value);
  return valueAddress(memory, node, index);
}

/** Bytes of a page that slots, cells and the prefix take. */
export function usedBytes(memory: SharedMemory, node: number): number {
  const slots = PAGE_HEADER_BYTES + entryCount(memory, node) * SLOT_BYTES;
  return slots + memory.pageSize - heapStart(memory, node) - deadBytes(memory, node);
}

let compactionBuffer = new Uint8Array(0);

/** Moves the cells together so that all free bytes lie between slots and heap. */
export function compactNode(memory: SharedMemory, node: number): void {
  const { pageSize, u8, u16 } = memory;
  if (compactionBuffer.length < pageSize) compactionBuffer = new Uint8Array(pageSize);
  compactionBuffer.set(u8.subarray(node, node + pageSize));
  const count = entryCount(memory, node);
  let heap = pageSize - prefixLength(memory, node);
  for (let index = 0; index < count; index++) {
    const size = entryCellBytesIn(compactionBuffer, memory, node, index);
    const cell = cellAddress(memory, node, index) - node;
    heap -= size;
    u8.set(compactionBuffer.subarray(cell, cell + size), node + heap);
    u16[(node >>> 1) + 18 + index * 4] = heap;
  }
  setHeapStart(memory, node, heap);
  memory.i32[(node >>> 2) + 7] = 0;
}

/** The cell's size as the untouched copy says, while the node itself is being moved about. */
function entryCellBytesIn(
  copy: Uint8Array,
  memory: SharedMemory,
  node: number,
  index: number,
): number {
  const level = pageLevel(memory, node);
  const cell = cellAddress(memory, node, index) - node;
  const value = level === 0 ? (copy[cell] as number) | ((copy[cell + 1] as number) << 8) : 0;
  return cellBytes(level, suffixLength(memory, node, index), value);
}

/** Writes the pointer of a branch entry. */
export function writeChild(
  memory: SharedMemory,
  cell: number,
  pageId: number,
  low: number,
  high: number,
): void {
  writeWord(memory, cell, pageId);
  writeWord(memory, cell + 4, low);
  writeWord(memory, cell + 8, high);
}

export function writeChildCount(memory: SharedMemory, cell: number, count: number): void {
  writeWord(memory, cell + 12, count % 2 ** 32);
  const high = Math.floor(count / 2 ** 32);
  memory.u8[cell + 16] = high;
  memory.u8[cell + 17] = high >>> 8;
}

/** A 32-bit word at any alignment. */
export function writeWord(memory: SharedMemory, address: number, value: number): void {
  const { u8 } = memory;
  u8[address] = value;
  u8[address + 1] = value >>> 8;
  u8[address + 2] = value >>> 16;
  u8[address + 3] = value >>> 24;
}
