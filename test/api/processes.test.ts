/**
 * Several processes with one file: they write in turns, read beside each other, and leave nothing
 * behind when they are killed.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { KeyspaceWriter } from 'mneme';
import { expect, test } from 'vitest';
import { Child, openInChild } from './child.js';
import { expectCode, openHere, temporaryPath } from './support.js';

const SMALL = { pageSize: 4096, cacheSize: 2 ** 20 } as const;
const WHOLE = { env: { MNEME_WITHOUT_KOFFI: '1' } };
/** A native module: it may not have been built, or for another version of Node. */
const { status: fsExtStatus } = spawnSync(process.execPath, ['--eval', "require('fs-ext')"]);
const testWithFsExt = test.runIf(fsExtStatus === 0);
const NONE = { env: { MNEME_WITHOUT_KOFFI: '1', MNEME_WITHOUT_FS_EXT: '1' } };
/** A process that hangs is told from one that is slow. */
const HANG_MS = 30_000;

/** A closed file with a little in it. */
function writtenFile(): string {
  const path = temporaryPath();
  const database = openHere(path, SMALL);
  database.keyspace('a').set('key', 'value');
  database.close();
  return path;
}

function rewriteAll(writer: KeyspaceWriter, text: string): void {
  for (let key = 0; key < 300; key++) writer.set(`${key}`, text.repeat(100));
}

for (const sync of ['full', 'none'] as const) {
  test(`two writers lose nothing, and every reader sees whole batches, sync ${sync}`, async () => {
    const path = temporaryPath();
    const database = openHere(path, { ...SMALL, sync });
    const [one, two, reader, another] = await Promise.all([
      openInChild(path, { ...SMALL, sync }),
      openInChild(path, { ...SMALL, sync }),
      openInChild(path, SMALL),
      openInChild(path, { ...SMALL, readonly: true }),
    ]);
    const ended = await Promise.all([
      one.ask('countUp', 'one', 150),
      two.ask('countUp', 'two', 250),
      reader.ask('readUntil', 400),
      another.ask('readUntil', 400),
    ]);
    expect(ended.slice(2)).toStrictEqual([0, 0]);
    await one.ask('close');
    await two.ask('close');
    const keyspace = database.keyspace('a');
    expect(keyspace.getMany(['one', 'two', 'total'])).toStrictEqual([150, 250, 400]);
    expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  });
}

test('a process sees what another wrote with its next call', async () => {
  const path = temporaryPath();
  const database = openHere(path, SMALL);
  const child = await openInChild(path, SMALL);
  for (let round = 0; round < 30; round++) {
    database.keyspace('a').set('key', round);
    expect(await child.ask('get', 'key')).toBe(round);
    await child.ask('set', `key ${round}`, 'x'.repeat(round * 300));
    expect(database.keyspace('a').count('key ')).toBe(round + 1);
  }
  expect(await child.ask('verify')).toMatchObject({ ok: true, problems: [] });
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a writer killed in its batch leaves the lock free at once and no half of it', async () => {
  const path = temporaryPath();
  const database = openHere(path, { ...SMALL, lockTimeout: 50 });
  const keyspace = database.keyspace('a');
  keyspace.batch((writer) => rewriteAll(writer, 'before'));
  keyspace.set('counter', 0);
  for (let round = 0; round < 3; round++) {
    const before = keyspace.range().toArray();
    const child = await openInChild(path, SMALL);
    await child.sendTo('stayInBatch');
    const { details } = expectCode('ERR_MNEME_LOCKED', () => keyspace.set('key', 'mine'));
    expect(details).toStrictEqual({ pid: child.pid });
    expect(keyspace.range().toArray()).toStrictEqual(before);
    await child.kill();
    const impatient = openHere(path, { ...SMALL, lockTimeout: 0 });
    expect(impatient.keyspace('a').incr('counter')).toBe(round + 1);
    impatient.close();
    expect(keyspace.get('counter')).toBe(round + 1);
    expect(keyspace.get('7')).toBe('before'.repeat(100));
    expect(keyspace.count()).toBe(before.length);
    keyspace.set('counter', round + 1);
    expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  }
});

