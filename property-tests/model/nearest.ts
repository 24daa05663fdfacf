/**
 * The nearest vectors as a slow, obvious model finds them: every score in doubles, one after the
 * other. And which answers agree with it: any order of summation gives another last bit, so scores
 * may differ by what two sums of that length can, and nothing else may.
 */
import type { Key } from 'mneme';
import { byteText, givenKey } from './stored.js';
import { Tolerance } from './tolerance.js';

export type Metric = 'cosine' | 'dot' | 'l2';

/** Numbers up to this, whole ones: all sums of their products are exact in doubles. */
const EXACT_MAX = 1024;

export interface Scored {
  readonly score: number;
  /** How far another sum of the same numbers may lie from it. */
  readonly slack: number;
}

/** The score of a vector, nothing left out and nothing clever. */
export function scoreOf(metric: Metric, query: Float32Array, vector: Float32Array): Scored {
  let [product, queryNorm, norm, distance] = [0, 0, 0, 0];
  let isExact = metric !== 'cosine';
  for (let at = 0; at < query.length; at++) {
    const [a, b] = [query[at] as number, vector[at] as number];
    product += a * b;
    queryNorm += a * a;
    norm += b * b;
    distance += (a - b) * (a - b);
    isExact &&= isSmallWhole(a) && isSmallWhole(b);
  }
  const slack = isExact ? 0 : (2 * query.length + 16) * 2 ** -52;
  const norms = Math.sqrt(queryNorm) * Math.sqrt(norm);
  if (metric === 'dot') return { score: product, slack: slack * norms };
  if (metric === 'l2') return { score: Math.sqrt(distance), slack: slack * Math.sqrt(distance) };
  if (norms === 0) return { score: 1, slack: 0 };
  return { score: Math.min(2, Math.max(0, 1 - product / norms)), slack };
}

function isSmallWhole(number: number): boolean {
  return Math.abs(number) <= EXACT_MAX && Number.isInteger(number);
}

/** What is searched, and for what. */
export interface ModelSearch {
  /** By stored key; see stored.ts. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly keys: 'text' | 'bytes';
  readonly query: Float32Array;
  readonly metric: Metric;
  readonly topK: number;
  readonly includeVectors: boolean;
}

interface Candidate extends Scored {
  readonly key: string;
  readonly vector: Float32Array;
}

interface Hit {
  readonly key: Key;
  readonly score: number;
  readonly vector?: Float32Array;
}

/** The hits of one search, by what the model knows of them. */
export class NearestHits extends Tolerance {
  readonly #search: ModelSearch;
  /** 1 when the lower score is the nearer one, else -1. */
  readonly #sign: number;
  #candidates: Map<string, Candidate> | undefined;
  #reason = 'hits';

  constructor(search: ModelSearch) {
    super();
    this.#search = search;
    this.#sign = search.metric === 'dot' ? -1 : 1;
  }

  override accepts(actual: unknown): boolean {
    const fault = this.#faultOf(actual);
    if (fault !== undefined) this.#reason = fault;
    return fault === undefined;
  }

  override describe(): string {
    const { metric, topK, vectors } = this.#search;
    const nearest = [...this.#all().values()]
      .sort((a, b) => this.#compare(a, b))
      .slice(0, Math.min(topK, 4));
    const shown = nearest.map(({ key, score }) => `${JSON.stringify(key.slice(-40))} ${score}`);
    return `${this.#reason}; ${metric}, ${topK} of ${vectors.size}, nearest ${shown.join(', ')}`;
  }

  #all(): Map<string, Candidate> {
    const { vectors, metric, query } = this.#search;
    this.#candidates ??= new Map(
      [...vectors].map(([key, vector]) => [
        key,
        { key, vector, ...scoreOf(metric, query, vector) },
      ]),
    );
    return this.#candidates;
  }

  #compare(
    a: { readonly score: number; readonly key: string },
    b: { readonly score: number; readonly key: string },
  ): number {
    return a.score === b.score ? (a.key < b.key ? -1 : 1) : this.#sign * (a.score - b.score);
  }

  #faultOf(actual: unknown): string | undefined {
    if (!Array.isArray(actual)) return 'no array';
    const hits: readonly Hit[] = actual;
    const { topK, vectors } = this.#search;
    if (hits.length !== Math.min(topK, vectors.size)) return `not as many hits`;
    const found = new Map<string, Candidate>();
    let last: { score: number; key: string } | undefined;
    for (const [index, hit] of hits.entries()) {
      const key = byteText(hit.key);
      const candidate = this.#all().get(key);
      const fault =
        candidate === undefined ? 'its key does not match' : this.#wrong(hit, candidate);
      if (fault !== undefined) return `[${index}]: ${fault}`;
      if (found.has(key)) return `[${index}]: its key was there before`;
      const current = { score: hit.score, key };
      if (last !== undefined && this.#compare(last, current) > 0) return `[${index}]: out of order`;
      last = current;
      found.set(key, candidate as Candidate);
    }
    return this.#missingFrom(found, last?.key);
  }

  /** What is wrong with one hit by itself. */
  #wrong(hit: Hit, { key, score, slack, vector }: Candidate): string | undefined {
    const { keys, includeVectors } = this.#search;
    const names = includeVectors ? 'key,score,vector' : 'key,score';
    if (Object.keys(hit).sort().join() !== names) return `not of ${names}`;
    const given = givenKey(key, keys);
    if (typeof given !== typeof hit.key) return 'its key has another type';
    if (!(Math.abs(hit.score - score) <= slack)) return `its score is not ${score}`;
    return includeVectors && !isSameVector(hit.vector, vector) ? 'another vector' : undefined;
  }

  /** What should be among the hits instead of the last of them. */
  #missingFrom(
    found: ReadonlyMap<string, Candidate>,
    lastKey: string | undefined,
  ): string | undefined {
    const last = lastKey === undefined ? undefined : found.get(lastKey);
    if (last === undefined) return undefined;
    const equals = new Map<number, Candidate[]>();
    for (const hit of found.values()) {
      const group = equals.get(hit.score);
      if (group === undefined) equals.set(hit.score, [hit]);
      else group.push(hit);
    }
    for (const [key, candidate] of this.#all()) {
      if (found.has(key)) continue;
      const nearer = this.#sign * (last.score - candidate.score);
      const isNearer = nearer > last.slack + candidate.slack;
      const comesFirst = (hit: Candidate): boolean => {
        const isTie =
          hit.slack + candidate.slack === 0 || isSameVector(hit.vector, candidate.vector);
        return isTie && key < hit.key;
      };
      if (isNearer || equals.get(candidate.score)?.some(comesFirst) === true) {
        return `${JSON.stringify(key.slice(-40))} with ${candidate.score} is missing`;
      }
    }
    return undefined;
  }
}

/** The same numbers, bit by bit, in memory of their own. */
export function isSameVector(actual: unknown, expected: Float32Array): boolean {
  return (
    actual instanceof Float32Array &&
    actual.buffer instanceof ArrayBuffer &&
    actual.length === expected.length &&
    expected.every((number, at) => Object.is(actual[at], number))
  );
}
