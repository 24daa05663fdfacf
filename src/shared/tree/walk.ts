/**
 * From a root to the leaf of a key.
 *
 * A walk is a record in the shared memory, so that a compiled kernel takes the whole way in one
 * call as long as all pages are in the cache:
 *
 *   offset  size  field
 *        0    28  page table, its bucket mask, frame records, frames, page size, bytes of a node,
 *                the mark of the frames that are looked for (page-cache.ts); 4 bytes each
 *       32    32  a step per level, leaf first
 *
 *   offset  size  field of a step
 *        0     4  page id
 *        4     8  checksum or stamp, low and high word
 *       12     4  address of the page
 *       16     4  index of the child, in the leaf of the key: as `findKey` says
 *       20     4  of no meaning: what the kernel read ahead
 */

import type { PagePointer } from '../ids.js';
import { toPageId } from '../ids.js';
import type { SharedMemory } from '../memory/shared-memory.js';
import { countHits } from '../memory/thread-slots.js';
import type { PageSource } from '../pages/page-source.js';
import type { TreeRoot } from '../tree-root.js';

const MARK_WORD = 6;
const STEPS_WORD = 8;
const STEP_WORDS = 8;

function stepWord(walk: number, level: number): number {
  return (walk >>> 2) + STEPS_WORD + level * STEP_WORDS;
}

export function stepPointer(memory: SharedMemory, walk: number, level: number): PagePointer {
  const { i32 } = memory;
  const word = stepWord(walk, level);
  return {
    pageId: toPageId((i32[word] as number) >>> 0),
    low: i32[word + 1] as number,
    high: i32[word + 2] as number,
  };
}

export function setStepPointer(
  memory: SharedMemory,
  walk: number,
  level: number,
  { pageId, low, high }: Readonly<PagePointer>,
): void {
  const { i32 } = memory;
  const word = stepWord(walk, level);
  i32[word] = pageId;
  i32[word + 1] = low;
  i32[word + 2] = high;
}

/** True when the step's page is one of the open transaction that may change in place. */
export function stepIsStamped(
  memory: SharedMemory,
  walk: number,
  level: number,
  generationMin: number,
): boolean {
  const { i32 } = memory;
  const word = stepWord(walk, level);
  return (i32[word + 2] as number) < 0 && (i32[word + 1] as number) >= generationMin;
}

export function stepAddress(memory: SharedMemory, walk: number, level: number): number {
  return (memory.i32[stepWord(walk, level) + 3] as number) >>> 0;
}

export function setStepAddress(
  memory: SharedMemory,
  walk: number,
  level: number,
  address: number,
): void {
  memory.i32[stepWord(walk, level) + 3] = address;
}

export function stepIndex(memory: SharedMemory, walk: number, level: number): number {
  return memory.i32[stepWord(walk, level) + 4] as number;
}

export function setStepIndex(
  memory: SharedMemory,
  walk: number,
  level: number,
  index: number,
): void {
  memory.i32[stepWord(walk, level) + 4] = index;
}

/** Copies the steps of a walk, from a root at `level` down. */
export function copyWalk(memory: SharedMemory, from: number, to: number, level: number): void {
  const { i32 } = memory;
  const words = (level + 1) * STEP_WORDS;
  const [source, target] = [stepWord(from, 0), stepWord(to, 0)];
  for (let word = 0; word < words; word++) i32[target + word] = i32[source + word] as number;
}

/** Kernels that go by this record find the frames of what the source reads, and no others. */
export function markWalk({ memory, mark }: PageSource, walk: number): void {
  memory.i32[(walk >>> 2) + MARK_WORD] = mark;
}

/**
 * Walks to the leaf that would hold the key in the memory's `[key, end)`; returns the leaf's
 * address, 0 in an empty tree. The leaf's step says where the key stands. Only the leaf's address
 * is sure to be good: pages above may have left the cache while others came in.
 */
export function walkToLeaf(
  source: PageSource,
  walk: number,
  tree: Readonly<TreeRoot>,
  key: number,
  end: number,
): number {
  if (tree.level < 0) return 0;
  const { memory } = source;
  const { kernels } = memory;
  setStepPointer(memory, walk, tree.level, tree);
  markWalk(source, walk);
  let hits = tree.level + 1;
  let missing = kernels.descend(walk, tree.level, 0, key, end);
  for (; missing >= 0; hits--) {
    const node = source.fetchPointer(stepPointer(memory, walk, missing), missing);
    missing = kernels.descend(walk, missing, node, key, end);
  }
  countHits(memory, source.slot, hits);
  return stepAddress(memory, walk, 0);
}
