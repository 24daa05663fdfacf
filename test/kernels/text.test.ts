/**
 * The text search over blocks: the compiled kernels against the plain loops, which have to leave
 * the same bits, and both against a model of what postings score. Damage must not lead astray.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScalarKernels } from '../../dist/kernels/scalar.js';
import { createCompiledKernels } from '../../dist/kernels/simd.js';
import {
  BLOCK_BYTES_MAX,
  BLOCK_POSTINGS_MAX,
  encodeBlock,
  PostingList,
} from '../../dist/shared/bytes/postings.js';
import { createMemoryHandle } from '../../dist/shared/memory/shared-memory.js';

const PAGE = 4096;
const DOCUMENTS_MAX = 4096;
const NUMBER_MAX = 2 ** 32 - 1;
/** What lies between the areas, and must stay as it is. */
const GUARD = 64;
const WINDOW = 65536;
const SCORES = WINDOW + 56 + GUARD;
const HITS = SCORES + 8 * DOCUMENTS_MAX + GUARD;
const SEEN = HITS + DOCUMENTS_MAX / 8 + GUARD;
const OUT = SEEN + DOCUMENTS_MAX / 8 + GUARD;
const END = OUT + 16 * DOCUMENTS_MAX + GUARD;
const [KEY, SPARE] = [END, END + PAGE];

const { memory, buffer } = createMemoryHandle(PAGE, 2 ** 20);
/** No more than 16 bytes from the end of the memory, as far as kernels may read. */
const LEAF = buffer.byteLength - 16 - PAGE;
const compiled = memory === undefined ? undefined : createCompiledKernels(memory);
if (compiled === undefined) throw new Error('this runtime has no compiled kernels');
const twin = new SharedArrayBuffer(buffer.byteLength);
const sides = [
  { kernels: compiled, bytes: new Uint8Array(buffer), view: new DataView(buffer) },
  { kernels: createScalarKernels(twin), bytes: new Uint8Array(twin), view: new DataView(twin) },
] as const;
type Side = (typeof sides)[number];

interface Posting {
  readonly number: number;
  readonly frequency: number;
  readonly length: number;
}
interface Shape {
  readonly count: number;
  readonly gapMax: number;
  readonly frequencyMax: number;
  readonly lengthMax: number;
  readonly seed: number;
}
interface Frame {
  /** The posting near which the window begins, and how far before it. */
  readonly posting: number;
  readonly before: number;
  readonly count: number;
}
type Step = 'add' | 'probe' | 'keepSeen' | 'forgetSeen' | 'prune' | 'take';

const shapes = fc.record<Shape>({
  count: fc.oneof(fc.constant(BLOCK_POSTINGS_MAX), fc.integer({ min: 1, max: BLOCK_POSTINGS_MAX })),
  gapMax: fc.constantFrom(1, 1, 2, 8, 60, 500, 70_000),
  frequencyMax: fc.constantFrom(1, 1, 2, 255, 256, 65_535, 65_536, NUMBER_MAX),
  lengthMax: fc.constantFrom(20, 255, 256, 65_535, 65_536, NUMBER_MAX),
  seed: fc.nat(),
});
const frames = fc.record<Frame>({
  posting: fc.nat(),
  before: fc.integer({ min: -40, max: DOCUMENTS_MAX }),
  count: fc.oneof(
    fc.constant(DOCUMENTS_MAX),
    fc.integer({ min: 1, max: DOCUMENTS_MAX }),
    fc.integer({ min: 1, max: 130 }),
  ),
});
const firsts = fc.oneof(fc.nat(6000), fc.constantFrom(2 ** 31 - 100, NUMBER_MAX - 5000));
const weights = fc.record({
  weight: fc.double({ min: 0.01, max: 50, noNaN: true }),
  norm: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true })),
  normPerTerm: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  floor: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 20, noNaN: true })),
});
type Weights = typeof weights extends fc.Arbitrary<infer T> ? T : never;
/** The share of documents that are hits beforehand. */
const densities = fc.constantFrom(0, 0.001, 0.01, 0.1, 0.5, 1);
const steps = fc.array(
  fc.constantFrom<Step>('add', 'probe', 'probe', 'keepSeen', 'forgetSeen', 'prune', 'take'),
  { maxLength: 8 },
);

