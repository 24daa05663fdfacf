/**
 * Copies of a database that are cut off: by a kill at any moment, by the end of the process, by a
 * disk that is full. Either the whole copy has its name or none, and the original is as it was.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'mneme';
import { expect, test } from 'vitest';
import { expectCode, openHere, temporaryDirectory, temporaryPath } from '../api/support.js';
import { reportOf, run, runOnOwnDisk } from './program.js';

const KEYS = 40_000;
const KILLS = 5;

/** A database whose copy takes several commits and some megabytes. */
function original(path = temporaryPath()): string {
  const database = open(path, { sync: 'none' });
  const keyspace = database.keyspace('a');
  keyspace.batch((batch) => {
    for (let key = 0; key < KEYS; key++) batch.set(`${key}`, `value ${key}`.repeat(6));
    batch.set('long', 'x'.repeat(2_000_000));
  });
  database.close();
  return path;
}

function expectWhole(path: string): void {
  const copy = open(path, { create: false });
  expect(copy.keyspace('a').count()).toBe(KEYS + 1);
  expect(copy.verify().problems).toStrictEqual([]);
  copy.close();
}

/** What is left under a temporary name is nobody's database, or whole by chance. */
function examineLeftovers(directory: string): void {
  for (const name of readdirSync(directory).filter((name) => name.includes('.tmp-'))) {
    const path = join(directory, name);
    try {
      open(path, { create: false }).close();
    } catch {
      expectCode('ERR_MNEME_CORRUPT', () => openHere(path, { create: false }));
      continue;
    }
    expectWhole(path);
  }
}

/** Kills a process that makes copies, after so many lines that it has written. */
async function killWhenTold(count: number, ...parameters: readonly string[]): Promise<void> {
  const program = fileURLToPath(new URL('./children/copy.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let lines = 0;
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      lines += data.toString().split('\n').length - 1;
      if (lines >= count) resolve();
    });
    child.on('close', () => resolve());
  });
  child.kill('SIGKILL');
  await closed;
}

test('after a kill at any moment the whole copy has its name, or none', async () => {
  const path = original();
  const target = join(dirname(path), 'copy.mneme');
  for (let kill = 0; kill < KILLS; kill++) {
    await killWhenTold(1 + kill * 17, path, target, 'compact', 'again');
    if (existsSync(target)) expectWhole(target);
    examineLeftovers(dirname(path));
    expectWhole(path);
  }
  // The listener is told less often than the last one has let it be.
  expect(existsSync(target)).toBe(true);
});

test.each(['copy', 'verify'])('a kill in phase %s leaves no file of that name', async (phase) => {
  const path = original();
  const target = join(dirname(path), 'copy.mneme');
  await killWhenTold(1, path, target, 'backup', 'stay', phase);
  expect(existsSync(target)).toBe(false);
  const [leftover = ''] = readdirSync(dirname(path)).filter((name) => name.includes('.tmp-'));
  const temporary = join(dirname(path), leftover);
  if (phase === 'verify') expectWhole(temporary);
  else expectCode('ERR_MNEME_CORRUPT', () => openHere(temporary, { create: false }));
  expectWhole(path);
});

test.each(['copy', 'verify'])('process.exit in phase %s leaves nothing', (phase) => {
  const path = original();
  const target = join(dirname(path), 'copy.mneme');
  const ended = run('', 'copy', path, target, 'compact', 'exit', phase);
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(dirname(path))).toStrictEqual(['test.mneme']);
});

// In blocks of 512 bytes: room for the metas, for some commits, for all but the end.
test.each([200, 700, 3000, 9000])('a copy that may have %i blocks is given up', (blocks) => {
  const path = original();
  const target = join(dirname(path), 'copy.mneme');
  const report = reportOf(run(`ulimit -S -f ${blocks}`, 'copy', path, target, 'compact', 'once'));
  const left = ['test.mneme'];
  expect(report).toMatchObject({ count: KEYS + 1, ok: true, left });
  expect(report['outcome']).toMatch(/^ERR_MNEME_IO (ENOSPC|EFBIG)$/);
});

test('a copy onto a disk that is really full is given up', () => {
  const path = original();
  const disk = temporaryDirectory();
  const target = join(disk, 'copy.mneme');
  mkdirSync(disk, { recursive: true });
  for (const sizeBytes of [64 * 1024, 1024 * 1024, 4 * 2 ** 20]) {
    const ended = runOnOwnDisk(disk, sizeBytes, '', 'copy', path, target, 'backup', 'once');
    if (ended === undefined) return;
    const outcome = 'ERR_MNEME_IO ENOSPC';
    expect(reportOf(ended)).toStrictEqual({ outcome, count: KEYS + 1, ok: true, left: [] });
  }
});
