/**
 * A page as a node of a counted B+ tree: search and reads within one node.
 *
 *   header (page.ts) | slot 0 | slot 1 | … → free ← … | cell | cell | common prefix | trailer
 *
 * The prefix that all keys share is stored once, at the end of the page. What follows it of a key
 * is the suffix. A slot is 8 bytes, so that a binary search touches few cache lines:
 *
 *   offset  size  field
 *        0     4  head          the suffix's first 4 bytes, big-endian, zero-padded, sign flipped:
 *                               two heads compare as signed integers as the bytes do
 *        4     2  cellOffset    from the start of the page
 *        6     2  suffixLength  the 4 bytes of the head included
 *
 * A leaf's cell is valueLength (2 bytes), the suffix after its first 4 bytes, the value. A branch's
 * cell is 18 bytes for the child, then the suffix after its first 4 bytes:
 *
 *        0     4  child page id
 *        4     8  child checksum, low and high word, or a stamp
 *       12     6  entries below the child
 *
 * A branch's key is a lower bound of all keys below its child; the leftmost node of each level
 * begins with the empty key.
 *
 * Functions take the memory and a node's address; an address is good until the next page is
 * fetched. Keys to be looked for lie in the memory too.
 */
import { RECORD_BYTES_MIN } from '../bytes/value-codec.js';
import { type PageId, type PagePointer, toPageId } from '../ids.js';
import { TREE_KEY_BYTES_MAX } from '../limits.js';
import type { SharedMemory } from '../memory/shared-memory.js';
import { entryCount, PAGE_HEADER_BYTES, pageIdOf, pageLevel } from '../pages/page.js';

export const SLOT_BYTES = 8;
export const HEAD_BYTES = 4;
export const CHILD_BYTES = 18;
export const VALUE_LENGTH_BYTES = 2;
const TWO_POW_32 = 2 ** 32;
const SIGN = -(2 ** 31);

export function prefixLength(memory: SharedMemory, node: number): number {
  return memory.u16[(node >>> 1) + 10] as number;
}

export function heapStart(memory: SharedMemory, node: number): number {
  return memory.i32[(node >>> 2) + 6] as number;
}

export function deadBytes(memory: SharedMemory, node: number): number {
  return memory.i32[(node >>> 2) + 7] as number;
}

/** Bytes of a page that slots, cells and the prefix take. */
export function usedBytes(memory: SharedMemory, node: number): number {
  const slots = PAGE_HEADER_BYTES + entryCount(memory, node) * SLOT_BYTES;
  return slots + memory.nodeBytes - heapStart(memory, node) - deadBytes(memory, node);
}

export function cellAddress(memory: SharedMemory, node: number, index: number): number {
  return node + (memory.u16[(node >>> 1) + 18 + index * 4] as number);
}

export function suffixLength(memory: SharedMemory, node: number, index: number): number {
  return memory.u16[(node >>> 1) + 19 + index * 4] as number;
}

export function slotHead(memory: SharedMemory, node: number, index: number): number {
  return memory.i32[(node >>> 2) + 8 + index * 2] as number;
}

/** The suffix's bytes beyond its head. */
function restLength(suffix: number): number {
  return suffix > HEAD_BYTES ? suffix - HEAD_BYTES : 0;
}

export function isLeaf(memory: SharedMemory, node: number): boolean {
  return pageLevel(memory, node) === 0;
}

export function valueLength(memory: SharedMemory, node: number, index: number): number {
  const cell = cellAddress(memory, node, index);
  return (memory.u8[cell] as number) | ((memory.u8[cell + 1] as number) << 8);
}

/** Where a leaf entry's value starts. */
export function valueAddress(memory: SharedMemory, node: number, index: number): number {
  const suffix = suffixLength(memory, node, index);
  return cellAddress(memory, node, index) + VALUE_LENGTH_BYTES + restLength(suffix);
}

/**
 * Where the key in the memory's `[key, end)` stands: the index of the entry that has it, else the
 * one's complement of the index where it would be inserted.
 */
export function findKey(memory: SharedMemory, node: number, key: number, end: number): number {
  return memory.kernels.findKey(node, memory.nodeBytes, key, end);
}

export function childPageId(memory: SharedMemory, cell: number): PageId {
  return toPageId(readWord(memory, cell) >>> 0);
}

/** A 32-bit word at any alignment. */
export function readWord(memory: SharedMemory, address: number): number {
  const { u8 } = memory;
  return (
    (u8[address] as number) |
    ((u8[address + 1] as number) << 8) |
    ((u8[address + 2] as number) << 16) |
    ((u8[address + 3] as number) << 24)
  );
}

export function childPointer(memory: SharedMemory, node: number, index: number): PagePointer {
  const cell = cellAddress(memory, node, index);
  const pageId = childPageId(memory, cell);
  return { pageId, low: readWord(memory, cell + 4), high: readWord(memory, cell + 8) };
}

