/**
 * One open database in several threads of the process: they read without messages, write through
 * one writer in turns, and what a thread leaves behind is cleared up.
 */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { attach, type Database, type SharedDatabase } from 'mneme';
import { afterEach, expect, test } from 'vitest';
import {
  expectCode,
  expectTypeError,
  memory,
  openHere,
  temporaryPath,
  untyped,
} from './support.js';

const THREAD = new URL('./children/attached-thread.mjs', import.meta.url);

interface Reply {
  readonly value?: unknown;
  readonly code?: string;
  readonly details?: { readonly pid?: number };
}

/** A thread that is attached to a database and does what it is asked. */
class AttachedThread {
  readonly worker: Worker;
  constructor(shared: SharedDatabase) {
    this.worker = new Worker(THREAD, { workerData: { shared } });
  }

  async reply(): Promise<Reply> {
    const [message] = (await once(this.worker, 'message')) as [Reply];
    return message;
  }

  ask(task: string, details: object = {}): Promise<Reply> {
    const reply = this.reply();
    this.worker.postMessage({ task, ...details });
    return reply;
  }
}

const threads: AttachedThread[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map(({ worker }) => worker.terminate()));
});

async function attached(database: Database): Promise<AttachedThread> {
  const thread = new AttachedThread(database.share());
  threads.push(thread);
  expect(await thread.reply()).toEqual({ value: 'attached' });
  return thread;
}

test.each([
  ['a file', () => openHere(temporaryPath())],
  ['a file without sync', () => openHere(temporaryPath(), { sync: 'none' })],
  ['a database in memory', () => memory()],
] as const)('threads see each other’s writes at once in %s', async (_title, make) => {
  const database = make();
  const keyspace = database.keyspace('a');
  keyspace.set('key', 'one');
  const thread = await attached(database);
  expect(await thread.ask('get', { key: 'key' })).toEqual({ value: 'one' });
  expect(await thread.ask('set', { key: 'key', value: 'two' })).toEqual({});
  expect(keyspace.get('key')).toBe('two');
  keyspace.batch((batch) => batch.set('key', 'three'));
  expect(await thread.ask('get', { key: 'key' })).toEqual({ value: 'three' });
  expect(await thread.ask('close')).toEqual({});
  expect(database.isOpen).toBe(true);
  keyspace.set('key', 'four');
});

