/**
 * The contract of snapshots: one committed state, unchanging until it is closed, and what it costs.
 */
import type { Database, Keyspace, KeyspaceReader, KeyspaceWriter } from 'mneme';
import { expect, test } from 'vitest';
import { openInChild } from './child.js';
import { expectCode, memory, openHere, steppedClock, temporaryPath, untyped } from './support.js';

const KEY_COUNT = 400;
const SMALL = { pageSize: 4096, cacheSize: 2 ** 20, sync: 'none' } as const;

function fill(keyspace: Keyspace, text: string): void {
  keyspace.batch((writer) => {
    for (let key = 0; key < KEY_COUNT; key++) writer.set(`${key}`, text.repeat(100));
  });
}

/** Many small commits that rewrite, add and delete. */
function commitOften(keyspace: Keyspace, count: number): void {
  for (let commit = 0; commit < count; commit++) {
    if (commit % 5 === 4) keyspace.del(`added ${commit - 1}`);
    else if (commit % 5 === 3) keyspace.set(`added ${commit}`, commit);
    else keyspace.set(`${(commit * 7) % KEY_COUNT}`, `${commit},`.repeat(commit % 90));
  }
}

function everything(keyspace: KeyspaceReader): unknown {
  const { count, first } = { count: keyspace.count(), first: keyspace.get('7') };
  return { count, first, pairs: keyspace.range().toArray(), stats: keyspace.stats() };
}

test('a snapshot and an iterator show the same bits after 10,000 commits', () => {
  const database = openHere(temporaryPath(), SMALL);
  const keyspace = database.keyspace('a');
  fill(keyspace, 'first');
  const snapshot = database.snapshot();
  const before = everything(snapshot.keyspace('a'));
  const iterator = keyspace.range();
  const half = keyspace.range();
  const pairs = [...keyspace.range()];
  const taken = Array.from({ length: 200 }, () => half.next().value as [string, string]);
  commitOften(keyspace, 10_000);
  expect(snapshot.txnId).toBe(database.info().txnId - 10_000n);
  expect(everything(snapshot.keyspace('a'))).toStrictEqual(before);
  expect(iterator.toArray()).toStrictEqual(pairs);
  expect([...taken, ...half]).toStrictEqual(pairs);
  expect(keyspace.range().toArray()).not.toStrictEqual(pairs);
  snapshot.close();
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a snapshot keeps what was dropped, deleted and purged after it', () => {
  const clock = steppedClock();
  const database = openHere(temporaryPath(), { ...SMALL, clock: clock.read });
  const keyspace = database.keyspace('a');
  fill(keyspace, 'kept');
  keyspace.set('short', 1, { ttl: 1 });
  keyspace.set('long', 'x'.repeat(300_000));
  const snapshot = database.snapshot();
  clock.now += 5000;
  expect(database.purgeExpired()).toBe(1);
  keyspace.delRange({ prefix: '1' });
  database.dropKeyspace('a');
  for (let commit = 0; commit < 200; commit++) fill(database.keyspace('b'), `${commit}`);
  const view = snapshot.keyspace('a');
  expect(view.count()).toBe(KEY_COUNT + 2);
  expect(view.get('17')).toBe('kept'.repeat(100));
  expect(view.get('short')).toBe(1);
  expect(view.get('long')).toBe('x'.repeat(300_000));
  expect(snapshot.keyspace('b').count()).toBe(0);
  expect(database.keyspaces()).toStrictEqual(['b']);
});

test('expiry is judged at the moment of the snapshot', () => {
  const clock = steppedClock();
  const database = memory({ clock: clock.read });
  const keyspace = database.keyspace('a');
  keyspace.set('one', 1, { ttl: 1 });
  keyspace.set('ten', 1, { ttl: 10 });
  clock.now += 500;
  const snapshot = database.snapshot();
  const view = snapshot.keyspace('a');
  clock.now += 60_000;
  expect(keyspace.count()).toBe(0);
  expect(view.count()).toBe(2);
  expect(view.ttl('one')).toBe(0.5);
  expect(view.exists('one')).toBe(true);
  expect(view.range().toArray()).toStrictEqual([
    ['one', 1],
    ['ten', 1],
  ]);
  const later = database.snapshot();
  expect(later.keyspace('a').count()).toBe(0);
});

