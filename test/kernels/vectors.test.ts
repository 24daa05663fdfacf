/**
 * The scan over codes: the compiled kernels against the plain loops, and both against the truth,
 * which no bound may ever exclude.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeQuery,
  METRICS,
  type Metric,
  PART_BYTES,
  QUERY_ENTRY,
  QUERY_OUT,
  QUERY_OUT_END,
  QUERY_THRESHOLD,
  rowsBytes,
  SURVIVOR_BYTES,
  type VectorLayout,
  vectorLayout,
  writeRows,
} from '../../dist/shared/bytes/vector-codes.js';
import { keyOfNumber } from '../../dist/shared/keyspaces/vector.js';
import { PageCache } from '../../dist/shared/memory/page-cache.js';
import { createMemoryHandle, SharedMemory } from '../../dist/shared/memory/shared-memory.js';
import { initPage, stampPage } from '../../dist/shared/pages/page.js';

const PAGE_SIZE = 4096;
const CACHE_BYTES = 2 ** 24;
const LEAVES = 6;
const OUT_BYTES = 100_000;

const handle = createMemoryHandle(PAGE_SIZE, CACHE_BYTES);
const plainBuffer = new SharedArrayBuffer(handle.buffer.byteLength);
const sides = [handle, { ...handle, memory: undefined, buffer: plainBuffer }].map((side) => {
  const memory = new SharedMemory(side);
  const query = memory.scratchAddress(0);
  memory.describeCache(memory.walkAddress(0));
  return { memory, cache: new PageCache(memory, 0), query };
});
type Side = (typeof sides)[number];
const [compiled, plain] = sides as [Side, Side];

/** Components of similar size, with zeros and duplicates; and of very different ones. */
const similar = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1000, max: 1000 }).map((part) => part / 1000) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1, -1, 1e-3) },
);
const component = fc.oneof(
  { weight: 3, arbitrary: similar },
  { weight: 3, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
);
const dimension = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 70 }) },
  { weight: 1, arbitrary: fc.constantFrom(384, 768, 996, 997, 1536, 2048, 16384) },
);

interface Case {
  readonly query: Float32Array;
  readonly vectors: readonly Float32Array[];
  readonly metric: Metric;
}

/** Of the query and of all vectors: sizes at which float32 in between runs out of numbers. */
const SCALES = [
  ...[[1e-38, 1e20] as const, [1e-35, 1e12] as const, [1e37, 1e-38] as const],
  ...[[1e-12, 1e-21] as const, [1e-21, 1e-12] as const, [1e-29, 1e-28] as const],
  ...[[1e-20, 1e-20] as const, [1e20, 1e20] as const, [1, 1e-30] as const],
] as const;
const scales = fc.oneof(fc.constant([1, 1] as const), fc.constantFrom(...SCALES));