/** Entries in the subtree of a child. */
export function childCount(memory: SharedMemory, node: number, index: number): number {
  const cell = cellAddress(memory, node, index);
  const high = (memory.u8[cell + 16] as number) | ((memory.u8[cell + 17] as number) << 8);
  return (readWord(memory, cell + 12) >>> 0) + high * TWO_POW_32;
}

/** Entries in the subtrees of the children before `index`. */
export function countBefore(memory: SharedMemory, node: number, index: number): number {
  let sum = 0;
  for (let child = 0; child < index; child++) sum += childCount(memory, node, child);
  return sum;
}

export function keyLength(memory: SharedMemory, node: number, index: number): number {
  return prefixLength(memory, node) + suffixLength(memory, node, index);
}

/** Writes a whole key to `target` at `offset`; returns its length. */
export function copyKey(
  memory: SharedMemory,
  node: number,
  index: number,
  target: Uint8Array,
  offset: number,
): number {
  const { u8 } = memory;
  const prefix = prefixLength(memory, node);
  const suffix = suffixLength(memory, node, index);
  const prefixStart = node + memory.nodeBytes - prefix;
  for (let at = 0; at < prefix; at++) target[offset + at] = u8[prefixStart + at] as number;
  let to = offset + prefix;
  const head = slotHead(memory, node, index) ^ SIGN;
  const inHead = Math.min(suffix, HEAD_BYTES);
  for (let at = 0; at < inHead; at++) target[to++] = head >>> (24 - at * 8);
  const skip = isLeaf(memory, node) ? VALUE_LENGTH_BYTES : CHILD_BYTES;
  const rest = cellAddress(memory, node, index) + skip;
  for (let at = 0; at < suffix - HEAD_BYTES; at++) target[to++] = u8[rest + at] as number;
  return prefix + suffix;
}

/**
 * Checks that every offset and length of a node stays inside its page, that no byte of the heap
 * belongs to two cells, and that keys rise, so that no reader and no kernel can be led astray by a
 * page that was made up. Returns what is wrong with it, if anything.
 */
export function nodeProblem(
  memory: SharedMemory,
  node: number,
  pageId: PageId,
  level: number,
): string | undefined {
  const { nodeBytes, u8 } = memory;
  if (pageIdOf(memory, node) !== pageId) return 'another page stands in its place';
  if (pageLevel(memory, node) !== level) return 'the level is wrong';
  if (u8[node] !== (level === 0 ? 1 : 2)) return 'the page type is wrong';
  const count = entryCount(memory, node);
  const prefix = prefixLength(memory, node);
  const heap = heapStart(memory, node);
  if (prefix > TREE_KEY_BYTES_MAX) return 'the prefix is too long';
  if (heap < PAGE_HEADER_BYTES + count * SLOT_BYTES || heap > nodeBytes - prefix) {
    return 'slots and heap overlap';
  }
  if (count === 0) return 'the node is empty';
  const heapEnd = nodeBytes - prefix;
  const entryMax = Math.max(nodeBytes / 4, TREE_KEY_BYTES_MAX + RECORD_BYTES_MIN);
  let unused = heapEnd - heap;
  for (let index = 0; index < count; index++) {
    const suffix = suffixLength(memory, node, index);
    if (prefix + suffix > TREE_KEY_BYTES_MAX) return 'a key is too long';
    const cell = cellAddress(memory, node, index);
    const fixed = level === 0 ? VALUE_LENGTH_BYTES : CHILD_BYTES;
    const value = level === 0 ? valueLength(memory, node, index) : 0;
    const size = fixed + restLength(suffix) + value;
    if (cell - node < heap || cell - node + size > heapEnd) return 'a cell is outside';
    if (level > 0 && (u8[cell + 11] as number) > 127) return 'a child has no checksum';
    if (prefix + suffix + value > entryMax) return 'an entry is too long';
    unused -= size;
    if (!keyRises(memory, node, index)) return 'keys do not rise';
  }
  return unused === deadBytes(memory, node) ? undefined : 'cells and free bytes do not add up';
}

/** True when a slot's head ends where its suffix does and its key is above the one before. */
function keyRises(memory: SharedMemory, node: number, index: number): boolean {
  const head = slotHead(memory, node, index);
  const suffix = suffixLength(memory, node, index);
  if (suffix < HEAD_BYTES && (head ^ SIGN) << (suffix * 8) !== 0) return false;
  if (index === 0) return true;
  const before = slotHead(memory, node, index - 1);
  if (head !== before) return head > before;
  const suffixBefore = suffixLength(memory, node, index - 1);
  const fixed = isLeaf(memory, node) ? VALUE_LENGTH_BYTES : CHILD_BYTES;
  const rest = cellAddress(memory, node, index) + fixed;
  const restBefore = cellAddress(memory, node, index - 1) + fixed;
  const shared = Math.min(suffix, suffixBefore) - HEAD_BYTES;
  for (let at = 0; at < shared; at++) {
    const difference = (memory.u8[rest + at] as number) - (memory.u8[restBefore + at] as number);
    if (difference !== 0) return difference > 0;
  }
  return suffix > suffixBefore;
}
