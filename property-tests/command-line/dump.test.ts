/**
 * What a dump says is loaded as it was: dump, load, dump gives the same lines, over all types.
 */
import fc from 'fast-check';
import { type Database, open } from 'mneme';
import { expect, test } from 'vitest';
import { type DumpRecord, dumpRecords, Loader } from '../../dist/cli/dump.js';
import { announce, DUMP_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((it) => it.isWellFormed());
const text = fc.oneof(name, fc.constantFrom('', '\u0000', 'long '.repeat(1000), '"\\\n'));
const float = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, Infinity, -Infinity, 2 ** 60));
const key = fc.oneof(name, fc.constantFrom('', '\u0000', '"\\\n'));
const value = fc.oneof(
  text,
  float,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 2000 }),
);
const score = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(-0, Infinity, -Infinity));
const LATER = Date.now() + 1e10;
const content = fc.record({
  values: fc.array(fc.tuple(key, value, fc.option(fc.nat(1e9))), { maxLength: 12 }),
  bytes: fc.array(fc.tuple(fc.uint8Array({ maxLength: 20 }), value), { maxLength: 6 }),
  members: fc.array(fc.tuple(name, score, key), { maxLength: 12 }),
  elements: fc.array(fc.tuple(name, value), { maxLength: 12 }),
  vectors: fc.array(
    fc.tuple(
      key,
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }),
    ),
    { maxLength: 6 },
  ),
  documents: fc.array(fc.tuple(key, text), { maxLength: 6 }),
  encrypted: fc.boolean(),
  analyzerName: fc.constantFrom('standard', 'english', 'whitespace'),
  positions: fc.boolean(),
});
type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;

function fill(database: Database, it: Content): void {
  const values = database.keyspace('values', { encrypted: it.encrypted });
  for (const [key, value, after] of it.values) {
    values.set(key, value, after === null ? {} : { expiresAt: LATER + after });
  }
  const bytes = database.keyspace('bytes', { keys: 'bytes' });
  for (const [key, value] of it.bytes) bytes.set(key, value);
  for (const [set, number, member] of it.members) values.sortedSet(set).add(number, member);
  for (const [list, value] of it.elements) values.list(list).rpush(value);
  for (const [key, numbers] of it.vectors) values.vset(key, numbers);
  const { analyzerName, positions, encrypted } = it;
  const texts = database.ftKeyspace('texts', {
    analyzerName,
    positions,
    encrypted,
    k1: 1.5,
    b: 0.1,
  });
  for (const [id, document] of it.documents) texts.put(id, document);
}

const linesOf = (database: Database) =>
  Array.from(dumpRecords(database), (it) => JSON.stringify(it));

test('dump, load, dump is the same', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  announce('dumps', DUMP_COUNTS.runs);
  const options = { encryption: { seed: new Uint8Array(32).fill(1) }, cacheSize: 2 ** 20 };
  const property = fc.property(content, (it) => {
    const [first, second] = [open(':memory:', options), open(':memory:', options)];
    try {
      fill(first, it);
      const lines = linesOf(first);
      const loader = new Loader(second);
      second.batch(() => {
        for (const line of lines) loader.load(JSON.parse(line) as DumpRecord);
      });
      expect(linesOf(second)).toEqual(lines);
      expect(second.verify()).toMatchObject({ ok: true, problems: [] });
    } finally {
      first.close();
      second.close();
    }
  });
  fc.assert(property, { seed: SEED, numRuns: DUMP_COUNTS.runs });
});
