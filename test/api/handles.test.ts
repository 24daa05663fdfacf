/**
 * Several openings of one file in one process: they write in turns and see each other's commits.
 */
import { closeSync, openSync, readFileSync, symlinkSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { attach, type Database, type KeyspaceWriter, MnemeError, type OpenOptions } from 'mneme';
import { expect, onTestFinished, test } from 'vitest';
import { expectCode, openHere, temporaryPath } from './support.js';

/** Long enough for any machine. */
const DEADLINE_MS = 30_000;

interface Pair {
  readonly path: string;
  readonly one: Database;
  readonly other: Database;
}

function pair(options: OpenOptions = {}): Pair {
  const path = temporaryPath();
  const one = openHere(path, { cacheSize: 2 ** 20, ...options });
  const other = openHere(path, { cacheSize: 2 ** 20, ...options });
  return { path, one, other };
}

function expectSound(...databases: Database[]): void {
  for (const database of databases) {
    expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  }
}

/** Looks until it holds: for what is written behind. */
async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) expect.fail('it never came to hold');
    await wait(1);
  }
}

test("a write of one handle is seen by the other's next call", () => {
  const { one, other } = pair();
  const [mine, theirs] = [one.keyspace('a'), other.keyspace('a')];
  expect(theirs.get('key')).toBeUndefined();
  for (let round = 0; round < 100; round++) {
    const [writer, reader] = round % 2 === 0 ? [mine, theirs] : [theirs, mine];
    writer.set('key', round);
    expect(reader.get('key')).toBe(round);
    writer.set(`key ${round}`, round);
    expect(reader.count('key ')).toBe(round + 1);
    expect(reader.range('key ', 'key!').toArray()).toHaveLength(round + 1);
    expect(reader.incr('counter', 0)).toBe(round);
    expect(reader.incr('counter')).toBe(round + 1);
    expect(writer.get('counter')).toBe(round + 1);
    writer.del('counter');
    writer.set('counter', round + 1);
    expect(one.info().txnId).toBe(other.info().txnId);
  }
  expectSound(one, other);
});

test('keyspaces come and go for both', () => {
  const { one, other } = pair();
  const [mine, theirs] = [one.keyspace('a'), other.keyspace('a')];
  mine.set('key', 1);
  expect(other.keyspaces()).toStrictEqual(['a']);
  expect(theirs.get('key')).toBe(1);
  expect(other.dropKeyspace('a')).toBe(true);
  expect(one.keyspaces()).toStrictEqual([]);
  expect(mine.get('key')).toBeUndefined();
  expect(one.dropKeyspace('a')).toBe(false);
  one.keyspace('a', { keys: 'bytes' }).set(Uint8Array.of(1), 2);
  expectCode('ERR_MNEME_TYPE_MISMATCH', () => theirs.get('key'));
  expectCode('ERR_MNEME_TYPE_MISMATCH', () => theirs.set('key', 1));
  expect(other.dropKeyspace('a')).toBe(true);
  theirs.set('key', 3);
  expect(mine.range().toArray()).toStrictEqual([['key', 3]]);
  expectSound(one, other);
});

test('batches go by turns and begin with the newest state', () => {
  const { one, other } = pair();
  for (let round = 0; round < 60; round++) {
    const database = round % 3 === 0 ? one : other;
    database.batch((transaction) => {
      const keyspace = transaction.keyspace('a');
      expect(keyspace.get('rounds') ?? 0).toBe(round);
      expect(keyspace.range().toArray()).toHaveLength(round === 0 ? 0 : round + 1);
      keyspace.set('rounds', round + 1);
      keyspace.set(`round ${round}`, 'x'.repeat(round * 50));
    });
  }
  expect(one.keyspace('a').count()).toBe(61);
  expectSound(one, other);
});