test('writing through a snapshot is ERR_MNEME_READONLY', () => {
  const database = memory();
  database.keyspace('a').set('key', 1);
  const view = database.snapshot().keyspace('a');
  const writable: Keyspace = untyped(view);
  const writes: (() => unknown)[] = [
    () => writable.set('key', 2),
    () => writable.setBytes('key', 'b'),
    () => writable.setInteger('key', 2),
    () => writable.setFloat('key', 2),
    () => writable.del('key'),
    () => writable.delRange({}),
    () => writable.incr('key'),
    () => writable.decr('key'),
    () => writable.expire('key', 5),
    () => writable.persist('key'),
    () => writable.purgeExpired(),
    () => writable.batch((writer: KeyspaceWriter) => writer.set('key', 2)),
  ];
  for (const write of writes) expectCode('ERR_MNEME_READONLY', write);
  expect(database.batch(() => thrownInBatch(writable))).toBe('ERR_MNEME_READONLY');
  expect(database.keyspace('a').get('key')).toBe(1);
});

function thrownInBatch(writable: Keyspace): string {
  return expectCode('ERR_MNEME_READONLY', () => writable.set('key', 2)).code;
}

test('after close reads are ERR_MNEME_CLOSED, and closing twice is fine', () => {
  const database = memory();
  database.keyspace('a').set('key', 1);
  const snapshot = database.snapshot();
  const view = snapshot.keyspace('a');
  const iterator = view.range();
  snapshot.close();
  const reads: (() => unknown)[] = [
    () => snapshot.keyspace('a'),
    () => view.get('key'),
    () => view.getMany(['key']),
    () => view.exists('key'),
    () => view.typeOf('key'),
    () => view.ttl('key'),
    () => view.count(),
    () => view.stats(),
    () => view.range(),
    () => iterator.next(),
  ];
  for (const read of reads) expectCode('ERR_MNEME_CLOSED', read);
  iterator.return();
  snapshot.close();
  snapshot[Symbol.dispose]();
  expect(database.keyspace('a').get('key')).toBe(1);
});

test('a snapshot ends with its database, and may be closed after it', () => {
  const database = memory();
  const snapshot = database.snapshot();
  const view = snapshot.keyspace('a');
  database.close();
  expectCode('ERR_MNEME_CLOSED', () => view.get('key'));
  expectCode('ERR_MNEME_CLOSED', () => snapshot.keyspace('a').get('key'));
  expectCode('ERR_MNEME_CLOSED', () => database.snapshot());
  snapshot.close();
});

test('two snapshots of one state end on their own', () => {
  const database = openHere(temporaryPath(), SMALL);
  const keyspace = database.keyspace('a');
  fill(keyspace, 'shared');
  const [one, other, iterator] = [database.snapshot(), database.snapshot(), keyspace.range()];
  one.close();
  commitOften(keyspace, 500);
  expect(other.keyspace('a').count()).toBe(KEY_COUNT);
  other.close();
  commitOften(keyspace, 500);
  expect(iterator.toArray()).toHaveLength(KEY_COUNT);
});

test('inside a batch a snapshot shows the last commit, an iterator the batch', () => {
  const database = memory();
  const keyspace = database.keyspace('a');
  keyspace.set('key', 'committed');
  const txnId = database.info().txnId;
  database.batch(() => {
    keyspace.set('key', 'mine');
    keyspace.set('other', 'mine');
    const snapshot = database.snapshot();
    expect(snapshot.txnId).toBe(txnId);
    expect(snapshot.keyspace('a').range().toArray()).toStrictEqual([['key', 'committed']]);
    const iterator = keyspace.range();
    keyspace.set('key', 'again');
    expect(snapshot.keyspace('a').get('key')).toBe('committed');
    expect(snapshot.keyspace('a').exists('other')).toBe(false);
    expect(iterator.toArray()).toStrictEqual([
      ['key', 'mine'],
      ['other', 'mine'],
    ]);
  });
  expect(keyspace.get('key')).toBe('again');
});

test('a keyspace of another kind is refused by a snapshot as by its database', () => {
  const database = memory();
  database.keyspace('a', { keys: 'bytes' }).set(Uint8Array.of(1), 1);
  const snapshot = database.snapshot();
  expectCode('ERR_MNEME_TYPE_MISMATCH', () => snapshot.keyspace('a'));
  expect(snapshot.keyspace('a', { keys: 'bytes' }).get(Uint8Array.of(1))).toBe(1);
});

/** Pages that wait after some small commits, when only a snapshot can still make many wait. */
function retiredPages(database: Database): number {
  for (let commit = 0; commit < 4; commit++) {
    database.keyspace('a').set('settled', commit);
    database.sync();
  }
  return database.stats().retiredPages;
}