/** Numbers from 0 to below 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** The postings of neighbouring blocks; fewer where numbers end. */
function postingsOf(first: number, all: readonly Shape[]): Posting[][] {
  let number = first;
  const blocks = all.map(({ count, gapMax, frequencyMax, lengthMax, seed }) => {
    const random = randomFrom(seed);
    const block: Posting[] = [];
    for (let at = 0; at < count && number <= NUMBER_MAX; at++) {
      const frequency = 1 + Math.floor(random() ** 4 * frequencyMax);
      const length = Math.floor(random() ** 2 * (lengthMax + 1));
      block.push({ number, frequency: Math.min(frequency, frequencyMax), length });
      number += 1 + Math.floor(random() * gapMax);
    }
    return block;
  });
  return blocks.filter((block) => block.length > 0);
}

function encode(postings: readonly Posting[]): Uint8Array {
  const list = new PostingList();
  for (const { number, frequency, length } of postings) list.add(number, frequency, length);
  const bytes = new Uint8Array(BLOCK_BYTES_MAX);
  return bytes.slice(0, encodeBlock(list, 0, postings.length, bytes, 0));
}

/** Makes them a leaf's values, on both sides; returns how many fitted. */
function fillLeaf(values: readonly Uint8Array[]): number {
  let fitted = 0;
  for (const { kernels, bytes, view } of sides) {
    bytes.fill(0, LEAF, LEAF + PAGE);
    bytes[LEAF] = 1;
    view.setUint32(LEAF + 24, PAGE, true);
    for (fitted = 0; fitted < values.length; fitted++) {
      const value = values[fitted] as Uint8Array;
      const key = Uint8Array.from({ length: 1 + fitted * 3 }, () => fitted); // of many lengths
      bytes.set(key, KEY);
      const end = KEY + key.length;
      const at = kernels.insertEntry(LEAF, PAGE, fitted, KEY, end, value.length, SPARE);
      if (at === 0) break;
      bytes.set(value, at >>> 0);
    }
  }
  return fitted;
}

function windowFirst(blocks: readonly Posting[][], { posting, before }: Frame): number {
  const all = blocks.flat();
  const { number } = all[posting % all.length] as Posting;
  return Math.min(NUMBER_MAX, Math.max(0, number - before));
}

/** The same window on both sides, some of whose documents are hits already. */
function openWindow(first: number, count: number, by: Weights, density: number): void {
  const random = randomFrom(first + count);
  const hits = Array.from({ length: count }, () => (random() < density ? random() : undefined));
  for (const { bytes, view } of sides) {
    bytes.fill(0xa5, WINDOW, END);
    [first, count, SCORES, HITS, SEEN].forEach((field, at) => {
      view.setUint32(WINDOW + 4 * at, field, true);
    });
    [by.weight, by.norm, by.normPerTerm, by.floor].forEach((field, at) => {
      view.setFloat64(WINDOW + 24 + 8 * at, field, true);
    });
    bytes.fill(0, SCORES, SCORES + 8 * count);
    bytes.fill(0, HITS, HITS + 4 * Math.ceil(count / 32));
    bytes.fill(0, SEEN, SEEN + 4 * Math.ceil(count / 32));
    hits.forEach((score, document) => {
      if (score === undefined) return;
      view.setFloat64(SCORES + 8 * document, score, true);
      const at = HITS + (document >>> 3);
      bytes[at] = (bytes[at] as number) | (1 << (document & 7));
    });
  }
}

/** Takes a step on one side; compiled kernels return numbers for what is true or false. */
function take({ kernels }: Side, step: Step, count: number): number {
  if (step === 'add') return Number(kernels.addPostings(WINDOW, LEAF, 0, count));
  if (step === 'probe') return Number(kernels.probePostings(WINDOW, LEAF, 0, count));
  if (step === 'take') return kernels.takeHits(WINDOW, OUT);
  if (step === 'keepSeen') kernels.keepSeen(WINDOW);
  else if (step === 'forgetSeen') kernels.forgetSeen(WINDOW);
  else kernels.pruneHits(WINDOW);
  return -1;
}

const areas = ({ bytes }: Side): Buffer => Buffer.from(bytes.slice(WINDOW, END));

function expectSame(step: Step, count: number): number {
  const [first, second] = sides.map((side) => take(side, step, count)) as [number, number];
  expect(first).toBe(second);
  const [left, right] = sides.map(areas) as [Buffer, Buffer];
  const at = left.findIndex((byte, index) => byte !== right[index]);
  expect(left.equals(right), `${step}: differs at ${WINDOW + at}`).toBe(true);
  return first;
}

/** The documents of a window by their scores. */
function model(blocks: readonly Posting[][], first: number, count: number, by: Weights) {
  const scores = new Map<number, number>();
  for (const { number, frequency, length } of blocks.flat()) {
    if (number < first || number >= first + count) continue;
    const norm = by.norm + by.normPerTerm * length;
    scores.set(number, (by.weight * frequency) / (frequency + norm));
  }
  return scores;
}

