/**
 * What the server answers and the page shows: the shapes of both sides' JSON. Transaction ids are
 * digits, moments are ms since the epoch, keys are base64url of their bytes.
 */
import type { DatabaseStats } from '../../api/database.js';
import type { HybridHit } from '../../api/hybrid.js';
import type { MappedTree, MappedUse } from '../../api/page-map.js';
import type { VectorHit } from '../../api/vector.js';
import type { Metric } from '../../shared/bytes/vector-codes.js';

export interface Overview {
  readonly path: string;
  readonly canWrite: boolean;
  readonly info: {
    readonly formatVersion: number;
    readonly pageSize: number;
    readonly txnId: string;
    readonly encrypted: boolean;
    readonly keySlots: number;
    readonly createdAt: number;
  };
  readonly stats: Omit<DatabaseStats, 'oldestReader'>;
  readonly oldestReader: { readonly pid: number; readonly txnId: string } | undefined;
  readonly keyspaces: readonly KeyspaceOverview[];
}

export type KeyspaceOverview = { readonly name: string; readonly pages: number } & (
  | { readonly kind: 'empty' }
  | { readonly kind: 'locked' }
  | ({ readonly kind: 'values' } & ValuesOverview)
  | ({ readonly kind: 'text' } & TextsOverview)
);

export interface ValuesOverview {
  readonly encrypted: boolean;
  readonly keyKind: 'text' | 'bytes';
  readonly dimension: number | undefined;
  /** Keys that expire some time, or have and are not purged. */
  readonly deadlines: number;
  readonly keys: number;
  readonly vectors: number;
  readonly sortedSets: number;
  readonly lists: number;
}

export interface TextsOverview {
  readonly encrypted: boolean;
  readonly analyzerName: string;
  readonly k1: number;
  readonly b: number;
  readonly positions: boolean;
  readonly documents: number;
  readonly uniqueTerms: number;
  readonly avgDocLen: number;
  readonly pending: number;
}

export interface MapAnswer {
  readonly txnId: string;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly pagesPerCell: number;
  /** Of each cell, its place in `uses`. */
  readonly cells: readonly number[];
  readonly uses: readonly MappedUse[];
  readonly trees: readonly MappedTree[];
  readonly locked: readonly string[];
}

export const THINGS = ['values', 'sorted sets', 'lists', 'vectors'] as const;
export type Thing = (typeof THINGS)[number];

export interface ListedKey {
  readonly id: string;
  readonly label: string;
  /** The beginning of its value. */
  readonly about: string;
}

export interface ListedKeys {
  readonly items: readonly ListedKey[];
  readonly hasMore: boolean;
}

export interface ViewedKey {
  readonly label: string;
  readonly value?: {
    readonly type: string;
    /** Bytes. */
    readonly size: number;
    readonly base64: string;
    /** There is more than is shown. */
    readonly isCut: boolean;
  };
  /** Seconds. */
  readonly ttl?: number | undefined;
  readonly vector?: readonly number[] | undefined;
  readonly count?: number;
  readonly elements?: readonly string[];
  readonly members?: readonly { readonly member: string; readonly score: string }[];
}

export interface Timeline {
  readonly now: number;
  readonly barMs: number;
  readonly bars: readonly number[];
  readonly expired: number;
  readonly later: number;
}

/** A part of a query; without documents when no document has it. */
export interface QueryTerm {
  readonly kind: 'term' | 'phrase' | 'prefix';
  readonly text: string;
  readonly documents?: number;
  readonly idf?: number;
}

export interface ExplainedHit {
  readonly key: string;
  readonly score: number;
  /** In terms. */
  readonly length: number;
  /** As the terms of the query; their sum is the score. */
  readonly parts: readonly ({ readonly frequency: number; readonly score: number } | null)[];
  /** Matching words between the characters 2 and 3. */
  readonly snippet: string;
}

export interface TextAnswer {
  readonly tookMs: number;
  readonly terms: readonly QueryTerm[];
  readonly hits: readonly ExplainedHit[];
  readonly documents: number;
  readonly averageLength: number;
  readonly k1: number;
  readonly b: number;
}

export interface VectorAnswer {
  readonly tookMs: number;
  readonly metric: Metric;
  readonly dimension: number;
  readonly hits: readonly VectorHit<string>[];
}

export interface HybridAnswer {
  readonly tookMs: number;
  readonly k: number;
  readonly textWeight: number;
  readonly vectorWeight: number;
  readonly terms: readonly string[];
  readonly hits: readonly HybridHit[];
}

/** Microseconds; zeros when nothing happened. */
export interface Reading {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export const OPERATIONS = ['get', 'scan', 'text search', 'vector search', 'snapshot'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Live {
  readonly at: number;
  readonly txnId: string;
  readonly cache: DatabaseStats['cache'];
  readonly pageCount: number;
  readonly livePages: number;
  readonly fileSize: number;
  readonly latencies: Readonly<Record<Operation, Reading>>;
}
