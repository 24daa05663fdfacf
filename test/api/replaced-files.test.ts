/**
 * What becomes of an open database when something else happens to its file, and what is no file.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, truncateSync, unlinkSync } from 'node:fs';
import { open } from 'mneme';
import { expect, test } from 'vitest';
import { expectCode, openHere, temporaryPath } from './support.js';

/** A database that is not in the way of the one at `path`, to be put in its place. */
function otherFile(path: string): string {
  const elsewhere = `${path}.other`;
  const database = openHere(elsewhere, { pageSize: 8192 });
  database.keyspace('a').set('key', 'of another file');
  database.close();
  return elsewhere;
}

for (const hasWritten of [true, false]) {
  const when = hasWritten ? 'after its first write' : 'before its first write';
  test(`a file renamed over ${when} is not written any more, and still read`, () => {
    const path = temporaryPath();
    const made = openHere(path);
    made.keyspace('a').set('key', 'mine');
    made.close();
    const database = openHere(path);
    const keyspace = database.keyspace('a');
    if (hasWritten) keyspace.set('key', 'mine');
    for (let look = 0; look < 500; look++) keyspace.get('key');
    const replacement = otherFile(path);
    const content = readFileSync(replacement);
    renameSync(replacement, path);
    expectCode('ERR_MNEME_IO', () => keyspace.set('key', 'new'));
    expectCode('ERR_MNEME_IO', () => keyspace.batch((writer) => writer.set('key', 'new')));
    for (let look = 0; look < 1500; look++) expect(keyspace.get('key')).toBe('mine');
    expect(keyspace.range().toArray()).toStrictEqual([['key', 'mine']]);
    expect(database.snapshot().keyspace('a').count()).toBe(1);
    database.close();
    expect(Buffer.compare(readFileSync(path), content)).toBe(0);
    expect(openHere(path).keyspace('a').get('key')).toBe('of another file');
  });

  test(`a file unlinked ${when} goes on, or says why not`, () => {
    const path = temporaryPath();
    const made = openHere(path);
    made.keyspace('a').set('key', 1);
    made.close();
    const database = openHere(path);
    const keyspace = database.keyspace('a');
    if (hasWritten) keyspace.set('key', 1);
    unlinkSync(path);
    expect(keyspace.get('key')).toBe(1);
    expect(keyspace.range().toArray()).toStrictEqual([['key', 1]]);
    if (hasWritten) {
      keyspace.set('key', 2);
      expect(keyspace.get('key')).toBe(2);
    } else expectCode('ERR_MNEME_IO', () => keyspace.set('key', 2));
    database.close();
    expect(existsSync(path)).toBe(false);
    expect(openHere(path).keyspaces()).toStrictEqual([]);
  });
}

test('a file that is cut short is damage, never a crash', () => {
  const path = temporaryPath();
  const one = openHere(path);
  const other = openHere(path);
  one.keyspace('a').set('key', 'x'.repeat(1000));
  one.close();
  truncateSync(path, 128 * 1024);
  expectCode('ERR_MNEME_CORRUPT', () => other.keyspace('a').get('key'));
});

test('what is no plain file is no database, and nobody waits for it', () => {
  const path = temporaryPath();
  mkdirSync(path);
  for (const place of [path, '/dev/null', '/dev/zero', '/dev/tty']) {
    if (!existsSync(place)) continue;
    for (const options of [{}, { readonly: true }, { create: false }, { lock: false }]) {
      expectCode('ERR_MNEME_NOT_A_DATABASE', () => open(place, options));
    }
  }
});
