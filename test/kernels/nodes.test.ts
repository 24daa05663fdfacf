/**
 * The compiled node and run kernels against the plain loops: both get the same bytes, and must
 * leave the same bytes and give the same answers.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScalarKernels } from '../../dist/kernels/scalar.js';
import { createCompiledKernels } from '../../dist/kernels/simd.js';
import { createMemoryHandle } from '../../dist/shared/memory/shared-memory.js';

const PAGE = 4096;
const [NODE, NEIGHBOUR, SPARE, KEY, VALUE, FRESH, BORDERS, RUN, WALK] = [
  65536, 69632, 73728, 90112, 98304, 106496, 110592, 114688, 131072,
] as const;
const END = 139264;
const CHILD_BYTES = 18;

const { memory, buffer } = createMemoryHandle(PAGE, 2 ** 20);
const compiled = memory === undefined ? undefined : createCompiledKernels(memory);
if (compiled === undefined) throw new Error('this runtime has no compiled kernels');
const twin = new SharedArrayBuffer(END);
const plain = createScalarKernels(twin);
const sides = [
  { kernels: compiled, bytes: new Uint8Array(buffer), view: new DataView(buffer) },
  { kernels: plain, bytes: new Uint8Array(twin), view: new DataView(twin) },
] as const;
type Side = (typeof sides)[number];

/** Does the same on both sides; answers and pages must be the same. */
function both(act: (side: Side) => number): number {
  const [first, second] = sides.map(act) as [number, number];
  expect(first).toBe(second);
  for (const [from, to] of [
    [NODE, SPARE],
    [BORDERS, RUN],
  ] as const) {
    const [left, right] = sides.map(({ bytes }) => Buffer.from(bytes.subarray(from, to)));
    expect(left?.equals(right ?? Buffer.alloc(0))).toBe(true);
  }
  return first;
}

function initNode({ bytes, view }: Side, node: number, level: number, prefix: Uint8Array): void {
  bytes.fill(0, node, node + PAGE);
  bytes.set([level === 0 ? 1 : 2, level], node);
  view.setUint16(node + 20, prefix.length, true);
  view.setUint32(node + 24, PAGE - prefix.length, true);
  bytes.set(prefix, node + PAGE - prefix.length);
}

interface Entry {
  key: Uint8Array;
  value: Uint8Array;
}

function findKey(node: number, key: Uint8Array): number {
  return both(({ kernels, bytes }) => {
    bytes.set(key, KEY);
    return kernels.findKey(node, PAGE, KEY, KEY + key.length);
  });
}

/** Inserts or replaces; 0 when it does not fit. */
function put(node: number, level: number, { key, value }: Entry): number {
  const found = findKey(node, key);
  if (found >= 0) {
    both(({ kernels }) => {
      kernels.removeEntry(node, found);
      return 0;
    });
  }
  const index = found >= 0 ? found : ~found;
  return both(({ kernels, bytes }) => {
    bytes.set(key, KEY);
    const length = value.length;
    const end = KEY + key.length;
    const target = kernels.insertEntry(node, PAGE, index, KEY, end, length, SPARE);
    if (target !== 0) bytes.set(level === 0 ? value : childOf(value), target);
    return target;
  });
}

function childOf(value: Uint8Array): Uint8Array {
  const child = new Uint8Array(CHILD_BYTES);
  child.set(value.subarray(0, CHILD_BYTES));
  return child;
}

const suffixes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.array(fc.constantFrom(0, 1, 97, 255), { maxLength: 9 }).map((all) => Uint8Array.from(all)),
  fc.uint8Array({ minLength: 100, maxLength: 900 }),
);
const entries = fc.array(fc.record({ key: suffixes, value: fc.uint8Array({ maxLength: 120 }) }), {
  maxLength: 80,
});
const prefixes = fc.uint8Array({ maxLength: 20 });

function withPrefix(prefix: Uint8Array, { key, value }: Entry): Entry {
  return { key: Uint8Array.from([...prefix, ...key]), value };
}

/** Copies all keys out, in either direction, and compares them with one another. */
function copyKeys(step: 1 | -1, limit: number): void {
  const count = sides[0].view.getUint16(NODE + 2, true);
  if (count === 0) return;
  const written = both(({ kernels, bytes }) => {
    bytes.fill(0, SPARE, FRESH);
    const from = step > 0 ? 0 : count - 1;
    return kernels.copyKeys(NODE, PAGE, from, step, count, SPARE, SPARE + limit, KEY);
  });
  if (written === 0) return;
  const [left, right] = sides.map(({ bytes, view }) => {
    const lengths = Array.from({ length: written }, (_, at) => view.getUint32(KEY + 4 * at, true));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const hasHighBits = view.getUint32(KEY + 4 * written, true);
    return { lengths, hasHighBits, keys: bytes.slice(SPARE, SPARE + total) };
  });
  expect(left).toEqual(right);
}

function fill(node: number, level: number, prefix: Uint8Array, all: readonly Entry[]): void {
  for (const side of sides) initNode(side, node, level, prefix);
  for (const entry of all) put(node, level, withPrefix(prefix, entry));
}

const levels = fc.constantFrom(0, 1);

