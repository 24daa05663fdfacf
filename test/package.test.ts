/**
 * The package as npm would publish it: small, with types that resolve, and working where it is
 * installed into an empty folder without running anybody's install scripts. Run alone by
 * `npm run lint:package`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PACKED_SIZE_BYTES_MAX = 500_000;

let folder = '';
let tarball = '';

/** What a command prints, which has to succeed. */
function run(cwd: string, command: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** A development tool, by the file that its package runs. */
function runTool(path: string, ...words: readonly string[]): string {
  return run(folder, process.execPath, join(ROOT, 'node_modules', path), ...words);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mneme-package-'));
  // Without one npm would install into a folder above.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  run(ROOT, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the packed package is smaller than 500 kB', () => {
  expect(statSync(tarball).size).toBeLessThan(PACKED_SIZE_BYTES_MAX);
});

test('publint finds nothing, not even to suggest', () => {
  expect(runTool('publint/src/cli.js', 'run', tarball, '--strict')).toContain('All good!');
});

test('the types of every entry resolve to what the entry is', () => {
  // The package is ESM only, so resolutions that know none are left out.
  const words = [tarball, '--profile', 'esm-only', '--format', 'json'];
  const { problems } = JSON.parse(runTool('@arethetypeswrong/cli/dist/index.js', ...words));
  const kinds = Object.keys(problems ?? {});
  expect(kinds.filter((kind) => !['NoResolution', 'CJSResolvesToESM'].includes(kind))).toEqual([]);
});

const PROGRAM = `
  const assert = require('node:assert');
  const { MnemeError, open } = require('mneme');
  const { generateKeyPair } = require('mneme/crypto');
  const db = open('app.mneme', { encryption: { seed: generateKeyPair().seed } });
  db.keyspace('vault', { encrypted: true }).set('door', 4711);
  db.keyspace('colours').vset('gold', [1, 0.84, 0]);
  assert.equal(db.keyspace('colours').vsearch([1, 0.8, 0])[0].key, 'gold');
  db.ftKeyspace('notes').put('pond', 'a duck on a pond');
  assert.equal(db.ftKeyspace('notes').search('duck')[0].key, 'pond');
  assert.throws(() => open('app.mneme', { readonly: true }).keyspace('a').set('b', 1), MnemeError);
  db.close();
`;

test('it installs into an empty folder without scripts, runs, and has its command', () => {
  const words = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  // The cache that this checkout was installed from has all it needs.
  run(folder, 'npm', ...words, '--prefer-offline', tarball);
  const installed = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  expect(Object.keys(installed.dependencies)).toEqual(['mneme']);
  writeFileSync(join(folder, 'program.cjs'), PROGRAM);
  run(folder, process.execPath, 'program.cjs');
  const command = join(folder, 'node_modules/.bin/mneme');
  expect(run(folder, command, 'search', 'text', 'app.mneme', 'notes', 'pond')).toContain('pond');
});