/** Long vectors repeat a few components: what counts is their number and their sizes. */
const vectorsOf = (length: number, scale: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(scale === 1 ? component : similar, { minLength: 1, maxLength: Math.min(length, 24) })
    .map((parts) =>
      Float32Array.from({ length }, (_, at) => scale * (parts[at % parts.length] as number)),
    );

const cases: fc.Arbitrary<Case> = fc.tuple(dimension, scales).chain(([length, [one, all]]) =>
  fc.record({
    query: vectorsOf(length, one),
    vectors: fc.array(vectorsOf(length, all), { minLength: 1, maxLength: length > 2000 ? 12 : 40 }),
    metric: fc.constantFrom(...METRICS),
  }),
);

/** The records of all entries. */
function entriesOf(layout: VectorLayout, vectors: readonly Float32Array[]): Uint8Array[] {
  const rows = vectors.map((vector) => {
    const bytes = new Uint8Array(rowsBytes(layout));
    writeRows(layout, vector, bytes);
    return bytes;
  });
  const all = Buffer.concat(rows);
  return Array.from({ length: Math.ceil(all.length / layout.entryBytes) }, (_, index) => {
    const entry = new Uint8Array(layout.entryBytes);
    entry.set(all.subarray(index * layout.entryBytes, (index + 1) * layout.entryBytes));
    return entry;
  });
}

let nextPage = 100;

/** Puts a page into the cache; returns its address. */
function newPage({ memory, cache }: Side, pageId: number, level: number): number {
  cache.forgetOlder(pageId as never);
  const frame = cache.claim();
  const address = cache.frameAddress(frame);
  initPage(memory, address, level);
  stampPage(memory, address, pageId, 1);
  if (!cache.publish(frame, { pageId: pageId as never, low: 0, high: 0, mark: 0 }, false))
    throw new Error('the table is full');
  return address;
}

function insert({ memory }: Side, node: number, index: number, key: number, value: number): number {
  const bytes = keyOfNumber(key);
  const at = memory.keyAddress(0);
  memory.u8.set(bytes, at);
  const spare = memory.scratchAddress(1);
  const end = at + bytes.length;
  return memory.kernels.insertEntry(node, PAGE_SIZE, index, at, end, value, spare);
}

/** Deals the entries out to some leaves below a branch; returns the branch and its children. */
function build(side: Side, layout: VectorLayout, vectors: readonly Float32Array[], page: number) {
  const { memory } = side;
  const entries = entriesOf(layout, vectors);
  const perLeaf = Math.min(
    Math.ceil(entries.length / LEAVES),
    Math.floor((PAGE_SIZE - 40) / (layout.entryBytes + 14)),
  );
  const branch = newPage(side, page, 1);
  let children = 0;
  for (let first = 0; first < entries.length; first += perLeaf) {
    const child = page + 1 + children;
    const leaf = newPage(side, child, 0);
    entries.slice(first, first + perLeaf).forEach((entry, index) => {
      memory.u8.set(entry, insert(side, leaf, index, first + index, entry.length));
    });
    const cell = insert(side, branch, children++, first, 0);
    memory.u8.fill(0, cell, cell + 18);
    memory.u8[cell] = child;
    memory.u8[cell + 1] = child >>> 8;
  }
  return { branch, children, entryCount: entries.length };
}

interface Survivor {
  readonly slot: number;
  readonly lower: number;
  readonly upper: number;
}

/** In the order of their slots: kernels go through leaves as it suits them. */
function survivorsIn(side: Side, start: number, end: number): Survivor[] {
  const { i32, f64 } = side.memory;
  return Array.from({ length: (end - start) / SURVIVOR_BYTES }, (_, index) => {
    const at = start + index * SURVIVOR_BYTES;
    const [lower, upper] = [f64[(at + 8) >>> 3] as number, f64[(at + 16) >>> 3] as number];
    return { slot: i32[at >>> 2] as number, lower, upper };
  }).sort((a, b) => a.slot - b.slot);
}

/** Scans all leaves in one call; the threshold leaves out what cannot reach it. */
function scan(side: Side, it: Case, threshold = Number.NEGATIVE_INFINITY): Survivor[] {
  const { memory, query } = side;
  const layout = vectorLayout(it.query.length, PAGE_SIZE);
  const page = nextPage;
  const { branch, children, entryCount } = build(side, layout, it.vectors, page);
  const bytes = encodeQuery(layout, it.query, it.metric);
  const out = query + Math.ceil(bytes.length / 16) * 16;
  memory.u8.set(bytes, query);
  memory.f64[(query + QUERY_THRESHOLD) >>> 3] = threshold;
  memory.i32[(query + QUERY_ENTRY) >>> 2] = 0;
  memory.i32[(query + QUERY_OUT) >>> 2] = out;
  memory.i32[(query + QUERY_OUT_END) >>> 2] = query + OUT_BYTES;
  const walk = memory.walkAddress(0);
  expect(memory.kernels.scanLeaves(query, walk, branch, 0, children)).toBe(children);
  const end = memory.i32[(query + QUERY_OUT) >>> 2] as number;
  expect(memory.i32[(query + QUERY_ENTRY) >>> 2]).toBe(entryCount);
  if (layout.segments === 1) return survivorsIn(side, out, end);
  expect(end).toBe(out + entryCount * PART_BYTES);
  const judged = memory.kernels.judgeParts(query, out, it.vectors.length, 0, end);
  return survivorsIn(side, end, judged);
}

/** On both sides, with the same page ids. */
function scanBoth(it: Case, threshold?: number): [Survivor[], Survivor[]] {
  const found: [Survivor[], Survivor[]] = [
    scan(compiled, it, threshold),
    scan(plain, it, threshold),
  ];
  nextPage = nextPage > 60_000 ? 100 : nextPage + 256;
  return found;
}

/** What nearness means, as a full comparison in doubles has it. */
function goodness({ query, metric }: Case, vector: Float32Array): number {
  let product = 0;
  let square = 0;
  for (let at = 0; at < vector.length; at++) {
    product += (query[at] as number) * (vector[at] as number);
    square += (vector[at] as number) ** 2;
  }
  if (metric === 'dot') return product;
  if (metric === 'l2') return 2 * product - square;
  return square === 0 ? 0 : product / Math.sqrt(square);
}

test('the compiled and the plain scan find the same bits, and every vector once', () => {
  fc.assert(
    fc.property(cases, (it) => {
      const [first, second] = scanBoth(it);
      expect(second).toStrictEqual(first);
      const slots = first.map(({ slot }) => slot);
      expect(slots.slice(0, it.vectors.length)).toStrictEqual([...it.vectors.keys()]);
    }),
    { numRuns: 300 },
  );
});

test('no bound excludes the truth', () => {
  fc.assert(
    fc.property(cases, (it) => {
      for (const { slot, lower, upper } of scanBoth(it)[0]) {
        const vector = it.vectors[slot];
        if (vector === undefined) continue; // behind the last
        const truth = goodness(it, vector);
        expect(truth < lower, `${truth} below ${lower}`).toBe(false);
        expect(truth > upper, `${truth} above ${upper}`).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});

test('vectors that cannot reach the threshold are left out, and no others', () => {
  fc.assert(
    fc.property(cases, fc.nat(), (it, choice) => {
      const all = scanBoth(it)[0];
      const threshold = (all[choice % all.length] as Survivor).upper;
      const expected = all.filter(({ upper }) => !(upper < threshold));
      for (const found of scanBoth(it, threshold)) expect(found).toStrictEqual(expected);
    }),
    { numRuns: 1000 },
  );
});
