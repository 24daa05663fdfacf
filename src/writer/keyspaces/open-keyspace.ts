/**
 * A keyspace while a transaction works with it.
 */
import { copyRecord, type KeyspaceRecord } from '../../shared/keyspaces/catalog.js';
import type { PageSource } from '../../shared/pages/page-source.js';

/** A keyspace as the open transaction sees it. `exists` is false until something is written. */
export interface OpenKeyspace {
  /** Of its record in the catalog. */
  readonly key: Uint8Array;
  /** Where its pages come from. */
  readonly source: PageSource;
  record: KeyspaceRecord;
  exists: boolean;
  changed: boolean;
}

/** A copy whose roots stay as they are while the transaction goes on. */
export function copyKeyspace(keyspace: OpenKeyspace): OpenKeyspace {
  return { ...keyspace, record: copyRecord(keyspace.record) };
}
