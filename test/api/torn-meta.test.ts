/**
 * What a crash has left of a meta page, and metas that begin with the same bytes as one before:
 * whoever has the file open tells them apart, readers and writers alike.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { META_AREA_BYTES } from '../../dist/shared/limits.js';
import { MetaWatch } from '../../dist/shared/pages/meta-watch.js';
import { NodeStorage } from '../../dist/shared/pages/node-storage.js';
import { openHere, temporaryPath } from './support.js';

const TXN_OFFSET = 54;
const LENGTH_OFFSET = 12;
const READS_BEFORE_MAPPING = 1000;

const txnIdAt = (bytes: Buffer, slot: number) =>
  bytes.readUIntLE(slot * META_AREA_BYTES + TXN_OFFSET, 6);

/** The slot with the later transaction. */
const newerSlot = (bytes: Buffer) => (txnIdAt(bytes, 1) > txnIdAt(bytes, 0) ? 1 : 0);

/** A file whose last commit, of 'new' in place of 'old', lacks the end of its meta. */
function tornFile() {
  const path = temporaryPath();
  const database = openHere(path);
  const keyspace = database.keyspace('a');
  for (let index = 0; index < 100; index++) keyspace.set(`key ${index}`, 'old');
  keyspace.set('key', 'new');
  const whole = readFileSync(path);
  const start = newerSlot(whole) * META_AREA_BYTES;
  const end = start + whole.readUInt32LE(start + LENGTH_OFFSET);
  const torn = Buffer.from(whole).fill(0, end - 8, end);
  const copy = temporaryPath();
  writeFileSync(copy, torn);
  const complete = () => {
    const file = openSync(copy, 'r+');
    writeSync(file, whole, end - 8, 8, end - 8);
    closeSync(file);
  };
  return { path: copy, complete };
}

test.each([0, READS_BEFORE_MAPPING])('a meta that is completed after %i reads is seen', (reads) => {
  const { path, complete } = tornFile();
  const keyspace = openHere(path, { readonly: true }).keyspace('a');
  for (let read = 0; read < reads; read++) expect(keyspace.get('key 1')).toBe('old');
  expect(keyspace.get('key')).toBeUndefined();
  expect(keyspace.get('key')).toBeUndefined();
  complete();
  expect(keyspace.get('key')).toBe('new');
});

test('a torn slot is known once it has been accepted, until it changes', () => {
  const { path, complete } = tornFile();
  const storage = new NodeStorage();
  const file = storage.open(path, 'read');
  const watch = new MetaWatch(file, (length) => storage.map(file, 0, length));
  const bytes = readFileSync(path);
  const slot = newerSlot(bytes);
  const start = slot * META_AREA_BYTES;
  expect(watch.hasMoved()).toBe(true);
  const length = bytes.readUInt32LE(start + LENGTH_OFFSET);
  watch.accept([{ slot, bytes: bytes.subarray(start, start + length) }]);
  for (let look = 0; look < 2 * READS_BEFORE_MAPPING; look++) expect(watch.hasMoved()).toBe(false);
  watch.accept();
  complete();
  expect(watch.hasMoved()).toBe(true);
  watch.accept();
  expect(watch.hasMoved()).toBe(false);
  file.close();
});

test('a commit in the place of a torn one is not lost by a writer that saw the torn one', () => {
  const { path } = tornFile();
  const [first, second] = [openHere(path), openHere(path)];
  first.batch(() => undefined); // its turn, in which it writes nothing
  second.keyspace('a').set('key', 'new'); // and so the same meta, but whole
  first.keyspace('a').set('another', 'later');
  for (const database of [first, second, openHere(path, { readonly: true })]) {
    const keyspace = database.keyspace('a');
    expect([keyspace.get('key'), keyspace.get('another')]).toStrictEqual(['new', 'later']);
  }
});

test('what one opening has synced is not overwritten by another that saw it before', () => {
  const path = temporaryPath();
  const [first, second] = [openHere(path, { sync: 'none' }), openHere(path)];
  const keyspace = first.keyspace('a');
  keyspace.set('key', 'old');
  first.sync();
  keyspace.set('key', 'synced');
  second.batch(() => undefined); // its turn: what the first has is in the file, and not durable
  first.sync();
  second.keyspace('a').set('another', 'later');
  const bytes = readFileSync(path);
  expect(Math.abs(txnIdAt(bytes, 0) - txnIdAt(bytes, 1))).toBe(1);
  // A power cut in the middle of the last commit.
  const start = newerSlot(bytes) * META_AREA_BYTES;
  const cut = temporaryPath();
  writeFileSync(cut, bytes.fill(0, start + 512, start + 4096));
  expect(openHere(cut).keyspace('a').get('key')).toBe('synced');
});
