/**
 * A power cut that took one page of the last commit: its meta stands in the file, newer than any
 * other, and is no state. Nobody may read it, before a writer has replaced it and after.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openHere, temporaryPath } from './support.js';

const PAGE_BYTES = 4096;

/** A file whose last commit, of 'new' in place of 'old', lacks its leaf. */
function fileWithLostPage(): string {
  const path = temporaryPath();
  const database = openHere(path, { pageSize: PAGE_BYTES });
  const keyspace = database.keyspace('a');
  for (let index = 0; index < 100; index++) keyspace.set(`key ${index}`, 'x'.repeat(100));
  keyspace.set('key 5', 'old');
  const before = readFileSync(path);
  keyspace.set('key 5', 'a new value');
  const after = readFileSync(path);
  const lost = after.indexOf('a new value');
  expect(lost).toBeGreaterThan(0);
  const page = lost - (lost % PAGE_BYTES);
  before.copy(after, page, page, page + PAGE_BYTES);
  const copy = temporaryPath();
  writeFileSync(copy, after);
  return copy;
}

test.each([
  { readonly: true },
  {},
])('who opens the file with %o reads the state before', (options) => {
  const database = openHere(fileWithLostPage(), options);
  const keyspace = database.keyspace('a');
  expect(keyspace.get('key 5')).toBe('old');
  expect(keyspace.count()).toBe(100);
  expect(database.snapshot().keyspace('a').get('key 5')).toBe('old');
  expect(database.verify().ok).toBe(true);
});

test('a writer replaces it, and who had the file open sees what is written then', () => {
  const path = fileWithLostPage();
  const reader = openHere(path, { readonly: true }).keyspace('a');
  expect(reader.get('key 5')).toBe('old');
  const writer = openHere(path).keyspace('a');
  writer.set('key 6', 'after');
  expect(reader.get('key 6')).toBe('after');
  expect(reader.get('key 5')).toBe('old');
  writer.set('key 5', 'newer');
  expect(reader.get('key 5')).toBe('newer');
  expect(openHere(path).keyspace('a').get('key 5')).toBe('newer');
});
