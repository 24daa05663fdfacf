/** Pins: the states that the writer must leave as they are. */
import { expect, test } from 'vitest';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import {
  claimPin,
  pinnedTxnIds,
  releasePin,
  setPin,
} from '../../dist/shared/memory/snapshot-pins.js';
import { claimThreadSlot } from '../../dist/shared/memory/thread-slots.js';

test('pins are told rising, and none is left when all are released', () => {
  const memory = new SharedMemory(createMemoryHandle(4096, 0));
  const slot = claimThreadSlot(memory, 1);
  const pins = [7, 2 ** 40, 5].map((txnId) => {
    const pin = claimPin(memory, slot);
    setPin(memory, pin, txnId);
    return pin;
  });
  expect(pinnedTxnIds(memory)).toEqual([5, 7, 2 ** 40]);
  for (const pin of pins) releasePin(memory, pin);
  expect(pinnedTxnIds(memory)).toEqual([]);
});

test('a pin in the making protects every state', () => {
  const memory = new SharedMemory(createMemoryHandle(4096, 0));
  const pin = claimPin(memory, claimThreadSlot(memory, 1));
  expect(pinnedTxnIds(memory)).toEqual([0]);
  setPin(memory, pin, 9);
  expect(pinnedTxnIds(memory)).toEqual([9]);
});
