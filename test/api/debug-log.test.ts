/**
 * `NODE_DEBUG=mneme` says on the standard error what a database is at, on every thread; without it
 * there is nothing.
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
  expect(lines.filter((line) => !/^MNEME \d+: [a-z-]+: /u.test(line))).toEqual([]);
  expect(lines.join('\n')).not.toContain(SECRET);
  const said = lines.map((line) => line.replace(/^MNEME \d+: /u, ''));
  const expected = [
    /^open: makes ".*test\.mneme", with a cache of/u,
    /^recovery: meta of slot 0, transaction 1, epoch 1, 32 pages, confirmed$/u,
    /^writer: started, thread \d+, sync full$/u,
    /^lock: has the turn to write, after/u,
    /^commit: transaction 2, 2 pages synced, \d+\.\d\d ms$/u,
    /^commit: transaction 3, /u,
    /^copy: begins, to ".*test\.mneme\.copy"$/u,
    /^copy: done, 2 keys, /u,
    /^close: ".*test\.mneme"$/u,
  ];
  const found = expected.map((line) => said.findIndex((text) => line.test(text)));
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(found[0]).toBe(0);
});

test('without it nothing is said', () => {
  for (const section of [undefined, 'http']) expect(run(section).lines).toEqual([]);
});