test('the first batch of a handle shows what others did since it was opened', () => {
  const { one, other } = pair();
  const keyspace = one.keyspace('a');
  for (let round = 0; round < 20; round++) keyspace.set('key', round);
  other.batch(() => {
    const snapshot = other.snapshot();
    expect(snapshot.txnId).toBe(one.info().txnId);
    expect(snapshot.keyspace('a').get('key')).toBe(19);
    snapshot.close();
    expect(other.info().txnId).toBe(one.info().txnId);
  });
  expect(other.keyspace('a').get('key')).toBe(19);
});

test('a rolled back batch of one is not seen by the other', () => {
  const { one, other } = pair();
  one.keyspace('a').set('key', 1);
  const run = (): never =>
    one.batch((transaction) => {
      transaction.keyspace('a').set('key', 2);
      expect(other.keyspace('a').get('key')).toBe(1);
      throw new Error('undone');
    });
  expect(run).toThrow('undone');
  expect(other.keyspace('a').get('key')).toBe(1);
  other.keyspace('a').set('key', 3);
  expect(one.keyspace('a').get('key')).toBe(3);
  expectSound(one, other);
});

test("while one handle's batch runs the other reads, and its writes are ERR_MNEME_LOCKED", () => {
  const { one, other } = pair({ lockTimeout: 20 });
  const [mine, theirs] = [one.keyspace('a'), other.keyspace('a')];
  mine.set('key', 1);
  one.batch(() => {
    mine.set('key', 2);
    const writes: (() => unknown)[] = [
      () => theirs.set('key', 3),
      () => theirs.incr('key'),
      () => other.batch(() => expect.fail('it has no turn')),
      () => theirs.batch((writer) => writer.set('key', 3)),
      () => other.dropKeyspace('a'),
    ];
    for (const write of writes) {
      const { details } = expectCode('ERR_MNEME_LOCKED', write);
      expect(details).toStrictEqual({ pid: process.pid });
    }
    expect(theirs.get('key')).toBe(1);
    expect(theirs.range().toArray()).toStrictEqual([['key', 1]]);
    const snapshot = other.snapshot();
    expect(snapshot.keyspace('a').count()).toBe(1);
    snapshot.close();
  });
  expect(theirs.get('key')).toBe(2);
  theirs.set('key', 3);
  expect(mine.get('key')).toBe(3);
  expectSound(one, other);
});

test('a handle without patience writes when nobody else does', async () => {
  const { one, other } = pair({ lockTimeout: 0 });
  one.keyspace('a').set('key', 1);
  await eventually(() => wrote(other));
  expect(one.keyspace('a').get('key')).toBe(2);
});

/** False when the other handle still has its turn. */
function wrote(database: Database): boolean {
  try {
    database.keyspace('a').set('key', 2);
    return true;
  } catch (error) {
    if (error instanceof MnemeError && error.code === 'ERR_MNEME_LOCKED') return false;
    throw error;
  }
}

function rewriteAll(writer: KeyspaceWriter, text: string): void {
  for (let key = 0; key < 100; key++) writer.set(`${key}`, text.repeat(50));
}

test('what one handle holds is kept while the other writes 2,000 commits', () => {
  const { one, other } = pair();
  const [mine, theirs] = [one.keyspace('a'), other.keyspace('a')];
  mine.batch((writer) => rewriteAll(writer, 'first'));
  const snapshot = other.snapshot();
  const before = snapshot.keyspace('a').range().toArray();
  const iterator = theirs.range();
  expect(iterator.next().value).toStrictEqual(before[0]);
  for (let commit = 0; commit < 2000; commit++) {
    mine.set(`${commit % 100}`, `${commit} `.repeat(50));
  }
  expect(snapshot.keyspace('a').range().toArray()).toStrictEqual(before);
  expect([before[0], ...iterator]).toStrictEqual(before);
  expect(theirs.range().toArray()).toStrictEqual(mine.range().toArray());
  const held = one.stats().retiredPages;
  snapshot.close();
  for (let round = 0; round < 4; round++) mine.batch((writer) => rewriteAll(writer, `${round}`));
  // What the last commits freed waits for as long as a meta may lead back to what they replaced.
  for (let round = 0; round < 4; round++) mine.set('0', `${round}`);
  expect(one.stats().retiredPages).toBeLessThanOrEqual(held);
  const settled = one.stats().fileSize;
  for (let round = 0; round < 50; round++) mine.batch((writer) => rewriteAll(writer, `${round}`));
  expect(one.stats().fileSize).toBeLessThan(settled * 1.3);
  expectSound(one, other);
});

