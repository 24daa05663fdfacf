/**
 * One search by several threads: its owner and those who help claim slices of the codes, and the
 * owner ranks what all of them found.
 *
 * The owner waits for nobody for long: a slice that another has claimed and does not finish is done
 * once more, by the owner. So a helper that is killed costs time, not the answer.
 */
import { METRICS, vectorLayout } from '../shared/bytes/vector-codes.js';
import { toPageId } from '../shared/ids.js';
import type { KeyspaceRecord } from '../shared/keyspaces/catalog.js';
import type { Findings, SearchBoard, SearchJob } from '../shared/memory/search-job.js';
import type { PageSource } from '../shared/pages/page-source.js';
import { monotonicMs } from '../shared/system.js';
import { newTree } from '../shared/tree-root.js';
import { type CodePiece, CodeScan, codePieces } from './code-scan.js';
import {
  type NearSlot,
  rank,
  type Selection,
  scanPiece,
  scanPlaces,
  searchVectors,
  type VectorQuery,
} from './vector-search.js';

/** More would not share the work more evenly. */
const SLICES_WANTED = 128;
/** Below this many bytes of codes one thread is done before others are awake. */
const SHARED_BYTES_MIN = 1.5 * 2 ** 20;
const WAIT_MS = 1;
/** A helper gets this much longer for a slice than the owner took for all of his. */
const PATIENCE = 2;
const PATIENCE_MS_MIN = 5;

/** The codes of one state, and who scans them. */
interface CodesRoot extends Pick<KeyspaceRecord, 'codes' | 'dimension' | 'keyspaceId'> {
  readonly count: number;
}

/** A scan of slices, by the owner or by a helper. */
class SliceScan {
  readonly #source: PageSource;
  readonly #board: SearchBoard;
  readonly #scan: CodeScan;
  readonly #slices: readonly (readonly CodePiece[])[];

  constructor(source: PageSource, board: SearchBoard, root: CodesRoot, query: VectorQuery) {
    this.#source = source;
    this.#board = board;
    const layout = vectorLayout(root.dimension, source.memory.nodeBytes);
    const [place] = scanPlaces(source, layout, 1);
    const { count } = root;
    this.#scan = new CodeScan({ ...query, source, layout, count, place });
    this.#slices = sliced(codePieces(source, root.codes));
  }

  get sliceCount(): number {
    return this.#slices.length;
  }

  scanSlice(sequence: number, slice: number): void {
    for (const piece of this.#slices[slice] ?? []) {
      this.#source.enter();
      scanPiece(this.#source, piece, [this.#scan], () => this.#renew(sequence));
    }
  }

  /** What is enough for one thread is enough for all that work at the same job. */
  #renew(sequence: number): void {
    this.#board.raiseThreshold(sequence, this.#scan.threshold);
    this.#scan.raiseThreshold(this.#board.threshold(sequence));
  }

  take(): Findings {
    return this.#scan.takeFindings();
  }
}

/** Neighbouring pieces, in even shares. */
function sliced(pieces: readonly CodePiece[]): CodePiece[][] {
  const count = Math.min(pieces.length, SLICES_WANTED);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * pieces.length) / count);
    return pieces.slice(from, Math.floor(((index + 1) * pieces.length) / count));
  });
}

/** What is looked for, and by how many threads at most. */
export interface VectorSearch {
  readonly queries: readonly VectorQuery[];
  readonly selection: Selection | undefined;
  readonly threads: number;
}

/**
 * The nearest of a keyspace's vectors for each query. Other threads help where it pays, if they are
 * there and nobody else has them; the result is the same.
 */
export function search(
  source: PageSource,
  board: SearchBoard,
  record: KeyspaceRecord,
  { queries, selection, threads }: VectorSearch,
): NearSlot[][] {
  const [query] = queries;
  const isShared = queries.length === 1 && selection === undefined && threads > 1;
  if (query === undefined || !isShared || !isLarge(source, record) || !board.acquire()) {
    return searchVectors(source, record, queries, selection);
  }
  try {
    return [searchTogether(source, record, query, board, threads - 1)];
  } finally {
    board.release();
  }
}

/** True when several threads are quicker than one. */
export function isLarge(source: PageSource, { codes }: KeyspaceRecord): boolean {
  return codes.level > 0 && codes.leafPages * source.memory.pageSize >= SHARED_BYTES_MIN;
}

