/**
 * A keyspace while a transaction works with it.
 */
import type { KeyspaceRecord } from '../../shared/keyspaces/catalog.js';

/** A keyspace as the open transaction sees it. `exists` is false until something is written. */
export interface OpenKeyspace {
  readonly key: Uint8Array;
  record: KeyspaceRecord;
  exists: boolean;
  changed: boolean;
}

/** A copy whose roots stay as they are while the transaction goes on. */
export function copyKeyspace(keyspace: OpenKeyspace): OpenKeyspace {
  const { record } = keyspace;
  const copy = { ...record, values: { ...record.values }, expiry: { ...record.expiry } };
  return { ...keyspace, record: copy };
}
