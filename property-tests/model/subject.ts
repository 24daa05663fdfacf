/**
 * The part of the contract that model and database have in common, so that one step can be done to
 * either. What the contract leaves open within bounds is `unknown` here: see tolerance.ts.
 */
import type { Key, Keyspace, KeyspaceOptions, KeyspaceWriter, RangeOptions, Value } from 'mneme';

type ExactCalls =
  | 'name'
  | 'get'
  | 'getMany'
  | 'exists'
  | 'typeOf'
  | 'count'
  | 'set'
  | 'setBytes'
  | 'setInteger'
  | 'setFloat'
  | 'del'
  | 'delRange'
  | 'incr'
  | 'decr'
  | 'persist'
  | 'expire';

export interface SubjectIterator<T> extends IterableIterator<T> {
  return(value?: unknown): IteratorResult<T>;
  map<U>(fn: (item: T) => U): SubjectIterator<U>;
  filter(fn: (item: T) => boolean): SubjectIterator<T>;
  take(count: number): SubjectIterator<T>;
  drop(count: number): SubjectIterator<T>;
  toArray(): T[];
}

export interface SubjectKeyspace extends Pick<Keyspace<Key>, ExactCalls> {
  range(start?: Key, end?: Key): SubjectIterator<[Key, Value]>;
  range(options: RangeOptions): SubjectIterator<[Key, Value]>;
  ttl(key: Key): unknown;
  stats(): unknown;
  purgeExpired(): unknown;
  batch(fn: (writer: KeyspaceWriter) => unknown): unknown;
}

export interface SubjectTransaction {
  keyspace(name: string, options?: KeyspaceOptions): SubjectKeyspace;
  dropKeyspace(name: string): unknown;
}

export interface SubjectDatabase {
  readonly isOpen: boolean;
  keyspace(name: string, options?: KeyspaceOptions): SubjectKeyspace;
  keyspaces(): unknown;
  dropKeyspace(name: string): unknown;
  batch(fn: (transaction: SubjectTransaction) => unknown): unknown;
  purgeExpired(): unknown;
  sync(): void;
  close(): void;
}
