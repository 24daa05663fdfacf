/**
 * `NODE_DEBUG=mneme` says on the standard error what all threads of a database are at, the writer's
 * too; without it there is nothing.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryPath } from './support.js';

const CHILD = fileURLToPath(new URL('./children/say-what-you-do.mjs', import.meta.url));
const SECRET = 'marzipan';

function run(section: string | undefined) {
  const env = { ...process.env, NODE_DEBUG: section };
  const words = [CHILD, temporaryPath(), SECRET];
  const { stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  return { stdout, lines: stderr.split('\n').filter((line) => line !== '') };
}

test('what happens is said a line each, and nothing of what is stored', () => {
  const { stdout, lines } = run('mneme');
  expect(stdout).toBe('done');
  expect(lines.filter((line) => !/^MNEME \d+: [^ ]+: /u.test(line))).toEqual([]);
  expect(lines.join('\n')).not.toContain(SECRET);
  const said = lines.map((line) => line.replace(/^MNEME \d+: /u, ''));
  const expected = [
    /^recovery: meta of slot 0, transaction 1, epoch 1, 32 pages, confirmed$/u,
    /: opened at 1, 32 pages/u,
    /: starts the writer$/u,
    /^writer: runs, thread \d+, sync full$/u,
    /^lock: has the turn to write, after/u,
    /^writer: transaction 2, 2 pages synced, \d+\.\d\d ms$/u,
    /: commit 2, \d+ bytes/u,
    /^writer: transaction 3, /u,
    /test\.mneme: closes$/u,
  ];
  const found = expected.map((line) => said.findIndex((text) => line.test(text)));
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(found[0]).toBe(0);
});

test('without it nothing is said', () => {
  for (const section of [undefined, 'http']) expect(run(section).lines).toEqual([]);
});