test('of several handles that hold states none hides what another holds', () => {
  const { path, one, other } = pair();
  const third = openHere(path, { cacheSize: 2 ** 20 });
  const keyspace = one.keyspace('a');
  const commit = (text: string): void => keyspace.batch((writer) => rewriteAll(writer, text));
  commit('first');
  const early = other.snapshot();
  commit('second');
  const middle = third.snapshot();
  commit('third');
  const late = other.snapshot();
  // What the system lists first is now the newest of the states that are held.
  early.close();
  for (let round = 0; round < 40; round++) commit(`round ${round}`);
  expect(middle.keyspace('a').range().toArray()).toHaveLength(100);
  expect(middle.keyspace('a').get('50')).toBe('second'.repeat(50));
  expect(late.keyspace('a').get('50')).toBe('third'.repeat(50));
  expectSound(one);
});

test('a handle that has looked a thousand times still sees what others do', () => {
  const { one, other } = pair();
  const [mine, theirs] = [one.keyspace('a'), other.keyspace('a')];
  mine.set('key', 'before');
  for (let look = 0; look < 3000; look++) theirs.get('key');
  for (let round = 0; round < 20; round++) {
    mine.set('key', round);
    expect(theirs.get('key')).toBe(round);
  }
});

test('a handle opened for reading sees commits, and checks a file that is being written', () => {
  const path = temporaryPath();
  const writer = openHere(path, { cacheSize: 2 ** 20 });
  writer.keyspace('a').batch((batch) => rewriteAll(batch, 'x'));
  const reader = openHere(path, { readonly: true, cacheSize: 2 ** 20 });
  const snapshot = reader.snapshot();
  for (let round = 0; round < 30; round++) {
    writer.keyspace('a').batch((batch) => rewriteAll(batch, `${round}`));
    expect(reader.keyspace('a').get('7')).toBe(`${round}`.repeat(50));
  }
  expect(snapshot.keyspace('a').get('7')).toBe('x'.repeat(50));
  expectCode('ERR_MNEME_READONLY', () => reader.keyspace('a').set('key', 1));
  expectSound(reader, writer);
});

test('handles with sync none see what the other has written behind', async () => {
  const { path, one, other } = pair({ sync: 'none' });
  const [mine, theirs] = [one.keyspace('a'), other.keyspace('a')];
  for (let round = 0; round < 20; round++) {
    const [writer, reader] = round % 2 === 0 ? [mine, theirs] : [theirs, mine];
    writer.set('round', round);
    writer.set(`key ${round}`, 'x'.repeat(round * 100));
    expect(writer.get('round')).toBe(round);
    // The two may be written behind one after the other.
    await eventually(() => reader.get('round') === round && reader.count() === round + 2);
  }
  // A write begins with the newest state, written behind or not.
  for (let round = 0; round < 20; round++) {
    expect((round % 2 === 0 ? mine : theirs).incr('counter')).toBe(round + 1);
  }
  one.close();
  theirs.incr('counter');
  other.close();
  const reopened = openHere(path);
  expect(reopened.keyspace('a').get('counter')).toBe(21);
  expect(reopened.keyspace('a').count()).toBe(22);
  expectSound(reopened);
});

for (const sync of ['full', 'none'] as const) {
  test(`whichever handle closes first, all stays, sync ${sync}`, () => {
    for (const first of [0, 1]) {
      const { path, one, other } = pair({ sync });
      one.keyspace('a').set('one', 1);
      other.keyspace('a').set('other', 1);
      one.keyspace('a').set('one', 2);
      const [closed, left] = first === 0 ? [one, other] : [other, one];
      closed.close();
      expect(left.keyspace('a').getMany(['one', 'other'])).toStrictEqual([2, 1]);
      left.keyspace('a').set('last', 3);
      expectSound(left);
      left.close();
      const reopened = openHere(path, { readonly: true });
      expect(reopened.keyspace('a').getMany(['one', 'other', 'last'])).toStrictEqual([2, 1, 3]);
      expectSound(reopened);
    }
  });
}

