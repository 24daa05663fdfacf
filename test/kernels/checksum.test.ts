/**
 * The compiled kernels against the plain loops, and both against published values of xxHash64.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScalarKernels } from '../../dist/kernels/scalar.js';
import { createCompiledKernels } from '../../dist/kernels/simd.js';
import { createMemoryHandle } from '../../dist/shared/memory/shared-memory.js';

const START = 65536;
const OUT = 65528;
const { memory, buffer } = createMemoryHandle(4096, 2 ** 20);
const bytes = new Uint8Array(buffer);
const view = new DataView(buffer);
const scalar = createScalarKernels(buffer);
const compiled = memory === undefined ? undefined : createCompiledKernels(memory);

function hashOf(kernels: typeof scalar, length: number, seedLow: number, seedHigh: number): string {
  kernels.hash64(START, length, seedLow, seedHigh, OUT);
  return view.getBigUint64(OUT, true).toString(16);
}

test('this runtime has compiled kernels', () => {
  expect(compiled?.compiled).toBe(true);
});

test.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
])('xxHash64 of %j is the published value', (text, expected) => {
  const length = Buffer.from(text).copy(bytes, START);
  expect(hashOf(scalar, length, 0, 0)).toBe(expected);
  expect(hashOf(compiled ?? scalar, length, 0, 0)).toBe(expected);
});

test('compiled and plain hashes agree on any bytes, lengths and seeds', () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer(),
    fc.integer(),
    (content, seedLow, seedHigh) => {
      bytes.set(content, START);
      const plain = hashOf(scalar, content.length, seedLow, seedHigh);
      expect(hashOf(compiled ?? scalar, content.length, seedLow, seedHigh)).toBe(plain);
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test('bytes are moved right whether the ranges overlap or not', () => {
  const property = fc.property(fc.nat(200), fc.nat(200), fc.nat(200), (from, to, length) => {
    for (let at = 0; at < 400; at++) bytes[START + at] = at;
    const expected = bytes.slice(START, START + 400).copyWithin(to, from, from + length);
    compiled?.copyBytes(START + to, START + from, length);
    expect(bytes.slice(START, START + 400)).toEqual(expected);
  });
  fc.assert(property);
});
