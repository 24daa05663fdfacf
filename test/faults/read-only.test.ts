/**
 * `readonly: true` where nothing can be written: it opens, reads, pins and checks, and writes
 * nothing.
 */
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHere, temporaryDirectory, temporaryPath } from '../api/support.js';
import { reportOf, run, runOnOwnDisk } from './program.js';

const KEYS = 500;
const DISK_BYTES = 4 * 2 ** 20;

function writtenFile(): string {
  const path = temporaryPath();
  const database = openHere(path);
  database.keyspace('a').batch((writer) => {
    for (let key = 0; key < KEYS; key++) writer.set(`${key}`, `value ${key}`);
  });
  database.close();
  return path;
}

function expectReads(report: Record<string, unknown>, cause: string): void {
  expect(report).toStrictEqual({
    beside: cause,
    seen: ['value 7', KEYS, KEYS, 'value 7', 0, 'value 7', 'value 7'],
    write: 'ERR_MNEME_READONLY',
    writableWrite: cause,
    isUnchanged: true,
  });
}

test('a file of mode 0444 in a directory of mode 0555 is read', () => {
  const path = writtenFile();
  const content = readFileSync(path);
  chmodSync(path, 0o444);
  chmodSync(dirname(path), 0o555);
  onTestFinished(() => chmodSync(dirname(path), 0o755));
  expectReads(reportOf(run('', 'read-only', path, 'nobody')), 'EACCES');
  expect(Buffer.compare(readFileSync(path), content)).toBe(0);
  expect(readdirSync(dirname(path))).toStrictEqual(['test.mneme']);
});

test('a file on a disk that is mounted for reading only is read', () => {
  const original = writtenFile();
  const disk = temporaryDirectory();
  const path = join(disk, 'test.mneme');
  const prelude = `cp '${original}' '${path}' && mount -o remount,ro '${disk}' || exit 98`;
  const ended = runOnOwnDisk(disk, DISK_BYTES, prelude, 'read-only', path, 'root');
  if (ended !== undefined) expectReads(reportOf(ended), 'EROFS');
});
