/** Epochs: a frame that left the page table is filled anew only when nobody can look at it. */
import { expect, test } from 'vitest';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import {
  advanceEpoch,
  claimThreadSlot,
  enterEpoch,
  epochHasPassed,
  leaveEpoch,
} from '../../dist/shared/memory/thread-slots.js';

function twoThreads() {
  const memory = new SharedMemory(createMemoryHandle(4096, 0));
  return { memory, one: claimThreadSlot(memory, 1), other: claimThreadSlot(memory, 2) };
}

test('an epoch has passed when every operation that ran in it has ended', () => {
  const { memory, one, other } = twoThreads();
  enterEpoch(memory, one);
  enterEpoch(memory, other);
  const epoch = advanceEpoch(memory);
  expect(epochHasPassed(memory, epoch)).toBe(false);
  leaveEpoch(memory, one);
  expect(epochHasPassed(memory, epoch)).toBe(false);
  leaveEpoch(memory, other);
  expect(epochHasPassed(memory, epoch)).toBe(true);
});

test('an epoch has passed when every operation that ran in it has begun anew', () => {
  const { memory, one, other } = twoThreads();
  enterEpoch(memory, one);
  const first = advanceEpoch(memory);
  enterEpoch(memory, other);
  enterEpoch(memory, one);
  expect(epochHasPassed(memory, first)).toBe(true);
  const second = advanceEpoch(memory);
  expect(epochHasPassed(memory, second)).toBe(false);
});
