/**
 * A keyspace while a transaction works with it.
 */
import { copyRecord, type KeyspaceRecord } from '../../shared/keyspaces/catalog.js';

/** A keyspace as the open transaction sees it. `exists` is false until something is written. */
export interface OpenKeyspace {
  readonly key: Uint8Array;
  record: KeyspaceRecord;
  exists: boolean;
  changed: boolean;
}

/** A copy whose roots stay as they are while the transaction goes on. */
export function copyKeyspace(keyspace: OpenKeyspace): OpenKeyspace {
  return { ...keyspace, record: copyRecord(keyspace.record) };
}
