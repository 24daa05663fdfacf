/**
 * Who is told of a check's progress may do what anybody may: write, as much as it likes, and throw.
 */
import { type Database, type Keyspace, MnemeError } from 'mneme';
import { expect, test } from 'vitest';
import { openHere, temporaryPath, thrownBy } from './support.js';

const KEYS = 60_000;

/** A database with more pages than its cache has frames, and than a commit frees when they drop. */
function largerThanItsCache(): Database {
  const database = openHere(temporaryPath(), { cacheSize: 2 ** 20, sync: 'none' });
  rewrite(database.keyspace('a'), 'old');
  database.sync();
  return database;
}

function rewrite(keyspace: Keyspace, value: string): void {
  keyspace.batch((batch) => {
    for (let key = 0; key < KEYS; key++) batch.set(`${key}`, value.repeat(30));
  });
}

test('who is told of progress may write more than the cache holds', () => {
  const database = largerThanItsCache();
  let told = 0;
  const onProgress = () => {
    if (told++ === 1) rewrite(database.keyspace('a'), 'new');
  };
  expect(database.verify({ onProgress })).toMatchObject({ ok: true, problems: [] });
  expect(told).toBeGreaterThan(2);
  expect(database.keyspace('a').get('7')).toBe('new'.repeat(30));
  expect(database.verify().ok).toBe(true);
});

test('what a callback throws is thrown, and nothing that was found', () => {
  const database = largerThanItsCache();
  // Most pages hang below a record of the catalog now, and are met while a leaf of it is read.
  database.dropKeyspace('a');
  const failures = [
    new MnemeError('ERR_MNEME_CORRUPT', {}),
    Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' }),
  ];
  for (const failure of failures) {
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      if (done > 0 && done < total) throw failure;
    };
    expect(thrownBy(() => database.verify({ onProgress }))).toBe(failure);
  }
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});