/** A floor that is the score of a hit of the window, which is not below it. */
function withReachedFloor(blocks: readonly Posting[][], first: number, count: number, by: Weights) {
  const floor = [...model(blocks, first, count, by).values()].at(-1) ?? by.floor;
  return { ...by, floor };
}

test('compiled and plain kernels leave the same bits', () => {
  const property = fc.property(
    firsts,
    fc.array(shapes, { minLength: 1, maxLength: 6 }),
    frames,
    weights,
    densities,
    steps,
    fc.boolean(),
    (first, all, frame, drawn, density, path, isFloorReached) => {
      const blocks = postingsOf(first, all);
      const count = fillLeaf(blocks.map(encode));
      const start = windowFirst(blocks, frame);
      const by = isFloorReached ? withReachedFloor(blocks, start, frame.count, drawn) : drawn;
      openWindow(start, frame.count, by, density);
      for (const step of path) expectSame(step, count);
      expectSame('take', count);
    },
  );
  fc.assert(property, { numRuns: 1500 });
});

test('postings score what the formula says, and twice that when they are probed too', () => {
  const property = fc.property(firsts, shapes, frames, weights, (first, shape, frame, by) => {
    const blocks = postingsOf(first, [shape]);
    const [start, floor] = [windowFirst(blocks, frame), 0];
    const scores = [...model(blocks, start, frame.count, by)];
    const count = fillLeaf(blocks.map(encode));
    for (const times of [1, 2]) {
      openWindow(start, frame.count, { ...by, floor }, 0);
      expect(expectSame('probe', count)).toBe(1); // without hits it does nothing
      expect(expectSame('add', count)).toBe(1);
      if (times === 2) expectSame('probe', count);
      if (times === 2) expectSame('keepSeen', count);
      const taken = expectSame('take', count);
      const { view } = sides[0];
      const found = Array.from({ length: taken }, (_, at) => {
        const score = view.getFloat64(OUT + 16 * at + 8, true);
        return [view.getUint32(OUT + 16 * at, true), score];
      });
      expect(found).toStrictEqual(scores.map(([number, score]) => [number, times * score]));
    }
  });
  fc.assert(property, { numRuns: 300 });
});

/** One byte is another, or some are missing, or too many. */
const damages = fc.oneof(
  fc.record({ at: fc.constantFrom(0, 1), byte: fc.nat(255), grow: fc.constant(0) }),
  fc.record({ at: fc.nat(), byte: fc.nat(255), grow: fc.constant(0) }),
  fc.record({ at: fc.nat(), byte: fc.nat(255), grow: fc.integer({ min: -600, max: 9 }) }),
);

/** What of a side lies outside of the areas of its window. */
function outside(side: Side, count: number): Buffer {
  const all = areas(side);
  const words = 4 * Math.ceil(count / 32);
  all.fill(0, SCORES - WINDOW, SCORES - WINDOW + 8 * count);
  for (const start of [HITS, SEEN]) {
    const last = start - WINDOW + (count >>> 3);
    const rest = (all[last] as number) & (0xff << (count & 7));
    all.fill(0, start - WINDOW, last);
    if ((count & 7) !== 0 && last < start - WINDOW + words) all[last] = rest;
  }
  return all;
}

test('damaged blocks are refused alike, and nothing outside of the window is written', () => {
  const property = fc.property(
    firsts,
    fc.array(shapes, { minLength: 1, maxLength: 3 }),
    damages,
    frames,
    weights,
    densities,
    fc.constantFrom<Step>('add', 'probe'),
    (first, all, { at, byte, grow }, frame, by, density, step) => {
      const blocks = postingsOf(first, all);
      const values = blocks.map(encode);
      const last = values.at(-1) as Uint8Array;
      last[at % last.length] = byte;
      const damaged = new Uint8Array(Math.max(0, last.length + grow));
      damaged.set(last.subarray(0, damaged.length));
      const count = fillLeaf([...values.slice(0, -1), damaged]);
      openWindow(windowFirst(blocks, frame), frame.count, by, density);
      const before = sides.map((side) => outside(side, frame.count)) as [Buffer, Buffer];
      const [ours, theirs] = sides.map((side) => take(side, step, count));
      expect(ours).toBe(theirs);
      sides.forEach((side, index) => {
        expect(outside(side, frame.count).equals(before[index] as Buffer)).toBe(true);
      });
      if (ours === 1) return; // where distances fall, it is only the frame that counts
      expect(areas(sides[0]).equals(areas(sides[1]))).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});