test('what a killed reader held is used again', async () => {
  const path = temporaryPath();
  const database = openHere(path, SMALL);
  const keyspace = database.keyspace('a');
  keyspace.batch((writer) => rewriteAll(writer, 'first'));
  const reader = await openInChild(path, { ...SMALL, readonly: true });
  expect(await reader.ask('takeSnapshot')).toBe(Number(database.info().txnId));
  const before = await reader.ask('readSnapshot');
  for (let round = 0; round < 20; round++) keyspace.batch((writer) => rewriteAll(writer, 'other'));
  expect(await reader.ask('readSnapshot')).toStrictEqual(before);
  const held = database.stats();
  expect(held.retiredPages).toBeGreaterThan(40);
  await reader.kill();
  for (let round = 0; round < 5; round++) keyspace.batch((writer) => rewriteAll(writer, 'after'));
  expect(database.stats().retiredPages).toBeLessThan(held.retiredPages);
  for (let round = 0; round < 50; round++) keyspace.batch((writer) => rewriteAll(writer, 'x'));
  expect(database.stats().fileSize).toBeLessThan(held.fileSize * 1.3);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a snapshot and an iterator of one process stand while another writes', async () => {
  const path = temporaryPath();
  const database = openHere(path, SMALL);
  const keyspace = database.keyspace('a');
  keyspace.batch((writer) => rewriteAll(writer, 'first'));
  const snapshot = database.snapshot();
  const iterator = keyspace.range();
  const before = snapshot.keyspace('a').range().toArray();
  const child = await openInChild(path, SMALL);
  await child.ask('rewrite', 300, 200);
  expect(snapshot.keyspace('a').range().toArray()).toStrictEqual(before);
  expect(iterator.toArray()).toStrictEqual(before);
  expect(keyspace.get('7')).toBe('199'.repeat(100));
  snapshot.close();
  expect(await child.ask('verify')).toMatchObject({ ok: true, problems: [] });
});

test('a state that moved while it was being pinned is not the one that is kept', async () => {
  const path = temporaryPath();
  const filler = openHere(path, SMALL);
  filler.keyspace('a').batch((batch) => {
    for (let key = 0; key < 30; key++) batch.set(`${key}`, 'first');
  });
  filler.close();
  const [writer, ...readers] = await Promise.all([
    openInChild(path, SMALL),
    ...[1, 2, 3, 4].map(() => openInChild(path, SMALL)),
  ]);
  const over = writer.ask('rewrite', 30, 800);
  const watcher = openHere(path, { ...SMALL, readonly: true });
  const begun = watcher.info().txnId + 5n;
  while (watcher.info().txnId < begun) await setImmediate();
  // What locks is loaded with the first pin, which takes as long as some commits.
  for (const reader of readers) await reader.ask('takeSnapshot');
  await over;
  for (const reader of readers) {
    const values = ((await reader.ask('readSnapshot')) as [string, string][]).map(
      (pair) => pair[1],
    );
    expect(values).toStrictEqual(Array.from({ length: 30 }, () => values[0]));
  }
});

