/**
 * Only compiled, never run, by types.test.ts: `@ts-expect-error` is where the types must refuse.
 */
import {
  type Database,
  type Key,
  type Keyspace,
  type KeyspaceWriter,
  MnemeError,
  type MnemeErrorCode,
  open,
  type RangeIterator,
  type Sync,
  type Transaction,
  type Value,
  type ValueType,
} from 'mneme';

type IsSame<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

function expectSame<Left, Right>(isSame: IsSame<Left, Right>): void {
  isSame satisfies boolean;
}

export function batches(database: Database, keyspace: Keyspace): void {
  const number = database.batch(() => 5);
  expectSame<typeof number, number>(true);
  const nothing = keyspace.batch((writer: KeyspaceWriter) => writer.set('key', 1));
  expectSame<typeof nothing, void>(true);
  // @ts-expect-error An async callback is no batch.
  database.batch(async () => 5);
  // @ts-expect-error Nor is one that returns a promise.
  database.batch(() => Promise.resolve(5));
  // @ts-expect-error Nor is an async one of a keyspace.
  keyspace.batch(async (writer) => writer.set('key', 1));
  database.batch((transaction: Transaction) => {
    transaction.keyspace('a').set('key', 1);
    // @ts-expect-error A transaction cannot be closed by its callback.
    transaction.close();
  });
  keyspace.batch((writer) => {
    // @ts-expect-error A keyspace's batch writes and does not read.
    writer.get('key');
  });
  expectSame<Sync<number>, number>(true);
  expectSame<Sync<Promise<number>>, never>(true);
}

export function keyspaces(database: Database): void {
  const text = database.keyspace('text');
  const bytes = database.keyspace('bytes', { keys: 'bytes' });
  const alsoText = database.keyspace('text', { keys: 'text', integers: 'bigint' });
  expectSame<typeof text, Keyspace<string>>(true);
  expectSame<typeof alsoText, Keyspace<string>>(true);
  expectSame<typeof bytes, Keyspace<Uint8Array>>(true);
  const range = bytes.range();
  expectSame<typeof range, RangeIterator<[Uint8Array, Value]>>(true);
  for (const [key, value] of text.range({ prefix: 'a', reverse: true })) {
    expectSame<typeof key, string>(true);
    expectSame<typeof value, Value>(true);
  }
  const mapped = text
    .range()
    .map(([key]) => key.length)
    .take(2)
    .toArray();
  expectSame<typeof mapped, number[]>(true);
  text.get(Uint8Array.of(1));
  // @ts-expect-error An unknown integer mode.
  database.keyspace('a', { integers: 'float' });
  // @ts-expect-error A number is no key.
  text.get(5);
  // @ts-expect-error A boolean is no value.
  text.set('key', true);
  // @ts-expect-error null is no value.
  text.set('key', null);
  // @ts-expect-error Text is no integer.
  text.setInteger('key', '5');
  // @ts-expect-error A bigint is no float.
  text.setFloat('key', 5n);
  // @ts-expect-error delRange has no limit.
  text.delRange({ limit: 5 });
}

export function results(keyspace: Keyspace): void {
  const value = keyspace.get('key');
  expectSame<typeof value, Value | undefined>(true);
  const type = keyspace.typeOf('key');
  expectSame<typeof type, ValueType | undefined>(true);
  const counted = keyspace.incr('key', 5n);
  expectSame<typeof counted, number | bigint>(true);
  const ttl = keyspace.ttl('key');
  expectSame<typeof ttl, number | undefined>(true);
  const many = keyspace.getMany(new Set<Key>(['key']));
  expectSame<typeof many, (Value | undefined)[]>(true);
}

export function errors(error: unknown): string | undefined {
  if (!(error instanceof MnemeError)) return undefined;
  const code: MnemeErrorCode = error.code;
  // @ts-expect-error There is no such code.
  if (code === 'ERR_MNEME_UNHEARD_OF') return undefined;
  return code;
}

export function opening(): void {
  using database = open(':memory:', { sync: 'none', pageSize: 4096, clock: () => 0 });
  open(new URL('file:///somewhere'), { readonly: true }).close();
  expectSame<typeof database, Database>(true);
  // @ts-expect-error There are two modes of sync.
  open(':memory:', { sync: 'sometimes' });
  // @ts-expect-error Whether it is open is for reading.
  database.isOpen = false;
}
