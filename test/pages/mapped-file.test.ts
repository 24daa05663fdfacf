/**
 * A mapped file reads as the file does, however it grows; and a database is read through one.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MappedFile } from '../../dist/shared/pages/mapped-file.js';
import { NodeStorage } from '../../dist/shared/pages/node-storage.js';
import { openHere, temporaryDirectory, temporaryPath } from '../api/support.js';

const SIZES = { windowBytes: 65536, growthBytesMin: 8192 };

const step = fc.oneof(
  fc.record({ kind: fc.constant('grow' as const), length: fc.integer({ min: 1, max: 50_000 }) }),
  fc.record({
    kind: fc.constant('read' as const),
    offset: fc.integer({ min: 0, max: 200_000 }),
    length: fc.integer({ min: 1, max: 20_000 }),
  }),
);

test('a mapped file reads as the file does while it grows', () => {
  const storage = new NodeStorage();
  const directory = temporaryDirectory();
  let files = 0;
  let mapped = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const path = join(directory, `${files++}`);
      writeFileSync(path, '');
      const file = storage.open(path, 'read');
      const map = (offset: number, length: number) => {
        mapped++;
        return storage.map(file, offset, length);
      };
      const subject = new MappedFile(file, map, SIZES);
      let next = 0;
      for (const it of steps) {
        if (it.kind === 'grow') {
          appendFileSync(path, Buffer.from(Array.from({ length: it.length }, () => next++ % 251)));
          continue;
        }
        const [expected, found] = [Buffer.alloc(it.length), Buffer.alloc(it.length)];
        const count = file.read(expected, 0, it.length, it.offset);
        expect(subject.read(found, 0, it.length, it.offset)).toBe(count);
        expect(found.equals(expected)).toBe(true);
      }
      subject.close();
    }),
    { numRuns: 60 },
  );
  expect(mapped).toBeGreaterThan(0);
});

test('what cannot be mapped is read', () => {
  const storage = new NodeStorage();
  const path = temporaryPath();
  writeFileSync(path, 'here');
  const file = storage.open(path, 'read');
  let asked = 0;
  const map = (): undefined => {
    asked++;
  };
  const subject = new MappedFile(file, map, SIZES);
  const found = Buffer.alloc(4);
  for (let count = 0; count < 3; count++) expect(subject.read(found, 0, 4, 0)).toBe(4);
  expect(found.toString()).toBe('here');
  expect(asked).toBe(1);
  subject.close();
});

test('a database is read through a mapping while another handle writes', () => {
  const path = join(dirname(temporaryPath()), 'mapped.mneme');
  const writer = openHere(path, { sync: 'none' });
  const keyspace = writer.keyspace('a');
  keyspace.set('long', 'x'.repeat(3_000_000));
  writer.sync();
  const reader = openHere(path, { readonly: true, mmap: true, cacheSize: 2 ** 20 });
  const seen = reader.keyspace('a');
  for (let round = 0; round < 20; round++) {
    keyspace.batch((batch) => {
      for (let key = 0; key < 2000; key++) batch.set(`${key}`, `${round} ${key}`.repeat(10));
    });
    writer.sync();
    expect([...seen.range({ prefix: '1' })]).toStrictEqual([...keyspace.range({ prefix: '1' })]);
    expect(seen.get('long')).toHaveLength(3_000_000);
  }
  expect(reader.verify()).toMatchObject({ ok: true, problems: [] });
});