test("a handle may be closed while another's batch runs", () => {
  const { one, other } = pair({ lockTimeout: 20 });
  other.keyspace('a').set('other', 1);
  one.batch(() => {
    one.keyspace('a').set('one', 1);
    other.close();
  });
  expect(one.keyspace('a').count()).toBe(2);
  expectSound(one);
});

test('a path that is a symbolic link is the same file', () => {
  const path = temporaryPath();
  const link = `${path}.link`;
  const one = openHere(path);
  symlinkSync(path, link);
  const other = openHere(link, { lockTimeout: 20 });
  other.keyspace('a').set('key', 1);
  expect(one.keyspace('a').get('key')).toBe(1);
  one.batch(() => {
    expectCode('ERR_MNEME_LOCKED', () => other.keyspace('a').set('key', 2));
  });
  expect(readFileSync(link).length).toBe(readFileSync(path).length);
  expectSound(one, other);
});

const META_AREA_BYTES = 65_536;

test('a commit that is looked at while its meta is being written is seen afterwards', () => {
  const path = temporaryPath();
  const writer = openHere(path);
  writer.keyspace('a').set('key', 'before');
  const reader = openHere(path, { readonly: true });
  expect(reader.keyspace('a').get('key')).toBe('before');
  const before = readFileSync(path);
  writer.keyspace('a').set('key', 'after');
  const after = readFileSync(path);
  const file = openSync(path, 'r+');
  onTestFinished(() => closeSync(file));
  for (const start of [0, META_AREA_BYTES]) {
    // The first bytes of what was written are there, the rest is not yet.
    writeSync(file, before, start + 80, META_AREA_BYTES - 96, start + 80);
  }
  expect(reader.keyspace('a').get('key')).toBe('before');
  writeSync(file, after, 0, 2 * META_AREA_BYTES, 0);
  expect(reader.keyspace('a').get('key')).toBe('after');
  expectSound(writer, reader);
});

test('a thread that attaches sees what another opening has committed since', () => {
  const path = temporaryPath();
  const writer = openHere(path);
  const shared = openHere(path).share();
  writer.keyspace('a').set('key', 'committed');
  using attached = attach(shared);
  expect(attached.keyspace('a').get('key')).toBe('committed');
});

test('a meta that is half written while the file is opened is seen once it is whole', () => {
  const path = temporaryPath();
  const writer = openHere(path);
  writer.keyspace('a').set('key', 'before');
  const before = readFileSync(path);
  writer.keyspace('a').set('key', 'after');
  const after = readFileSync(path);
  const file = openSync(path, 'r+');
  onTestFinished(() => closeSync(file));
  for (const start of [0, META_AREA_BYTES]) {
    if (before.compare(after, start, start + 80, start, start + 80) === 0) continue;
    writeSync(file, before, start + 80, META_AREA_BYTES - 96, start + 80);
  }
  const reader = openHere(path, { readonly: true });
  expect(reader.keyspace('a').get('key')).toBe('before');
  writeSync(file, after, 0, 2 * META_AREA_BYTES, 0);
  expect(reader.keyspace('a').get('key')).toBe('after');
  expectSound(writer, reader);
});

test('openings that come and go leave the cache to those that stay', () => {
  const database = openHere(':memory:', { cacheSize: 2 ** 20 });
  const keyspace = database.keyspace('a');
  keyspace.batch((batch) => {
    for (let index = 0; index < 5000; index++) batch.set(`key ${index}`, 'x'.repeat(400));
  });
  const shared = database.share();
  for (let round = 0; round < 80; round++) {
    using attached = attach(shared);
    for (let index = 0; index < 5000; index += 50) attached.keyspace('a').get(`key ${index}`);
    keyspace.set('key', round);
  }
  expect(keyspace.get('key')).toBe(79);
  expectSound(database);
});