/**
 * The nearest of a keyspace's vectors; up to `helpers` other threads help if they are there. The
 * caller has taken the board.
 */
function searchTogether(
  source: PageSource,
  record: KeyspaceRecord,
  query: VectorQuery,
  board: SearchBoard,
  helpers: number,
): NearSlot[] {
  const { codes, dimension, vectorSlots, keyspaceId } = record;
  const { count } = vectorSlots;
  const root = { codes, dimension, count, keyspaceId };
  const scan = new SliceScan(source, board, root, query);
  const job = encodeJob(root, query);
  const sequence = board.publish(job, scan.sliceCount, helpers);
  const startedMs = monotonicMs();
  const own = new Set<number>();
  for (let slice = board.claim(sequence); slice >= 0; slice = board.claim(sequence)) {
    scan.scanSlice(sequence, slice);
    own.add(slice);
  }
  const others = Array.from({ length: scan.sliceCount }, (_, slice) => slice).filter(
    (slice) => !own.has(slice),
  );
  const patienceMs = Math.max(PATIENCE_MS_MIN, PATIENCE * (monotonicMs() - startedMs));
  awaitOthers(board, sequence, others, patienceMs);
  for (const slice of others) {
    if (board.takeAway(sequence, slice)) scan.scanSlice(sequence, slice);
  }
  const found = board.findings(sequence);
  const threshold = board.threshold(sequence);
  const survivors = new Map<number, number>();
  for (const { slots, uppers } of [found, scan.take()]) {
    slots.forEach((slot, index) => {
      const upper = uppers[index] as number;
      if (slot < count && !(upper < threshold)) survivors.set(slot, upper);
    });
  }
  const findings = { slots: [...survivors.keys()], uppers: [...survivors.values()] };
  return rank(source, record, findings, query);
}

/** Waits until all have ended their slices, for a while. */
function awaitOthers(
  board: SearchBoard,
  sequence: number,
  slices: readonly number[],
  patienceMs: number,
): void {
  const deadlineMs = monotonicMs() + patienceMs;
  for (;;) {
    const seen = board.finished;
    if (!slices.some((slice) => board.isUnderWay(sequence, slice))) return;
    if (monotonicMs() > deadlineMs) return;
    board.waitForFinished(seen, WAIT_MS);
  }
}

/** Helps with a job if it still goes on; whatever fails is left to its owner. */
export function helpWith(board: SearchBoard, source: PageSource, sequence: number): void {
  const job = board.join(sequence);
  if (job === undefined) return;
  let slice = -1;
  try {
    source.enter();
    const { root, query } = decodeJob(job);
    const scan = new SliceScan(source.of(root), board, root, query);
    for (slice = board.claim(sequence); slice >= 0; slice = board.claim(sequence)) {
      scan.scanSlice(sequence, slice);
      board.finish(sequence, slice, board.addFindings(scan.take()));
    }
  } catch {
    // The owner does the slice again and meets the error, if it is one of the file's.
    if (slice >= 0) board.finish(sequence, slice, false);
  } finally {
    source.leave();
  }
}

function encodeJob(
  { codes, dimension, count, keyspaceId }: CodesRoot,
  query: VectorQuery,
): SearchJob {
  const { pageId, low, high, level } = codes;
  const { vector, metric, topK } = query;
  const k = Math.min(topK, count);
  return {
    fields: [pageId, low, high, level, count, dimension, METRICS.indexOf(metric), k],
    keyspaceId,
    vector,
  };
}

function decodeJob({ fields, keyspaceId, vector }: SearchJob): {
  root: CodesRoot;
  query: VectorQuery;
} {
  const [pageId, low, high, level, count, dimension, metric, topK] = fields as number[] & {
    length: 8;
  };
  const codes = { ...newTree(), low: low as number, high: high as number, level: level as number };
  codes.pageId = toPageId((pageId as number) >>> 0);
  const shape = { dimension: dimension as number, count: (count as number) >>> 0 };
  const root = { ...shape, codes, keyspaceId };
  const query = {
    vector,
    metric: METRICS[metric as number] ?? 'cosine',
    topK: topK as number,
    includeVectors: false,
  };
  return { root, query };
}
