/**
 * Nearest neighbours in one keyspace of one state, exactly.
 *
 * The codes say which few vectors may be among the nearest; those are compared again by their
 * float32 numbers. So the result is that of a full comparison, whatever was left out on the way.
 */
import { compareBytes } from '../shared/bytes/compare.js';
import {
  type Metric,
  queryBytes,
  type VectorLayout,
  vectorLayout,
} from '../shared/bytes/vector-codes.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import { keyOfSlot, readOriginal } from '../shared/keyspaces/vector.js';
import type { Findings } from '../shared/memory/search-job.js';
import { SCRATCH_BYTES } from '../shared/memory/shared-memory.js';
import { entryCount } from '../shared/pages/page.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { type CodePiece, CodeScan, codePieces, isSelected, type ScanPlace } from './code-scan.js';
import { isDistance, judge } from './nearness.js';
import { TopK } from './top-k.js';

/** Of the scratch window, for the checksums of what is read meanwhile. */
const RESERVED_BYTES = 64;
/** Several queries share a window, but leave most of it to what the kernel finds. */
const QUERIES_BYTES_MAX = 16384;
/** Leaves that several queries pass over one after another, while they are in a near cache. */
const SHARED_LEAVES = 32;
/** Where fewer than one in so many vectors are selected, each is compared without its code. */
const SPARSE_SHARE = 64;

/** What is looked for. */
export interface VectorQuery {
  readonly vector: Float32Array;
  readonly metric: Metric;
  readonly topK: number;
  readonly includeVectors: boolean;
}

/** Which slots count. */
export interface Selection {
  /** A bit for each slot. */
  readonly bits: Uint8Array;
  readonly count: number;
}

/** One of the nearest. */
export interface NearSlot {
  readonly key: Uint8Array;
  readonly score: number;
  readonly vector: Float32Array | undefined;
}

/** Where queries of a layout lie in a thread's scratch window, as many as fit, and their output. */
export function scanPlaces(
  source: PageSource,
  layout: VectorLayout,
  wanted: number,
): [ScanPlace, ...ScanPlace[]] {
  const start = source.memory.scratchAddress(source.slot.index);
  const bytes = queryBytes(layout);
  const count = Math.max(1, Math.min(wanted, Math.floor(QUERIES_BYTES_MAX / bytes)));
  const out = start + count * bytes;
  const outEnd = start + SCRATCH_BYTES - RESERVED_BYTES;
  const place = (index: number) => ({ address: start + index * bytes, out, outEnd });
  return [place(0), ...Array.from({ length: count - 1 }, (_, index) => place(index + 1))];
}

/** Scans a piece for some queries, some leaves at a time. */
export function scanPiece(
  source: PageSource,
  piece: CodePiece,
  scans: readonly CodeScan[],
  renew: (scan: CodeScan) => void = () => undefined,
): void {
  const { memory } = source;
  const leaves = piece.level === 0 ? 1 : entryCount(memory, source.fetchPointer(piece, 1));
  let entry = piece.entry;
  for (let from = 0; from < leaves; ) {
    const steps = scans.map((scan) => scan.nextLeaves());
    const step = scans.length === 1 ? (steps[0] as number) : SHARED_LEAVES;
    const to = Math.min(leaves, from + step);
    let next = entry;
    for (const scan of scans) {
      next = scan.scan(piece, from, to, entry);
      renew(scan);
    }
    [from, entry] = [to, next];
  }
}

/**
 * Compares slots by their float32 numbers, those with the best bounds first; returns the nearest.
 * Who cannot come before the nearest found so far is not looked at.
 */
export function rank(
  source: PageSource,
  record: KeyspaceRecord,
  { slots, uppers }: Findings,
  query: VectorQuery,
): NearSlot[] {
  const nearness = judge(query.vector, query.metric);
  const sign = isDistance(query.metric) ? 1 : -1;
  const scratch = new Float32Array(record.dimension);
  const best = new TopK(query.topK);
  const near: { slot: number; score: number }[] = [];
  for (const index of byUpperBound(uppers)) {
    if ((uppers[index] as number) < best.threshold) break;
    const slot = slots[index] as number;
    const { score, floor } = nearness(readOriginal(source, record, slot, scratch));
    best.add(floor);
    near.push({ slot, score });
  }
  near.sort((a, b) => sign * (a.score - b.score));
  // What is as near as the last that counts may come before it by its key.
  const last = near[query.topK - 1];
  const tied =
    last === undefined ? near : near.filter(({ score }) => sign * (score - last.score) <= 0);
  const hits = tied.map(({ slot, score }) => {
    return { key: keyOfSlot(source, record, slot), score, slot };
  });
  hits.sort((a, b) => sign * (a.score - b.score) || compareBytes(a.key, b.key));
  return hits.slice(0, query.topK).map(({ key, score, slot }) => {
    const vector = query.includeVectors ? readOriginal(source, record, slot) : undefined;
    return { key, score, vector };
  });
}

/** Indexes of upper bounds, the greatest first. */
function byUpperBound(uppers: readonly number[]): number[] {
  return [...uppers.keys()].sort((a, b) => {
    const [first, second] = [uppers[a] as number, uppers[b] as number];
    return first === second ? a - b : first > second ? -1 : 1;
  });
}

/** The slots of a selection, rising; nothing is known of them yet. */
function findingsOf({ bits, count }: Selection): Findings {
  const slots: number[] = [];
  for (let slot = 0; slots.length < count; slot++) if (isSelected(bits, slot)) slots.push(slot);
  return { slots, uppers: slots.map(() => Number.POSITIVE_INFINITY) };
}

/** True when it is quicker to compare what is selected than to scan the codes. */
export function isSparse(selection: Selection, count: number): boolean {
  return selection.count * SPARSE_SHARE < count;
}

/**
 * The nearest of a keyspace's vectors for each query, all on this thread. The queries have the
 * keyspace's dimension.
 */
export function searchVectors(
  source: PageSource,
  record: KeyspaceRecord,
  queries: readonly VectorQuery[],
  selection: Selection | undefined,
): NearSlot[][] {
  const { count } = record.vectorSlots;
  if (count === 0) return queries.map(() => []);
  if (selection !== undefined && isSparse(selection, count)) {
    const findings = findingsOf(selection);
    return queries.map((query) => rank(source, record, findings, query));
  }
  const layout = vectorLayout(record.dimension, source.memory.nodeBytes);
  const pieces = codePieces(source, record.codes);
  const hits: NearSlot[][] = [];
  const selected = selection?.bits;
  while (hits.length < queries.length) {
    const group = queries.slice(hits.length);
    const places = scanPlaces(source, layout, group.length);
    const scans = places.map((place, index) => {
      const query = group[index] as VectorQuery;
      return new CodeScan({ ...query, source, layout, count, place, selected });
    });
    for (const piece of pieces) {
      source.enter();
      scanPiece(source, piece, scans);
    }
    scans.forEach((scan, index) => {
      hits.push(rank(source, record, scan.takeFindings(), group[index] as VectorQuery));
    });
  }
  return hits;
}
