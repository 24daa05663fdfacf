/**
 * Copies made while others write and read: each is one committed state, and nobody waits for it.
 */
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Database, open } from 'mneme';
import { expect, onTestFinished, test } from 'vitest';
import { openInChild } from './child.js';
import { openHere, temporaryPath } from './support.js';

const THREAD = new URL('./children/attached-thread.mjs', import.meta.url);
const COPIES = 6;

async function attachedThread(database: Database): Promise<(message: object) => Promise<unknown>> {
  const worker = new Worker(THREAD, { workerData: { shared: database.share() } });
  onTestFinished(async () => void (await worker.terminate()));
  await once(worker, 'message');
  return async (message) => {
    const reply = once(worker, 'message');
    worker.postMessage(message);
    return (await reply)[0];
  };
}

/** The two counters that each batch raises together; they are the same in every committed state. */
function countersIn(path: string, name: string): (number | undefined)[] {
  const copy = open(path, { create: false });
  const counters = copy.keyspace('a').getMany(['total', name]) as (number | undefined)[];
  expect(copy.verify().problems).toStrictEqual([]);
  copy.close();
  return counters;
}

test.each([
  'full',
  'none',
] as const)('copies are states, with a writing thread, %s', async (sync) => {
  const database = openHere(temporaryPath(), { sync });
  const target = join(dirname(database.path), 'copy.mneme');
  const ask = await attachedThread(database);
  const written = ask({ task: 'transfer', count: 1500, name: 'n' });
  let before = 0;
  for (let round = 0; round < COPIES; round++) {
    database[round % 2 === 0 ? 'backup' : 'compact'](target, { overwrite: true });
    const [total = 0, part = 0] = countersIn(target, 'n');
    expect(part).toBe(total);
    expect(total).toBeGreaterThanOrEqual(before);
    before = total;
  }
  expect(await written).toEqual({});
  expect(database.keyspace('a').get('total')).toBe(1500);
});

test('copies are states, with a process that writes', async () => {
  const path = temporaryPath();
  const database = openHere(path);
  const target = join(dirname(path), 'copy.mneme');
  const child = await openInChild(path);
  const written = child.ask('countUp', 'n', 400);
  for (let round = 0; round < COPIES; round++) {
    database.backup(target, { overwrite: true });
    const [total, part] = countersIn(target, 'n');
    expect(part).toBe(total);
  }
  await written;
  database.backup(target, { overwrite: true });
  expect(countersIn(target, 'n')).toStrictEqual([400, 400]);
  expect(database.verify().problems).toStrictEqual([]);
});

test('an attached thread copies while the others write and read', async () => {
  const database = openHere(temporaryPath());
  const keyspace = database.keyspace('a');
  keyspace.batch((batch) => {
    for (let key = 0; key < 12_000; key++) batch.set(`${key}`, key);
  });
  const target = join(dirname(database.path), 'copy.mneme');
  const ask = await attachedThread(database);
  const copied = ask({ task: 'copy', method: 'compact', target, count: 3 });
  for (let key = 0; key < 300; key++) {
    keyspace.set(`${key}`, 'written meanwhile');
    expect(keyspace.get(`${key}`)).toBe('written meanwhile');
  }
  expect(await copied).toStrictEqual({ value: 12_000 });
  expect(openHere(target).keyspace('a').count()).toBe(12_000);
});
