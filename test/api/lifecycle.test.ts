/**
 * The life of a process that has a database open, from the outside: that it starts at once, ends by
 * itself, keeps what it wrote when it ends, and what it was promised when it is killed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { announce, KILL_ROUNDS, PROPERTY_TIMEOUT_MS, SEED } from '../../property-tests/counts.js';
import { openHere, temporaryPath } from './support.js';

/** Long enough for any machine: a process that hangs is told from one that is slow. */
const HANG_MS = 60_000;

function childPath(name: string): string {
  return fileURLToPath(new URL(`./children/${name}.mjs`, import.meta.url));
}

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(name: string, ...parameters: string[]): Ended {
  return spawnSync(process.execPath, [childPath(name), ...parameters], {
    encoding: 'utf8',
    timeout: HANG_MS,
  });
}

const leavings = [
  { leaving: 'end', how: 'having nothing left to do', status: 0 },
  { leaving: 'later', how: 'a last write from a timer', status: 0 },
  { leaving: 'exit', how: 'process.exit()', status: 7 },
  { leaving: 'throw', how: 'an error that nobody caught', status: 1 },
] as const;

for (const sync of ['full', 'none'] as const) {
  for (const { leaving, how, status } of leavings) {
    test(`a process with sync ${sync} that ends by ${how} keeps all that it wrote`, () => {
      const path = temporaryPath();
      const ended = run('write-and-leave', path, sync, leaving);
      if (leaving !== 'throw') expect(ended.stderr).toBe('');
      else expect(ended.stderr).toContain('left by an error');
      expect(ended).toMatchObject({ status, signal: null, stdout: 'same tick, 2202\n' });
      const database = openHere(path, { create: false });
      const keyspace = database.keyspace('a');
      expect(keyspace.count()).toBe(leaving === 'later' ? 2203 : 2202);
      expect(keyspace.get('last')).toBe('x'.repeat(100_000));
      expect(keyspace.get('batch 1999')).toBe('v'.repeat(100));
      expect(database.verify()).toMatchObject({ ok: true, problems: [] });
    });
  }
}

test('without WebAssembly everything works, and the file is the same', () => {
  const path = temporaryPath();
  const child = childPath('without-web-assembly');
  const options = { encoding: 'utf8', timeout: HANG_MS } as const;
  const ended = spawnSync(process.execPath, ['--jitless', child, path], options);
  expect(ended).toMatchObject({ status: 0, stdout: 'undefined, 1501, 150000\n' });
  const database = openHere(path, { create: false });
  const keyspace = database.keyspace('a');
  expect(keyspace.count('key 1')).toBe(556);
  expect(keyspace.get('key 1177')).toBe('v'.repeat(177));
  expect(keyspace.get('key 1178')).toBeUndefined();
  // The same hits to the last bit, and so from the same codes.
  const query = Float32Array.from({ length: 70 }, (_, at) => {
    return Math.sin(300 * 12.9898 + at * 78.233);
  });
  const found = (['cosine', 'dot', 'l2'] as const).map((metric) => {
    const hits = keyspace.vsearch(query, { metric, topK: 5 });
    return hits.map(({ key, score }) => [key, score]);
  });
  expect(JSON.parse(keyspace.get('found') as string)).toStrictEqual(found);
  expect(keyspace.vcount()).toBe(200);
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
});

test('the writer worker terminated is an error within a second, and reads go on', () => {
  const ended = run('writer-terminated', temporaryPath());
  expect(ended).toMatchObject({ status: 0, signal: null });
  const { elapsedMs, workerCount, ...rest } = JSON.parse(ended.stdout) as Record<string, unknown>;
  expect(workerCount).toBeGreaterThan(0);
  // Two writes, each to fail within a second; the rest is for a machine that is busy.
  expect(elapsedMs).toBeLessThan(10_000);
  expect(rest).toStrictEqual({
    codes: ['ERR_MNEME_WRITER_DIED', 'ERR_MNEME_WRITER_DIED'],
    read: 'before',
    pairs: [['key', 'before']],
    afterwards: 'reopened',
    isSound: true,
  });
});

/** Lets a child write until it has acknowledged some batches, then kills it at any moment. */
async function writeUntilKilled(path: string, sync: string, first: number): Promise<number> {
  const parameters = [childPath('batches-until-killed'), path, sync, String(first)];
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const enough = first + 1 + Math.floor(random() * 60);
  let output = '';
  const isEnough = (): boolean => lastLine(output, first - 1) >= enough;
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (isEnough()) resolve();
    });
    child.on('close', () => resolve());
  });
  expect(isEnough()).toBe(true);
  await wait(Math.floor(random() * 8));
  child.kill('SIGKILL');
  await closed;
  return lastLine(output, first - 1);
}

/** The last number that was written whole. */
function lastLine(output: string, otherwise: number): number {
  const line = output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1);
  return line === undefined || line === '' ? otherwise : Number(line);
}

let randomState = SEED >>> 0;

/** From 0 to 1, the same for the same seed. */
function random(): number {
  randomState = (Math.imul(randomState, 1664525) + 1013904223) >>> 0;
  return randomState / 2 ** 32;
}

/** Checks that the file holds whole batches only; returns the last of them, -1 when none. */
function lastWholeBatch(path: string): number {
  const database = openHere(path, { create: false });
  const last = Number(database.keyspace('shared').get('last') ?? -1);
  const keys = database
    .keyspace('own')
    .range()
    .map(([key]) => key)
    .toArray();
  const expected: string[] = [];
  for (let batch = Math.max(0, last - 40); batch <= last; batch++) {
    for (let part = 0; part < 10; part++) {
      expected.push(`${String(batch).padStart(8, '0')}:${part}`);
    }
  }
  expect(keys).toStrictEqual(expected);
  for (const [key, value] of database.keyspace('own').range()) {
    const batch = Number(key.slice(0, 8));
    const size = batch % 10 === 9 ? 30_000 : (batch * 37) % 900;
    if (value !== `${batch},`.repeat(size + 1)) expect.fail(`${key} is not what was written`);
  }
  for (const [key, value] of database.keyspace('shared').range()) {
    if (key !== 'last') expect(value).toBe(lastBatchWithShared(Number(key), last));
  }
  expect(database.verify()).toMatchObject({ ok: true, problems: [] });
  database.close();
  return last;
}

/** The newest batch up to `last` that wrote this shared key. */
function lastBatchWithShared(key: number, last: number): number {
  for (let batch = last; batch >= 0; batch--) {
    if ((((key - batch * 13) % 400) + 400) % 400 < 20) return batch;
  }
  return -1;
}

test('with sync full a killed process leaves all acknowledged batches and no half of one', {
  timeout: PROPERTY_TIMEOUT_MS,
}, async () => {
  announce('killed with sync full', KILL_ROUNDS);
  const path = temporaryPath();
  let next = 0;
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const acknowledged = await writeUntilKilled(path, 'full', next);
    const last = lastWholeBatch(path);
    expect([acknowledged, acknowledged + 1]).toContain(last);
    next = last + 1;
  }
});

test('with sync none a killed process leaves a whole earlier commit', {
  timeout: PROPERTY_TIMEOUT_MS,
}, async () => {
  announce('killed with sync none', KILL_ROUNDS);
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const path = temporaryPath();
    const acknowledged = await writeUntilKilled(path, 'none', 0);
    const last = lastWholeBatch(path);
    expect(last).toBeLessThanOrEqual(acknowledged + 1);
  }
});
