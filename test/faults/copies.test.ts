/**
 * Two copies of the package in one process, as two dependencies may bring them: they share nothing
 * but the file, and agree as two processes do.
 */
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Package from 'mneme';
import { open } from 'mneme';
import { expect, test } from 'vitest';
import {
  expectCode,
  openHere,
  temporaryDirectory,
  temporaryPath,
  thrownBy,
} from '../api/support.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The package once more, as other modules. */
async function otherCopy(): Promise<typeof Package> {
  const directory = temporaryDirectory();
  cpSync(join(ROOT, 'dist'), join(directory, 'dist'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  return import(pathToFileURL(join(directory, 'dist/index.js')).href) as Promise<typeof Package>;
}

test('two copies of the package take turns, and keep what either holds', async () => {
  const copy = await otherCopy();
  expect(copy.open).not.toBe(open);
  const path = temporaryPath();
  const options = { pageSize: 4096, cacheSize: 2 ** 20, lockTimeout: 50 } as const;
  const one = openHere(path, options);
  const other = copy.open(path, options);
  for (let round = 0; round < 30; round++) {
    expect(one.keyspace('a').incr('count')).toBe(2 * round + 1);
    expect(other.keyspace('a').incr('count')).toBe(2 * round + 2);
  }
  const held = other.snapshot();
  expect(one.stats().oldestReader).toMatchObject({ pid: process.pid, txnId: held.txnId });
  for (let round = 0; round < 50; round++) {
    one.keyspace('a').batch((writer) => {
      for (let key = 0; key < 100; key++) writer.set(`${key}`, `${round}`.repeat(200));
    });
  }
  expect(held.keyspace('a').range().toArray()).toStrictEqual([['count', 60]]);
  held.close();
  one.batch(() => {
    one.keyspace('a').set('count', 'mine');
    const error = thrownBy(() => other.keyspace('a').set('count', 'other'));
    expect(error).toBeInstanceOf(copy.MnemeError);
    expect(error).toMatchObject({ code: 'ERR_MNEME_LOCKED', details: { pid: process.pid } });
  });
  other.batch(() => {
    expectCode('ERR_MNEME_LOCKED', () => one.keyspace('a').set('count', 'mine'));
  });
  expect(other.keyspace('a').get('count')).toBe('mine');
  expect(other.verify()).toMatchObject({ ok: true, problems: [] });
  other.close();
  one.keyspace('a').set('count', 'last');
  one.close();
  expect(openHere(path).keyspace('a').get('count')).toBe('last');
});