test('nodes are searched, filled and emptied alike', () => {
  const property = fc.property(
    levels,
    prefixes,
    entries,
    fc.array(suffixes),
    fc.array(fc.nat()),
    (level, prefix, all, sought, removed) => {
      fill(NODE, level, prefix, all);
      for (const key of sought) {
        findKey(NODE, key);
        findKey(NODE, withPrefix(prefix, { key, value: key }).key);
      }
      copyKeys(1, 16384);
      copyKeys(-1, 500);
      for (const nat of removed) {
        const count = sides[0].view.getUint16(NODE + 2, true);
        if (count === 0) break;
        both(({ kernels }) => {
          kernels.removeEntry(NODE, nat % count);
          return 0;
        });
      }
      both(({ kernels }) => {
        kernels.compactNode(NODE, PAGE, SPARE);
        return 0;
      });
    },
  );
  fc.assert(property, { numRuns: 200 });
});

/** How many bytes the keys of sorted entries have in common. */
function commonPrefix(all: readonly Entry[]): Uint8Array {
  const [first, last] = [all[0]?.key ?? new Uint8Array(0), all.at(-1)?.key];
  let length = 0;
  while (length < first.length && last !== undefined && first[length] === last[length]) length++;
  return first.slice(0, length);
}

/** Entries of rising keys as a node's content; returns those that fitted. */
function fillSorted(node: number, level: number, all: readonly Entry[], prefixMax: number) {
  for (const side of sides) initNode(side, node, level, commonPrefix(all).slice(0, prefixMax));
  return all.filter((entry) => put(node, level, entry) !== 0);
}

/** The run of two nodes' entries with the fresh one before that at `index` of the first. */
function makeRun(index: number, { key, value }: Entry): number {
  return both(({ kernels, bytes, view }) => {
    bytes.set(key, KEY);
    bytes.set(value, VALUE);
    [KEY, KEY + key.length, VALUE, value.length].forEach((word, at) => {
      view.setUint32(FRESH + 4 * at, word, true);
    });
    let at = kernels.appendEntries(RUN, 0, NODE, 0, index);
    at = kernels.appendEntries(RUN, at, 0, 0, 1);
    at = kernels.appendEntries(RUN, at, NODE, index, view.getUint16(NODE + 2, true));
    return kernels.appendEntries(RUN, at, NEIGHBOUR, 0, view.getUint16(NEIGHBOUR + 2, true));
  });
}

test('runs are dealt out alike', () => {
  const property = fc.property(
    levels,
    prefixes,
    entries,
    fc.tuple(fc.nat(), fc.nat(), fc.nat(20)),
    fc.constantFrom(0.5, 0.9, 1),
    fc.integer({ min: 1, max: 3 }),
    (level, prefix, all, [half, freshAt, prefixMax], fillMax, sharesMin) => {
      const whole = all.map((entry) => withPrefix(prefix, entry));
      const sorted = [
        ...new Map(whole.map((entry) => [Buffer.from(entry.key).toString('hex'), entry])),
      ]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, entry]) => entry);
      const fresh = sorted.splice(freshAt % Math.max(1, sorted.length), 1)[0];
      if (fresh === undefined) return;
      const below = sorted.filter(({ key }) => Buffer.compare(key, fresh.key) < 0).length;
      const border = Math.min(sorted.length, below + (half % 10));
      fillSorted(NODE, level, sorted.slice(0, border), prefixMax);
      fillSorted(NEIGHBOUR, level, sorted.slice(border), prefixMax);
      const index = findKey(NODE, fresh.key);
      const value = level === 0 ? fresh.value : childOf(fresh.value);
      const length = makeRun(~index, { key: fresh.key, value });
      both(({ kernels }) => kernels.runBytes(RUN, 0, length, FRESH, PAGE, level, SPARE));
      const shares = both(({ kernels }) => {
        const room = [BORDERS, SPARE] as const;
        return kernels.dealRun(RUN, length, FRESH, PAGE, level, fillMax, sharesMin, ...room);
      });
      const { view } = sides[0];
      for (let share = 0; share < shares; share++) {
        const from = view.getUint32(BORDERS + 4 * share, true);
        const to = view.getUint32(BORDERS + 4 * share + 4, true);
        writeShare(level, from, to);
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

function writeShare(level: number, from: number, to: number): void {
  const page = WALK;
  const pages = sides.map(({ kernels, bytes }) => {
    bytes.fill(0, page, page + PAGE);
    kernels.writeRun(RUN, from, to, FRESH, page, PAGE, level, SPARE);
    return Buffer.from(bytes.subarray(page, page + PAGE));
  });
  expect(pages[0]?.equals(pages[1] ?? Buffer.alloc(0))).toBe(true);
  if (level > 0) both(({ kernels }) => kernels.runChildCount(RUN, from, to, FRESH));
  if (from === 0) return;
  const length = both(({ kernels }) => {
    return kernels.runSeparator(RUN, from, FRESH, PAGE, level, SPARE);
  });
  const [left, right] = sides.map(({ bytes }) => Buffer.from(bytes.slice(SPARE, SPARE + length)));
  expect(left?.equals(right ?? Buffer.alloc(0))).toBe(true);
}
