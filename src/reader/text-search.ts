/**
 * The k documents of the highest BM25 score: block-max MaxScore over windows of documents.
 *
 * In a window the terms with the least bounds whose sum cannot reach the k-th best score found so
 * far are not essential (Turtle and Flood, "Query evaluation: strategies and optimizations", 1995;
 * Ding and Suel, "Faster top-k document retrieval using block-max indexes", 2011): the others are
 * added up, and these looked at only for documents that may still come in.
 *
 * Sums are made in any order here. Who may be among the k is scored anew in the order of the query,
 * so that the bits of a score do not depend on the way to it.
 */
import { compareBytes } from '../shared/bytes/compare.js';
import type { SharedMemory } from '../shared/memory/shared-memory.js';
import type { PageSource } from '../shared/pages/page-source.js';
import type { TextClause } from './text-clauses.js';
import { HIT_BYTES, type TextHit, TextWindow, WINDOW_DOCUMENTS_MAX } from './text-window.js';
import { TopK } from './top-k.js';

/** More than what rounding can take from a sum. */
const SLACK = 1 - 1e-9;
/** The first window is smaller: what is found there spares work in the next. */
const WINDOW_DOCUMENTS_MIN = 2048;
/** Candidates are sifted when there are more, and again when they are twice as many. */
const CANDIDATES_MAX = 4096;

export interface TextSearch {
  /** What the query looks for, each once. */
  readonly clauses: readonly TextClause[];
  /** The clauses in the order of the query, as often as they stand there. */
  readonly order: readonly number[];
  readonly topK: number;
  /** Only documents that all clauses find. */
  readonly all: boolean;
}

/** Who may be among the best so far. */
class Candidates {
  readonly #memory: SharedMemory;
  readonly #best: TopK;
  #numbers: number[] = [];
  #scores: number[] = [];
  #siftAt = CANDIDATES_MAX;

  constructor(memory: SharedMemory, topK: number) {
    this.#memory = memory;
    this.#best = new TopK(topK);
  }

  /** What a sum has to reach. */
  get floor(): number {
    return this.#best.threshold * SLACK;
  }

  /** Takes the hits of a window. */
  takeFrom(window: TextWindow): void {
    window.setFloor(this.floor);
    const { i32, f64 } = this.#memory;
    const end = window.out + window.take() * HIT_BYTES;
    let { floor } = this;
    for (let at = window.out; at < end; at += HIT_BYTES) {
      const score = f64[(at + 8) >>> 3] as number;
      if (!(score >= floor)) continue;
      this.#best.add(score);
      floor = this.floor;
      this.#numbers.push((i32[at >>> 2] as number) >>> 0);
      this.#scores.push(score);
    }
    if (this.#numbers.length < this.#siftAt) return;
    this.sift();
    this.#siftAt = Math.max(CANDIDATES_MAX, 2 * this.#numbers.length);
  }

  /** Forgets who is not among the best; returns who is. */
  sift(): readonly number[] {
    const { floor } = this;
    const scores = this.#scores;
    this.#numbers = this.#numbers.filter((_, index) => (scores[index] as number) >= floor);
    this.#scores = scores.filter((score) => score >= floor);
    return this.#numbers;
  }
}

/**
 * All documents that may be among the best: those with at least the k-th best score, with their
 * scores to the bit, the best first; more than k when some are equal.
 */
export function searchText(source: PageSource, search: TextSearch): TextHit[] {
  const { clauses, order, topK, all } = search;
  if (topK === 0 || clauses.length === 0) return [];
  const { memory, slot } = source;
  const window = new TextWindow(memory, slot.index);
  const candidates = new Candidates(memory, topK);
  if (all) intersect(window, clauses, candidates);
  else unite(window, clauses, candidates);
  window.close();
  const exact = candidates.sift().map((number): TextHit => {
    const parts = clauses.map((clause) => clause.scoreOf(clause.find(number)));
    let score = 0;
    for (const index of order) score += parts[index] as number;
    return { number, score };
  });
  exact.sort((a, b) => b.score - a.score);
  const least = exact[topK - 1]?.score ?? 0;
  const end = exact.findIndex(({ score }) => !(score >= least));
  return end < 0 ? exact : exact.slice(0, end);
}

/** Shows windows until all documents of the clauses have been in one. */
function throughWindows(
  window: TextWindow,
  clauses: readonly TextClause[],
  show: () => void,
): void {
  let count = WINDOW_DOCUMENTS_MIN;
  for (let first = 0; first < Infinity; ) {
    for (const clause of clauses) clause.enter(first, first + count);
    window.moveTo(first, count);
    show();
    let next = Infinity;
    for (const clause of clauses) next = Math.min(next, clause.next(first + count));
    // Whatever a damaged list says, this comes to an end.
    first = Math.max(next, first + count);
    count = Math.min(2 * count, WINDOW_DOCUMENTS_MAX);
  }
}

/** Documents that any clause finds. */
function unite(window: TextWindow, clauses: readonly TextClause[], candidates: Candidates): void {
  throughWindows(window, clauses, () => {
    const active = clauses.filter(({ bound }) => bound > 0);
    if (active.length > 1) active.sort((a, b) => a.bound - b.bound);
    const { floor } = candidates;
    let rest = 0; // what those that are not essential add at most
    let essential = 0;
    for (; essential < active.length; essential++) {
      const sum = rest + (active[essential] as TextClause).bound;
      if (sum >= floor) break;
      rest = sum;
    }
    if (essential === active.length) return;
    for (let at = essential; at < active.length; at++) (active[at] as TextClause).add(window);
    for (let at = essential - 1; at >= 0; at--) {
      const other = active[at] as TextClause;
      window.setFloor(floor - rest);
      window.prune();
      other.probe(window);
      window.forgetSeen();
      rest -= other.bound;
    }
    candidates.takeFrom(window);
  });
}

/** Documents that all clauses find: the rarest first, the others only where those are. */
function intersect(
  window: TextWindow,
  clauses: readonly TextClause[],
  candidates: Candidates,
): void {
  const rising = [...clauses].sort((a, b) => a.documents - b.documents);
  throughWindows(window, rising, () => {
    if (rising.some(({ bound }) => bound === 0)) return;
    const [first, ...others] = rising;
    first?.add(window);
    for (const clause of others) {
      clause.probe(window);
      window.keepSeen();
    }
    candidates.takeFrom(window);
  });
}

/** A document that was found. */
export interface FoundDocument {
  readonly number: number;
  readonly id: Uint8Array;
  readonly score: number;
}

/** The best k, equal ones by their ids. */
export function bestOf(
  hits: readonly TextHit[],
  topK: number,
  idOf: (number: number) => Uint8Array,
): FoundDocument[] {
  const found = hits.map(({ number, score }) => ({ number, id: idOf(number), score }));
  found.sort((a, b) => b.score - a.score || compareBytes(a.id, b.id));
  return found.slice(0, topK);
}