for (const sync of ['full', 'none'] as const) {
  test(`what a snapshot held is used again when it is closed, sync ${sync}`, () => {
    const database = openHere(temporaryPath(), { ...SMALL, sync });
    const keyspace = database.keyspace('a');
    fill(keyspace, 'first');
    const snapshot = database.snapshot();
    // It costs what it can see, not what comes after it.
    for (let round = 0; round < 100; round++) fill(keyspace, `held ${round}`);
    expect(retiredPages(database)).toBeGreaterThan(50);
    expect(database.stats().fileSize).toBeLessThan(4 * 2 ** 20);
    snapshot.close();
    expect(retiredPages(database)).toBeLessThan(40);
    for (let round = 0; round < 100; round++) fill(keyspace, `round ${round}`);
    expect(database.stats().fileSize).toBeLessThan(4 * 2 ** 20);
    expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  });
}

test('a snapshot that nobody holds any more is let go of by garbage collection', async () => {
  const path = temporaryPath();
  const child = await openInChild(path, { cacheSize: 2 ** 20 }, { flags: ['--expose-gc'] });
  await child.ask('rewrite', 500, 2);
  await child.ask('dropSnapshot');
  const before = await child.ask('readView');
  await child.ask('collect');
  const held = (await child.ask('retired', 500)) as number;
  // A handle of the snapshot is enough to keep it.
  expect(await child.ask('readView')).toStrictEqual(before);
  await child.ask('dropView');
  await child.ask('collect');
  expect(await child.ask('retired', 500)).toBeLessThan(held);
});

test('what was held over 10,000 commits is used again, and the file does not grow any more', () => {
  const path = temporaryPath();
  const first = openHere(path, SMALL);
  fill(first.keyspace('a'), 'first');
  first.sync();
  const holder = openHere(path, { ...SMALL, readonly: true });
  const [snapshot, iterator] = [holder.snapshot(), holder.keyspace('a').range()];
  const before = everything(snapshot.keyspace('a'));
  commitOften(first.keyspace('a'), 10_000);
  first.close();
  // With a sync in each commit, what the file holds goes by commits only, not by time.
  const database = openHere(path, { ...SMALL, sync: 'full' });
  const keyspace = database.keyspace('a');
  commitOften(keyspace, 100);
  expect(everything(snapshot.keyspace('a'))).toStrictEqual(before);
  expect(iterator.next().value).toStrictEqual(['0', 'first'.repeat(100)]);
  const held = database.stats().retiredPages;
  snapshot.close();
  iterator.return();
  commitOften(keyspace, 500);
  expect(database.stats().retiredPages).toBeLessThan(held - 40);
  const settled = database.stats().fileSize;
  for (let round = 0; round < 4; round++) {
    commitOften(keyspace, 500);
    expect(database.stats().fileSize).toBe(settled);
  }
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('stats name the oldest reader, of this process and of others', async () => {
  const path = temporaryPath();
  const database = openHere(path, SMALL);
  const keyspace = database.keyspace('a');
  fill(keyspace, 'first');
  database.sync();
  expect(database.stats().oldestReader).toBeUndefined();
  const child = await openInChild(path, { ...SMALL, readonly: true });
  const childState = BigInt((await child.ask('takeSnapshot')) as number);
  fill(keyspace, 'second');
  database.sync();
  const mine = database.snapshot();
  fill(keyspace, 'third');
  database.sync();
  const [held, seen] = [database.stats(), openHere(path, SMALL).stats()];
  expect(held.oldestReader).toMatchObject({ pid: child.pid, txnId: childState });
  expect(held.oldestReader?.pinnedPages).toBe(held.retiredPages);
  expect(held.retiredPages).toBeGreaterThan(40);
  expect(seen.oldestReader).toMatchObject({ pid: child.pid, txnId: childState });
  await child.kill();
  const own = { pid: process.pid, txnId: mine.txnId };
  expect(database.stats().oldestReader).toMatchObject(own);
  // Another opening of this process sees it as it sees those of others.
  expect(openHere(path, SMALL).stats().oldestReader).toMatchObject(own);
  mine.close();
  expect(database.stats().oldestReader).toBeUndefined();
  const inMemory = memory();
  inMemory.keyspace('a').set('key', 1);
  expect(inMemory.stats().oldestReader).toBeUndefined();
  const iterator = inMemory.keyspace('a').range();
  expect(inMemory.stats().oldestReader).toMatchObject({ pid: process.pid });
  iterator.return();
  expect(inMemory.stats().oldestReader).toBeUndefined();
});
