/**
 * Others commit in the middle of a read, or of taking a snapshot: at the one moment that matters.
 */
import type { Database } from 'mneme';
import { expect, test, vi } from 'vitest';
import { openHere, temporaryPath } from './support.js';

const SMALL = { pageSize: 4096, cacheSize: 2 ** 20 } as const;
/** So many that what the first of them freed is used again. */
const COMMITS = 6;
const KEY_COUNT = 100;
const LONG = 'long '.repeat(4000);

function rewrite(database: Database, text: string): void {
  database.keyspace('a').batch((writer) => {
    for (let key = 0; key < KEY_COUNT; key++) writer.set(`${key}`, text.repeat(50));
    writer.set('long', text + LONG, { ttl: 1000 });
  });
}

function rewriteOften(database: Database): void {
  for (let commit = 1; commit <= COMMITS; commit++) rewrite(database, `later ${commit}`);
}

test('a read whose pages are used again meanwhile shows the newest state', () => {
  const path = temporaryPath();
  const writer = openHere(path, SMALL);
  rewrite(writer, 'first');
  let looks = 0;
  // It is asked for when the record was found, and before its value is read.
  const clock = (): number => {
    if (looks++ === 0) rewriteOften(writer);
    return Date.now();
  };
  const reader = openHere(path, { ...SMALL, readonly: true, clock });
  expect(reader.keyspace('a').get('long')).toBe(`later ${COMMITS}${LONG}`);
  expect(looks).toBeGreaterThan(1);
});

test('a snapshot is not of a state that moved before it was pinned', () => {
  const path = temporaryPath();
  const writer = openHere(path, SMALL);
  rewrite(writer, 'first');
  const reader = openHere(path, { ...SMALL, readonly: true });
  reader.snapshot().close(); // what locks is loaded
  const { store } = Atomics;
  const { txnId } = reader.info();
  // The pin is the first that is stored: the state was read, and nobody sees yet that it is used.
  const spy = vi.spyOn(Atomics, 'store').mockImplementationOnce((array, index, value) => {
    rewriteOften(writer);
    return Reflect.apply(store, Atomics, [array, index, value]) as never;
  });
  const snapshot = reader.snapshot();
  spy.mockRestore();
  expect(snapshot.txnId).toBe(txnId + BigInt(COMMITS));
  const values = snapshot.keyspace('a').range({ prefix: '1' }).toArray();
  expect(values).toHaveLength(11);
  for (const [, value] of values) expect(value).toBe(`later ${COMMITS}`.repeat(50));
  // From here on it stands.
  rewriteOften(writer);
  expect(snapshot.keyspace('a').get('7')).toBe(`later ${COMMITS}`.repeat(50));
});
