/**
 * Answers of the writer that are longer than the place they come in.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'mneme';
import { expect, test } from 'vitest';
import { NODE_BYTES, partsOf, seal } from '../../property-tests/damage/sealed-file.js';
import { memory, openHere, temporaryPath } from './support.js';

test('a batch can list any number of keyspaces', () => {
  const database = memory({ sync: 'none' });
  const names = Array.from({ length: 700 }, (_, index) => `${index}`.padStart(200, '0'));
  database.batch(() => {
    for (const name of names) database.keyspace(name).set('key', 1);
    expect(database.keyspaces()).toEqual(names);
  });
  expect(database.keyspaces()).toEqual(names);
});

test('verify tells of many problems with long names', () => {
  const path = temporaryPath();
  const name = '\u0001'.repeat(250);
  const database = open(path);
  database.keyspace(name).batch((writer) => {
    for (let index = 0; index < 900; index++) writer.set(`key ${index}`.padEnd(40, '.'), 'value');
  });
  database.close();
  const file = readFileSync(path);
  const [, leaf] = partsOf(file).filter(({ kind, owner, parent }) => {
    return kind === 'node' && owner === 'values' && parent?.owner === 'values';
  });
  if (leaf === undefined) throw new Error('the tree has several leaves');
  // The first byte of all its keys: none belongs there any more.
  const prefixLength = file.readUInt16LE(leaf.start + 20);
  expect(prefixLength).toBeGreaterThan(0);
  file.writeUInt8(255, leaf.start + NODE_BYTES - prefixLength);
  seal(file, leaf);
  file.copy(file, 65536, 0, 65536);
  writeFileSync(path, file);
  const { ok, problems } = openHere(path).verify();
  expect(ok).toBe(false);
  expect(problems.length).toBeGreaterThan(30);
  expect(problems[0]).toMatchObject({ keyspace: name });
});
