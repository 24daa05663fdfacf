/**
 * Paths at which there is no database, and never was one: each gives its code at once, changes
 * nothing, and nobody waits for the other end of anything.
 */
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type MnemeErrorCode, open } from 'mneme';
import { expect, onTestFinished, test } from 'vitest';
import { expectCode, openHere, temporaryDirectory } from '../api/support.js';

type Codes = readonly [writing: MnemeErrorCode, reading: MnemeErrorCode, cause?: string];

const NOT_ONE: Codes = ['ERR_MNEME_NOT_A_DATABASE', 'ERR_MNEME_NOT_A_DATABASE'];
const NO_PLACE: Codes = ['ERR_MNEME_IO', 'ERR_MNEME_NOT_FOUND', 'ENOENT'];

/** Opens in every way; `codes` are for one that may create, and for others. */
function expectRefused(path: string, [writing, reading, cause]: Codes): void {
  const error = expectCode(writing, () => open(path));
  expect(error.details).toMatchObject({ path, ...(cause === undefined ? {} : { cause }) });
  for (const options of [{ readonly: true }, { create: false }]) {
    expectCode(reading, () => open(path, options));
  }
}

test('devices, directories, empty files and what is below a file are refused', () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'empty');
  writeFileSync(file, '');
  mkdirSync(join(directory, 'directory'));
  symlinkSync('loop', join(directory, 'loop'));
  for (const place of ['/dev/null', '/dev/full', file, join(directory, 'directory')]) {
    expectRefused(place, NOT_ONE);
  }
  expectRefused(join(file, 'below'), ['ERR_MNEME_IO', 'ERR_MNEME_IO', 'ENOTDIR']);
  expectRefused(join(directory, 'loop'), ['ERR_MNEME_IO', 'ERR_MNEME_IO', 'ELOOP']);
  expectRefused(join(directory, 'x'.repeat(300)), ['ERR_MNEME_IO', 'ERR_MNEME_IO', 'ENAMETOOLONG']);
  expectRefused(join(directory, 'missing', 'a.mneme'), NO_PLACE);
  expect(readdirSync(directory)).toStrictEqual(['directory', 'empty', 'loop']);
});

test('a symbolic link to nothing is not replaced', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'link');
  symlinkSync(join(directory, 'nowhere'), path);
  expectRefused(path, NO_PLACE);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readdirSync(directory)).toStrictEqual(['link']);
});

test('a socket is refused, and its server stays', async () => {
  const path = join(temporaryDirectory(), 'socket');
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  expectRefused(path, NOT_ONE);
  expect(lstatSync(path).isSocket()).toBe(true);
});

test('nobody waits for the other end of a pipe, at a path or behind a link', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'pipe');
  if (spawnSync('mkfifo', [path]).status !== 0) return; // not a system with pipes in files
  symlinkSync('pipe', join(directory, 'link'));
  // One that waits would wait for ever: the test's own time limit ends it.
  expectRefused(path, NOT_ONE);
  expectRefused(join(directory, 'link'), NOT_ONE);
});

test('a hard link is the same file, whichever of its names goes', () => {
  const directory = temporaryDirectory();
  const [path, linked] = [join(directory, 'a.mneme'), join(directory, 'b.mneme')];
  const one = openHere(path);
  one.keyspace('a').set('key', 1);
  linkSync(path, linked);
  const other = openHere(linked, { lockTimeout: 50 });
  for (let round = 0; round < 20; round++) {
    expect(one.keyspace('a').incr('key')).toBe(2 * round + 2);
    expect(other.keyspace('a').incr('key')).toBe(2 * round + 3);
  }
  one.batch((tx) => {
    tx.keyspace('a').set('key', 'mine');
    expectCode('ERR_MNEME_LOCKED', () => other.keyspace('a').set('key', 'other'));
  });
  unlinkSync(path);
  expect(other.keyspace('a').get('key')).toBe('mine');
  other.keyspace('a').set('key', 'after');
  one.close();
  other.close();
  const reopened = openHere(linked);
  expect(reopened.keyspace('a').get('key')).toBe('after');
  expect(reopened.verify()).toMatchObject({ ok: true, problems: [] });
});
