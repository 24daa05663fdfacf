/**
 * Reads that fail, one at every place of the use of a file: the call that met it says so with a
 * code, no call gives a wrong answer, and the same calls give the right ones afterwards.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, MnemeError, open } from 'mneme';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { announce, FAULT_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { writeOnThisThread } from '../damage/in-one-thread.js';
import { randomFrom } from './crash-states.js';
import { FailingReads, READ_FAULTS, type ReadFault } from './failing-reads.js';

const KEY_COUNT = 60;
const CODES = new Set(['ERR_MNEME_IO', 'ERR_MNEME_CORRUPT']);
const directory = mkdtempSync(join(tmpdir(), 'mneme-reads-'));
const path = join(directory, 'file');

beforeAll(writeOnThisThread);
afterAll(() => rmSync(directory, { recursive: true }));

const keyAt = (index: number): string => `key ${index}`.padEnd(200, '.');

function makeFile(random: () => number): Buffer {
  rmSync(path, { force: true });
  const database = open(path);
  const keyspace = database.keyspace('a');
  for (let round = 0; round < 3; round++) {
    keyspace.batch((writer) => {
      for (let index = 0; index < KEY_COUNT; index++) {
        const length = random() < 0.1 ? 6000 : Math.floor(random() * 300);
        const ttl = random() < 0.2 ? { ttl: 1e6 } : undefined;
        writer.set(keyAt(index), `${index}:`.padEnd(length, 'x'), ttl);
      }
    });
  }
  database.close();
  return readFileSync(path);
}

/** `verify` tells of what it cannot read in its report. */
function verified(database: Database): boolean {
  const { ok, problems } = database.verify();
  if (!ok) throw new MnemeError('ERR_MNEME_CORRUPT', { problems });
  return ok;
}

/** Calls whose answers do not depend on how often they are made, and what they answer. */
const CALLS: readonly ((database: Database) => unknown)[] = [
  (database) => database.keyspaces(),
  (database) => database.keyspace('a').get(keyAt(3)),
  (database) => database.keyspace('a').getMany([keyAt(1), keyAt(30), keyAt(59), keyAt(77)]),
  (database) => database.keyspace('a').count(),
  (database) =>
    database
      .keyspace('a')
      .range({ gte: keyAt(5) })
      .toArray(),
  (database) => database.keyspace('a').typeOf(keyAt(40)),
  (database) => database.keyspace('a').set(keyAt(20), 'set anew'),
  (database) => database.keyspace('a').del('missing'),
  (database) => database.keyspace('a').batch(() => database.keyspace('a').get(keyAt(50))),
  (database) => database.keyspace('a').range({ reverse: true, limit: 9 }).toArray(),
  (database) => verified(database),
];
const WRITES: ReadonlySet<number> = new Set([6, 7, 8, 10]);

/** What the calls answer; one that fails is made once more, and must answer then. */
function answers(expected: readonly unknown[] | undefined): unknown[] {
  const database = insist(() => open(path, { cacheSize: 2 ** 20 }));
  const found = CALLS.map((call, index) => {
    // A writer that has met an error may refuse until the file is opened anew.
    if (WRITES.has(index)) return attempt(() => call(database), expected?.[index]);
    return insist(() => call(database));
  });
  attempt(() => database.close(), undefined);
  return found;
}

function insist<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    expectCode(error);
    return call();
  }
}

/** What a call answers at its second try, or what is expected when it refuses. */
function attempt(call: () => unknown, expected: unknown): unknown {
  try {
    return insist(call);
  } catch (error) {
    expectCode(error);
    return expected;
  }
}

function expectCode(error: unknown): void {
  if (error instanceof MnemeError && CODES.has(error.code)) return;
  throw error;
}

function tryReads(reads: FailingReads, file: Buffer): number {
  reads.failAt(-1, 'EIO');
  writeFileSync(path, file);
  const expected = answers(undefined);
  const { count } = reads;
  for (let place = 0; place < count; place++) {
    for (const fault of READ_FAULTS) tryFault(reads, file, place, fault, expected);
  }
  return count * READ_FAULTS.length;
}

function tryFault(
  reads: FailingReads,
  file: Buffer,
  place: number,
  fault: ReadFault,
  expected: readonly unknown[],
): void {
  writeFileSync(path, file);
  reads.failAt(place, fault);
  try {
    expect(answers(expected)).toEqual(expected);
    reads.failAt(-1, 'EIO');
    const [keyspaces] = expected;
    const database = open(path);
    expect(database.keyspaces()).toEqual(keyspaces);
    expect(database.verify().problems).toEqual([]);
    database.close();
  } catch (error) {
    throw new Error(`MNEME_SEED=${SEED}, read ${place}, ${fault}`, { cause: error });
  }
}

test('a read that fails is told of, and nothing wrong is answered', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  const reads = new FailingReads();
  const random = randomFrom(SEED);
  let faults = 0;
  while (faults < FAULT_COUNTS.reads) faults += tryReads(reads, makeFile(random));
  announce('failing reads', faults);
});
