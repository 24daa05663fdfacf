/**
 * The file of ':memory:' behaves as files do, also where nothing was written.
 */
import { expect, test } from 'vitest';
import { createMemoryFileBuffer, MemoryStorage } from '../../dist/shared/pages/memory-storage.js';

test('a read behind the end gives nothing, however far behind', () => {
  const file = new MemoryStorage(createMemoryFileBuffer()).create();
  const target = new Uint8Array(16);
  expect(file.read(target, 0, 16, 0)).toBe(0);
  file.write(new Uint8Array(1024).fill(7), 0, 1024, 0);
  expect(file.read(target, 0, 16, 1016)).toBe(8);
  for (const offset of [1024, 2 ** 20, 2 ** 32, 2 ** 44]) {
    expect(file.read(target, 0, 16, offset)).toBe(0);
  }
});
