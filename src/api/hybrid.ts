/**
 * Hybrid search: one list of what a text search and a vector search find in the same state, by
 * reciprocal rank fusion (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms
 * Condorcet and individual rank learning methods", 2009).
 */
import { compareBytes } from '../shared/bytes/compare.js';
import { METRICS, type Metric } from '../shared/bytes/vector-codes.js';
import { invalidType, outOfRange } from '../shared/errors.js';
import type { Core } from './core.js';
import { FtKeyspace } from './fulltext.js';
import type { Key } from './keys.js';
import { Keyspace } from './keyspace.js';
import { Snapshot } from './snapshot.js';

const K_DEFAULT = 60;
const DEPTH_DEFAULT = 100;
const TOP_K_DEFAULT = 10;

export interface HybridQuery {
  text: { keyspace: FtKeyspace; query: string; weight?: number };
  vector: { keyspace: Keyspace; query: ArrayLike<number>; metric?: Metric; weight?: number };
  /** Hits to return. Default 10. */
  topK?: number;
  /** How much of either list counts. Default 100. */
  depth?: number;
  /** How little the very first ranks stand out. Default 60. */
  k?: number;
  /** Only keys with this prefix, applied before ranking. */
  filter?: Key;
}

/** What was found by either search; ranks from 1, scores as the searches give them. */
export interface HybridHit {
  key: string;
  /** Sum of `weight / (k + rank)`. */
  score: number;
  textRank?: number;
  vectorRank?: number;
  textScore?: number;
  vectorScore?: number;
}

/** A query once it is checked. */
interface CheckedQuery {
  readonly textWeight: number;
  readonly vectorWeight: number;
  readonly metric: Metric;
  readonly topK: number;
  readonly depth: number;
  readonly k: number;
  readonly filter: { filter?: Key };
}

/** @throws {TypeError | RangeError} and whatever either search throws. */
export function hybridSearch(core: Core, query: HybridQuery): HybridHit[] {
  core.assertOpen();
  const keyspace = query?.text?.keyspace?.name ?? '';
  return core.events.search('hybrid', keyspace, () => fuse(core, query));
}

function fuse(core: Core, query: HybridQuery): HybridHit[] {
  const { textWeight, vectorWeight, metric, topK, depth, k, filter } = checkQuery(core, query);
  const [textHits, vectorHits] = inOneState(core, query, (text, vector) => [
    text.search(query.text.query, { topK: depth, ...filter }),
    vector.vsearch(query.vector.query, { topK: depth, metric, ...filter }),
  ]);
  const hits = new Map<string, HybridHit>();
  textHits.forEach(({ key, score: textScore }, index) => {
    const textRank = index + 1;
    hits.set(key, { key, score: textWeight / (k + textRank), textRank, textScore });
  });
  vectorHits.forEach(({ key, score: vectorScore }, index) => {
    const vectorRank = index + 1;
    const other = hits.get(key);
    const score = (other?.score ?? 0) + vectorWeight / (k + vectorRank);
    hits.set(key, { key, ...other, score, vectorRank, vectorScore });
  });
  const order = [...hits.values()].map((hit) => ({ hit, id: Buffer.from(hit.key) }));
  order.sort((a, b) => b.hit.score - a.hit.score || compareBytes(a.id, b.id));
  return order.slice(0, topK).map(({ hit }) => hit);
}

function checkQuery(core: Core, query: HybridQuery): CheckedQuery {
  if (typeof query !== 'object' || query === null) throw invalidType('query', 'an object', query);
  const { text, vector, topK = TOP_K_DEFAULT, depth = DEPTH_DEFAULT, k = K_DEFAULT } = query;
  if (!(text?.keyspace instanceof FtKeyspace) || text.keyspace.origin.core !== core) {
    throw invalidType('text.keyspace', 'a full-text keyspace of this database', text?.keyspace);
  }
  if (!(vector?.keyspace instanceof Keyspace) || vector.keyspace.origin.core !== core) {
    throw invalidType('vector.keyspace', 'a keyspace of this database', vector?.keyspace);
  }
  if (vector.keyspace.origin.keys !== 'text') {
    throw invalidType('vector.keyspace', 'a keyspace of text keys, as ids are', vector.keyspace);
  }
  const { weight: textWeight = 1 } = text;
  const { weight: vectorWeight = 1, metric = 'cosine' } = vector;
  if (!METRICS.includes(metric)) throw invalidType('metric', "'cosine', 'dot' or 'l2'", metric);
  const weights = { 'text.weight': textWeight, 'vector.weight': vectorWeight, k };
  for (const [name, value] of Object.entries(weights)) {
    if (typeof value !== 'number') throw invalidType(name, 'a number', value);
    if (!(value >= 0 && value < Infinity)) throw outOfRange(name, 'a number of at least 0', value);
  }
  for (const [name, value] of Object.entries({ topK, depth })) {
    if (typeof value !== 'number') throw invalidType(name, 'a number', value);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw outOfRange(name, 'a whole number of at least 0', value);
    }
  }
  const filter = query.filter === undefined ? {} : { filter: query.filter };
  return { textWeight, vectorWeight, metric, topK, depth, k, filter };
}

/** Inside a batch nothing moves; else both searches see one snapshot. */
function inOneState<T>(
  core: Core,
  { text, vector }: HybridQuery,
  search: (text: FtKeyspace, vector: Keyspace) => T,
): T {
  if (core.transactions.isActive) return search(text.keyspace, vector.keyspace);
  const snapshot = new Snapshot(core);
  try {
    return search(textSeenBy(snapshot, text.keyspace), vectorsSeenBy(snapshot, vector.keyspace));
  } finally {
    snapshot.close();
  }
}

/** The same keyspace in a snapshot, unless the handle is one of a snapshot already. */
function textSeenBy(snapshot: Snapshot, keyspace: FtKeyspace): FtKeyspace {
  const { options, view } = keyspace.origin;
  return view === undefined ? snapshot.ftKeyspace(keyspace.name, options) : keyspace;
}

function vectorsSeenBy(snapshot: Snapshot, keyspace: Keyspace): Keyspace {
  const { view } = keyspace.origin;
  return view === undefined ? (snapshot.keyspace(keyspace.name) as Keyspace) : keyspace;
}