test('a writer that never rests gives others their turns', async () => {
  const path = temporaryPath();
  const database = openHere(path, { ...SMALL, lockTimeout: HANG_MS });
  const child = await openInChild(path, SMALL);
  const over = child.ask('countUpForever');
  over.catch(() => undefined); // it is killed
  for (let write = 0; write < 20; write++) database.keyspace('a').incr('mine');
  await child.kill();
  expect(database.keyspace('a').get('mine')).toBe(20);
  const [one, total] = database.keyspace('a').getMany(['one', 'total']);
  expect(one).toBe(total);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('a handle opened for reading checks one state of a file that is being written', async () => {
  const path = temporaryPath();
  const child = await openInChild(path, { ...SMALL, sync: 'none' });
  await child.ask('rewrite', 2000, 1, 1500);
  const reader = openHere(path, { ...SMALL, readonly: true });
  let isOver = false;
  const over = child.ask('rewrite', 50, 500, 500).finally(() => {
    isOver = true;
  });
  over.catch(() => undefined); // told of below
  while (!isOver) {
    expect(reader.verify()).toMatchObject({ ok: true, problems: [] });
    await setImmediate();
  }
  await over;
});

test('a file without permission to write is read, and refuses to be written', async () => {
  const path = writtenFile();
  chmodSync(dirname(path), 0o755);
  chmodSync(path, 0o444);
  const content = readFileSync(path);
  const reader = new Child();
  await reader.ask('openAsNobody', path, { ...SMALL, readonly: true });
  expect(await reader.ask('get', 'key')).toBe('value');
  expect(await reader.ask('walk')).toBe(1);
  await reader.ask('takeSnapshot');
  await reader.expectCode('ERR_MNEME_READONLY', 'set', 'key', 'new');
  await reader.ask('close');
  const writer = new Child();
  await writer.ask('openAsNobody', path, SMALL);
  expect(await writer.ask('get', 'key')).toBe('value');
  const { details } = await writer.expectCode('ERR_MNEME_IO', 'set', 'key', 'new');
  expect(details).toMatchObject({ cause: 'EACCES' });
  await writer.expectCode('ERR_MNEME_IO', 'set', 'key', 'new');
  expect(await writer.ask('walk')).toBe(1);
  await writer.ask('close');
  expect(Buffer.compare(readFileSync(path), content)).toBe(0);
});

test('with lock: false nothing is locked, and it works alone', async () => {
  const path = writtenFile();
  const child = await openInChild(path, { ...SMALL, lock: false }, NONE);
  await child.ask('set', 'key', 'new');
  expect(await child.ask('walk')).toBe(1);
  await child.ask('takeSnapshot');
  await child.ask('rewrite', 300, 20);
  await child.ask('close');
  const database = openHere(path, SMALL);
  expect(database.keyspace('a').get('key')).toBe('new');
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('where nothing can lock, an error asks for lock: false', async () => {
  const path = writtenFile();
  const child = await openInChild(path, SMALL, NONE);
  expect(await child.ask('get', 'key')).toBe('value');
  for (const action of ['set', 'walk', 'takeSnapshot']) {
    const { message } = await child.expectCode('ERR_MNEME_IO', action, 'key', 'new');
    expect(message).toContain('lock: false');
  }
  expect(await child.ask('get', 'key')).toBe('value');
  await child.ask('close');
});

testWithFsExt('with locks on whole files a writer excludes others for its life', async () => {
  const path = writtenFile();
  const options = { ...SMALL, lockTimeout: 30 };
  const [writer, other] = await Promise.all([
    openInChild(path, options, WHOLE),
    openInChild(path, options, WHOLE),
  ]);
  await writer.ask('set', 'key', 'new');
  const { details } = await other.expectCode('ERR_MNEME_LOCKED', 'set', 'key', 'mine');
  expect(details).toStrictEqual({ pid: writer.pid });
  expect((await other.expectCode('ERR_MNEME_LOCKED', 'takeSnapshot')).details).toStrictEqual({
    pid: writer.pid,
  });
  // What needs no lock is still there.
  expect(await other.ask('get', 'key')).toBe('new');
  await writer.ask('takeSnapshot');
  await writer.ask('rewrite', 300, 20);
  expect(await writer.ask('walk')).toBe(301);
  expect(await other.ask('get', '7')).toBe('19'.repeat(100));
  await writer.kill();
  await other.ask('set', 'key', 'mine');
  expect(await other.ask('verify')).toMatchObject({ ok: true, problems: [] });
  await other.ask('close');
  expect(openHere(path).keyspace('a').get('key')).toBe('mine');
});

testWithFsExt('with locks on whole files readers share, and keep writers out', async () => {
  const path = writtenFile();
  const options = { ...SMALL, lockTimeout: 30 };
  const [one, other, writer] = await Promise.all([
    openInChild(path, options, WHOLE),
    openInChild(path, { ...options, readonly: true }, WHOLE),
    openInChild(path, options, WHOLE),
  ]);
  await writer.ask('set', 'key', 'value');
  await writer.ask('close');
  await writer.ask('open', path, options);
  expect(await one.ask('takeSnapshot')).toBe(await other.ask('takeSnapshot'));
  await writer.expectCode('ERR_MNEME_LOCKED', 'set', 'key', 'new');
  // One that asks for more in vain keeps what it has.
  await one.expectCode('ERR_MNEME_LOCKED', 'set', 'key', 'new');
  await other.ask('close');
  await writer.expectCode('ERR_MNEME_LOCKED', 'set', 'key', 'new');
  expect(await one.ask('readSnapshot')).toStrictEqual([['key', 'value']]);
  await one.ask('close');
  await writer.ask('set', 'key', 'new');
});

test('nobody waits for a pipe that nobody writes', () => {
  const path = temporaryPath();
  if (spawnSync('mkfifo', [path]).status !== 0) return; // not a system with pipes in files
  const program = `
    import { open } from 'mneme';
    for (const readonly of [true, false]) {
      try {
        open(${JSON.stringify(path)}, { readonly });
      } catch (error) {
        console.log(error.code);
      }
    }`;
  const parameters = ['--input-type=module', '--eval', program];
  const ended = spawnSync(process.execPath, parameters, { encoding: 'utf8', timeout: HANG_MS });
  expect(ended.stdout).toBe('ERR_MNEME_NOT_A_DATABASE\n'.repeat(2));
  expect(statSync(path).isFIFO()).toBe(true);
});
