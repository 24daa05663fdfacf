/**
 * Everything that a sequence can do, as plain data that fast-check can shrink and print.
 */
import type { BoundsSpec, ExpirySpec, KeySpec, RangeSpec, ValueSpec } from './specs.js';

/** The keyspaces of every sequence; a step names one by its index. */
export const KEYSPACES = [
  { name: 'alpha', keys: 'text', integers: 'auto' },
  { name: 'β bytes', keys: 'bytes', integers: 'auto' },
  { name: 'gamma', keys: 'text', integers: 'bigint' },
] as const;

/** A step on one keyspace; `isFresh` asks for a new handle instead of the one held all along. */
interface OnKeyspace {
  readonly keyspace: number;
  readonly isFresh: boolean;
}

interface OnKey extends OnKeyspace {
  readonly key: KeySpec;
}

export type WriteStep =
  | (OnKey & { readonly kind: 'set'; readonly value: ValueSpec; readonly expiry: ExpirySpec })
  | (OnKey & { readonly kind: 'setBytes'; readonly value: ValueSpec })
  | (OnKey & { readonly kind: 'setInteger'; readonly value: ValueSpec })
  | (OnKey & { readonly kind: 'setFloat'; readonly value: ValueSpec })
  | (OnKey & { readonly kind: 'del' })
  | (OnKeyspace & { readonly kind: 'delRange'; readonly bounds: BoundsSpec })
  | (OnKey & { readonly kind: 'incr' | 'decr'; readonly delta: ValueSpec });

export type KeyspaceStep =
  | (OnKey & { readonly kind: 'expire'; readonly seconds: number })
  | (OnKey & { readonly kind: 'persist' })
  | (OnKeyspace & { readonly kind: 'purgeKeyspace' })
  | (OnKeyspace & FillStep)
  | (OnKeyspace & PruneStep);

/** What the keys start with, before their number. */
export interface KeyFamily {
  readonly unit: string;
  readonly repeat: number;
}

/** Sets many neighbouring keys in one batch, so that nodes split. */
interface FillStep {
  readonly kind: 'fill';
  readonly family: KeyFamily;
  readonly from: number;
  readonly count: number;
  readonly valueBytes: number;
  readonly ttl: number | undefined;
}

/** Deletes every so many of such keys, so that nodes get thin and merge. */
interface PruneStep {
  readonly kind: 'prune';
  readonly family: KeyFamily;
  readonly from: number;
  readonly count: number;
  readonly every: number;
}

export type ReadStep =
  | (OnKey & { readonly kind: 'get' | 'exists' | 'typeOf' | 'ttl' })
  | (OnKey & { readonly kind: 'getAsNumber' })
  | (OnKeyspace & { readonly kind: 'getMany'; readonly keys: readonly KeySpec[] })
  | (OnKeyspace & { readonly kind: 'count'; readonly prefix: KeySpec | undefined })
  | (OnKeyspace & { readonly kind: 'range'; readonly range: RangeSpec })
  | (OnKeyspace & RangePairStep)
  | (OnKeyspace & ChainStep)
  | (OnKeyspace & { readonly kind: 'probe'; readonly fraction: number })
  | (OnKeyspace & { readonly kind: 'stats' });

interface RangePairStep {
  readonly kind: 'rangePair';
  readonly start: KeySpec | undefined;
  readonly end: KeySpec | undefined;
}

interface ChainStep {
  readonly kind: 'chain';
  readonly range: RangeSpec;
  readonly stages: readonly Stage[];
}

export type Stage =
  | { readonly kind: 'take' | 'drop'; readonly count: number }
  | { readonly kind: 'filter' | 'map' };

export type IteratorStep =
  | (OnKeyspace & {
      readonly kind: 'openIterator';
      readonly slot: number;
      readonly range: RangeSpec;
    })
  | { readonly kind: 'advance'; readonly slot: number; readonly count: number }
  | { readonly kind: 'closeIterator'; readonly slot: number };

export type DatabaseStep =
  | { readonly kind: 'dropKeyspace'; readonly keyspace: number }
  | { readonly kind: 'keyspaces' }
  | { readonly kind: 'purgeDatabase' };

/** What may stand in a batch and outside. */
export type InnerStep =
  | WriteStep
  | KeyspaceStep
  | ReadStep
  | IteratorStep
  | DatabaseStep
  | { readonly kind: 'sync' }
  | BatchStep;

export interface BatchStep {
  readonly kind: 'batch';
  /** A keyspace's batch when given, else one of the database. */
  readonly keyspace: number | undefined;
  readonly steps: readonly InnerStep[];
  readonly ending: 'return' | 'throw' | 'promise';
}

export type Step =
  | InnerStep
  | { readonly kind: 'tick'; readonly ms: number }
  | { readonly kind: 'reopen'; readonly sync: 'full' | 'none' }
  | { readonly kind: 'verify' };
