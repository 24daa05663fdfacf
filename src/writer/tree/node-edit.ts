/**
 * Changes within one node of the open transaction. The layout is drawn in shared/tree/node.ts.
 *
 * A change that does not fit says so and leaves the node as it was; rebalance.ts then spreads the
 * entries over more pages.
 */
import type { SharedMemory } from '../../shared/memory/shared-memory.js';
import { cellAddress, valueAddress, valueLength } from '../../shared/tree/node.js';
import { SPARE } from './workspace.js';

/**
 * Makes room for an entry at `index` and writes its key, the memory's `[key, end)`; the caller
 * writes the value at the address returned. 0 when it does not fit, or the key lacks the node's
 * prefix.
 */
export function insertEntry(
  memory: SharedMemory,
  node: number,
  index: number,
  key: number,
  end: number,
  value: number,
): number {
  const { kernels, nodeBytes } = memory;
  return kernels.insertEntry(node, nodeBytes, index, key, end, value, SPARE) >>> 0;
}

export function removeEntry(memory: SharedMemory, node: number, index: number): void {
  memory.kernels.removeEntry(node, index);
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
  const word = (node >>> 2) + 7;
  memory.i32[word] = (memory.i32[word] as number) + old - value;
  return valueAddress(memory, node, index);
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
