/**
 * Commands that make a file, ended in the middle: what was there is as it was, nothing half made is
 * left, and a line and the exit code say what happened.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open } from 'mneme';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../api/support.js';
import { MAIN, mneme, said } from './support.js';

const SIGNALS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
];
const KEYS = 200_000;

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; stderr: string }>;
}

function start(words: readonly string[]): Started {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['pipe', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin?.on('error', () => undefined); // it may be gone before all is written
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<{ status: number | null; stderr: string }>((resolve) => {
    child.once('close', (status) => resolve({ status, stderr }));
  });
  return { child, ended };
}

/** The process that another has started. */
function childOf(parent: number): number {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/u).map(Number));
  const pid = pairs.find(([, of]) => of === parent)?.[0];
  if (pid === undefined) throw new Error(`${parent} has no child`);
  return pid;
}

/** Waits until the output is being made. */
async function halfMade(folder: string): Promise<void> {
  while (!readdirSync(folder).some((name) => name.includes('.tmp-'))) await delay(1);
}

/** A folder with a database that takes a while to be copied, and a file that a copy may replace. */
function filledFolder(): { folder: string; file: string; output: string; content: () => string[] } {
  const folder = temporaryDirectory();
  const [file, output] = [join(folder, 'a.mneme'), join(folder, 'b.mneme')];
  const database = open(file, { sync: 'none' });
  database.batch((tx) => {
    const values = tx.keyspace('a');
    for (let key = 0; key < KEYS; key++) values.set(`key ${key}`, `value ${key} `.repeat(4));
  });
  database.close();
  writeFileSync(output, 'what was there before');
  const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return { folder, file, output, content: () => [file, output].map(hashOf) };
}

test.each(SIGNALS)('a copy that %s ends leaves everything as it was', async (signal, code) => {
  const { folder, file, output, content } = filledFolder();
  const before = content();
  for (const command of ['compact', 'backup']) {
    const { child, ended } = start([command, file, output, '--overwrite']);
    await halfMade(folder);
    child.kill(signal);
    const { status, stderr } = await ended;
    expect([status, readdirSync(folder).sort()]).toEqual([code, ['a.mneme', 'b.mneme']]);
    expect(stderr).toBe(`mneme: ended by ${signal}; what was half made is removed\n`);
    expect(content()).toEqual(before);
  }
});

test.each(SIGNALS)('a load that %s ends leaves nothing behind', async (signal, code) => {
  const folder = temporaryDirectory();
  const { child, ended } = start(['load', join(folder, 'new'), '-', '--json']);
  const records = Array.from({ length: 6000 }, (_, index) => {
    return JSON.stringify({ in: 'a', key: `k${index}`, type: 'text', value: 'v' });
  });
  child.stdin?.write(`${JSON.stringify({ keyspace: 'a', keys: 'text' })}\n`);
  child.stdin?.write(`${records.join('\n')}\n`);
  await halfMade(folder);
  child.kill(signal); // while it waits for more to read
  const { status, stderr } = await ended;
  expect([status, readdirSync(folder)]).toEqual([code, []]);
  expect(JSON.parse(stderr).error.message).toContain(signal);
});

test('a copy whose process is killed is cleared away, with 137', async () => {
  const { folder, file, output, content } = filledFolder();
  const before = content();
  const { child, ended } = start(['compact', file, output, '--overwrite']);
  await halfMade(folder);
  process.kill(childOf(child.pid as number), 'SIGKILL');
  const { status, stderr } = await ended;
  expect([status, readdirSync(folder).sort()]).toEqual([137, ['a.mneme', 'b.mneme']]);
  expect(stderr).toContain('the process was ended by SIGKILL');
  expect(content()).toEqual(before);
});

test('measuring says what it measured, and leaves nothing, ended or not', async () => {
  const folder = temporaryDirectory();
  const rows = said('bench', '--dir', folder, '--seconds', '0.01', '--json').trim().split('\n');
  const names = rows.map((row) => {
    const { operation, count, perSecond, p50, p99 } = JSON.parse(row);
    expect(count).toBeGreaterThan(0);
    expect(perSecond).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    return operation;
  });
  expect(names).toContain('durable put');
  expect(new Set(names).size).toBe(9);
  const { child, ended } = start(['bench', '--dir', folder, '--seconds', '5']);
  await halfMade(folder);
  child.kill('SIGINT');
  expect((await ended).status).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
  expect(mneme('bench', '--seconds', '0').status).toBe(1);
  expect(mneme('bench', '--dir', join(folder, 'none')).status).toBe(1);
});
