/**
 * Runs the tests on each version of Node that is supported, one after the other; prints a table:
 *
 *   npm run test:nodes                        all tests, about ten minutes a version
 *   npm run test:nodes -- test/api            those whose path has the words
 *   npm run test:nodes -- --node 26 test/api  on one version
 *
 * Node comes from npm, from the packages that hold nothing but its binary. Workers and child
 * processes of the tests run on the same one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The oldest that is supported, and the newest of each line. */
const VERSIONS = ['20.19.0', '22', '24', '26'];
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PLACE = join(ROOT, 'node_modules/.cache/nodes');

/** Where the binary of a version is, once it is installed. */
function install(version) {
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${system}-${process.arch}`;
  const folder = join(PLACE, version);
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const words = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', [...words, `${name}@${version}`], { stdio: 'inherit' });
  if (status !== 0 || !existsSync(binary)) throw new Error(`Node ${version} cannot be installed`);
  return binary;
}

/** What came of the tests on a version. */
function run(version, words) {
  const binary = install(version);
  const PATH = `${dirname(binary)}${delimiter}${process.env.PATH}`;
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const options = {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, PATH },
    maxBuffer: 2 ** 28,
  };
  const exact = spawnSync(binary, ['--version'], options).stdout.trim();
  const { status, stdout, stderr } = spawnSync(binary, [vitest, 'run', ...words], options);
  const [, passed = '0', failed = '?'] = /^(\d+) passed, (\d+) failed$/mu.exec(stdout) ?? [];
  if (status !== 0) process.stdout.write(stdout + stderr);
  return { exact, passed, failed, isRight: status === 0 && failed === '0' };
}

const { values, positionals } = parseArgs({
  options: { node: { type: 'string', multiple: true } },
  allowPositionals: true,
});
const versions = values.node ?? VERSIONS;
const rows = versions.map((version) => run(version, positionals));
process.stdout.write('\n| Node | passed | failed |\n|---|---:|---:|\n');
for (const { exact, passed, failed } of rows) {
  process.stdout.write(`| ${exact} | ${passed} | ${failed} |\n`);
}
process.exitCode = rows.every(({ isRight }) => isRight) ? 0 : 1;
