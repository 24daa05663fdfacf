/**
 * Numbers in keys: they come back as they were, and their bytes sort as they do.
 */
import { expect, test } from 'vitest';
import * as ordered from '../../dist/shared/bytes/ordered-key.js';

function bytesOf(write: (bytes: Uint8Array, at: number, number: number) => void, number: number) {
  const bytes = new Uint8Array(ordered.ORDERED_BYTES);
  write(bytes, 0, number);
  return bytes;
}

const DOUBLES = [
  ...[Number.NEGATIVE_INFINITY, -Number.MAX_VALUE, -(2 ** 53), -2, -1.5, -1, -1e-310],
  ...[-Number.MIN_VALUE, 0, Number.MIN_VALUE, 1e-310, 1, 1.5, 2, 2 ** 53, Number.MAX_VALUE],
  Number.POSITIVE_INFINITY,
];
const INTEGERS = [
  ...[Number.MIN_SAFE_INTEGER, -(2 ** 32) - 1, -(2 ** 32), -(2 ** 31), -256, -1, 0, 1, 255, 256],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER],
];

test.each([
  ['doubles', DOUBLES, ordered.writeOrderedDouble, ordered.readOrderedDouble],
  ['integers', INTEGERS, ordered.writeOrderedInteger, ordered.readOrderedInteger],
  ['ids', INTEGERS.filter((id) => id >= 0), ordered.writeOrderedId, ordered.readOrderedId],
])('%s sort as their bytes do, and come back', (_, numbers, write, read) => {
  numbers.forEach((number, index) => {
    const bytes = bytesOf(write, number);
    expect(read(bytes, 0)).toBe(number);
    for (const larger of numbers.slice(index + 1)) {
      expect(Buffer.compare(bytes, bytesOf(write, larger)), `${number} < ${larger}`).toBe(-1);
    }
  });
});