test('transactions of many threads are each whole, and none is lost', async () => {
  const database = openHere(temporaryPath());
  const keyspace = database.keyspace('a');
  const names = ['n1', 'n2', 'n3', 'n4'];
  const workers = await Promise.all(names.map(() => attached(database)));
  const replies = workers.map((thread, index) =>
    thread.ask('transfer', { count: 50, name: names[index] }),
  );
  const whole = () => {
    const [total = 0, ...parts] = keyspace.getMany(['total', ...names]) as number[];
    return total === parts.reduce((sum, part) => sum + (part ?? 0), 0);
  };
  for (let look = 0; look < 50; look++) {
    expect(whole()).toBe(true);
    await wait(1);
  }
  expect(await Promise.all(replies)).toEqual(names.map(() => ({})));
  expect(keyspace.getMany(['total', ...names])).toEqual([200, 50, 50, 50, 50]);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('single writes that are committed together are all there once they are answered', async () => {
  const path = temporaryPath();
  const database = openHere(path);
  const names = ['a', 'b', 'c'];
  const workers = await Promise.all(names.map(() => attached(database)));
  const fills = workers.map((it, at) => it.ask('fill', { count: 200, name: names[at] }));
  expect(await Promise.all(fills)).toEqual(names.map(() => ({ value: [] })));
  expect(database.keyspace('a').count()).toBe(600);
  database.close();
  const reopened = openHere(path).keyspace('a');
  for (const name of names) expect(reopened.get(`${name} 199`)).toBe(199);
});

test('a batch of another thread is waited for as long as a lock', async () => {
  const database = openHere(temporaryPath(), { lockTimeout: 50 });
  const keyspace = database.keyspace('a');
  keyspace.set('key', 'before');
  const thread = await attached(database);
  expect(await thread.ask('batchForever')).toEqual({});
  const error = expectCode('ERR_MNEME_LOCKED', () => keyspace.set('key', 'after'));
  expect(error.details).toEqual({ pid: process.pid });
  expectCode('ERR_MNEME_LOCKED', () => keyspace.batch((batch) => batch.set('key', 'after')));
  expect(keyspace.get('key')).toBe('before');
  expect(database.keyspace('another').get('key')).toBeUndefined();
  await thread.worker.terminate();
  await writesAgain(() => keyspace.set('key', 'after'));
  expect(keyspace.get('half')).toBeUndefined();
  expect(keyspace.get('key')).toBe('after');
});

test('who waits for the batch of a thread that is gone gets its turn', async () => {
  const database = openHere(temporaryPath(), { lockTimeout: 900 });
  const keyspace = database.keyspace('a');
  keyspace.set('key', 'before');
  const thread = await attached(database);
  expect(await thread.ask('batchForever')).toEqual({});
  await thread.worker.terminate();
  keyspace.set('key', 'after');
  expect(keyspace.get('half')).toBeUndefined();
});

/** A thread that is gone is noticed soon, not at once. */
async function writesAgain(write: () => void): Promise<void> {
  for (let look = 0; look < 100; look++) {
    try {
      write();
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_MNEME_LOCKED' });
      await wait(50);
    }
  }
  write();
}

test('what a thread pinned that is gone is used again', async () => {
  const database = openHere(temporaryPath());
  const keyspace = database.keyspace('a');
  keyspace.batch((batch) => {
    for (let index = 0; index < 2000; index++) batch.set(`key ${index}`, 'x'.repeat(100));
  });
  keyspace.set('key', 'pinned');
  const thread = await attached(database);
  expect(await thread.ask('snapshot')).toEqual({ value: 'pinned' });
  const rewriteAll = () =>
    keyspace.batch((batch) => {
      for (let index = 0; index < 2000; index++) batch.set(`key ${index}`, 'y'.repeat(100));
    });
  for (let round = 0; round < 3; round++) rewriteAll();
  /** Pages that wait, when those do no more that the last large commit has freed. */
  const retired = () => {
    for (let round = 0; round < 4; round++) keyspace.set('key', round);
    return database.stats().retiredPages;
  };
  const held = retired();
  expect(held).toBeGreaterThan(20);
  await thread.worker.terminate();
  for (let look = 0; look < 100 && retired() > held / 2; look++) await wait(100);
  expect(retired()).toBeLessThan(held / 2);
});

test('a thread whose database was closed elsewhere is told so', async () => {
  const database = openHere(temporaryPath());
  database.keyspace('a').set('key', 1);
  const thread = await attached(database);
  const shared = database.share();
  database.close();
  expect(await thread.ask('get', { key: 'key' })).toMatchObject({ code: 'ERR_MNEME_CLOSED' });
  expect(await thread.ask('set', { key: 'key', value: 2 })).toMatchObject({
    code: 'ERR_MNEME_CLOSED',
  });
  expect(await thread.ask('close')).toEqual({});
  expectCode('ERR_MNEME_CLOSED', () => attach(shared));
  expectCode('ERR_MNEME_CLOSED', () => database.share());
});

test('only what share returned can be attached to', () => {
  expectTypeError(() => attach(untyped(undefined)));
  expectTypeError(() => attach(untyped({ kind: 'mneme-shared' })));
  expectTypeError(() => attach(untyped('path')));
});

test('an attached handle in the same thread is one of its own', () => {
  const database = openHere(temporaryPath());
  const other = attach(database.share());
  other.keyspace('a').set('key', 1);
  expect(database.keyspace('a').get('key')).toBe(1);
  const snapshot = other.snapshot();
  database.keyspace('a').set('key', 2);
  expect(snapshot.keyspace('a').get('key')).toBe(1);
  other.close();
  expect(database.keyspace('a').get('key')).toBe(2);
  expectCode('ERR_MNEME_CLOSED', () => other.keyspace('a'));
});

test('threads that rest leave the writer room in the smallest cache', async () => {
  const database = openHere(temporaryPath(), { cacheSize: 2 ** 20, sync: 'none' });
  const keyspace = database.keyspace('a');
  const count = 30_000;
  keyspace.batch((batch) => {
    for (let key = 0; key < count; key++) batch.set(`${key}`, 'x'.repeat(100));
  });
  const threads = Array.from({ length: 12 }, () => new AttachedThread(database.share()));
  await Promise.all(threads.map((thread) => thread.reply()));
  const readings = await Promise.all(threads.map((thread) => thread.ask('readAll')));
  expect(readings).toStrictEqual(threads.map(() => ({ value: count })));
  keyspace.batch((batch) => {
    for (let key = 0; key < count; key++) batch.set(`${key}`, 'y'.repeat(100));
  });
  expect(keyspace.get('7')).toBe('y'.repeat(100));
  expect(await threads[0]?.ask('get', { key: '29999' })).toStrictEqual({ value: 'y'.repeat(100) });
  await Promise.all(threads.map((thread) => thread.worker.terminate()));
});
