/**
 * The public surface of MNEME.
 */

export type { CompactOptions, CompactResult } from './api/compact.js';
export {
  attach,
  Database,
  type DatabaseInfo,
  type DatabaseStats,
  open,
  type Transaction,
} from './api/database.js';
export type { SetOptions } from './api/deadline.js';
export type { EncryptionKeyInfo, RotateOptions } from './api/encryption-keys.js';
export type { FtHit, FtKeyspace, FtStats } from './api/fulltext.js';
export type { HybridHit, HybridQuery } from './api/hybrid.js';
export type { EncryptionOption } from './api/identity.js';
export type { Key } from './api/keys.js';
export type {
  Keyspace,
  KeyspaceOptions,
  KeyspaceReader,
  KeyspaceStats,
  KeyspaceWriter,
} from './api/keyspace.js';
export type { List } from './api/list.js';
export type { OpenOptions } from './api/options.js';
export type { RangeOptions } from './api/range.js';
export type { RangeIterator } from './api/range-iterator.js';
export type { SharedDatabase } from './api/share.js';
export { Snapshot } from './api/snapshot.js';
export type { SortedSet } from './api/sorted-set.js';
export type { FtOptions } from './api/text-analysis.js';
export type { FtSearchOptions } from './api/text-search-options.js';
export type { Sync } from './api/transaction.js';
export type { VectorHit, VectorSearchOptions } from './api/vector.js';
export type { Progress, VerifyReport } from './api/verify.js';
export type { IntegerMode, Value, ValueType } from './shared/bytes/value-codec.js';
export type { Metric } from './shared/bytes/vector-codes.js';
export { MnemeError, type MnemeErrorCode } from './shared/errors.js';
export type { Analyzer } from './shared/keyspaces/analyzers.js';
export type { SortedSetEntry } from './shared/keyspaces/sorted-set.js';
