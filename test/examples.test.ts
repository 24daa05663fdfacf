/**
 * The examples run, and find what they check to hold; here with small sizes.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What an example prints. */
function output(name: string, ...sizes: readonly string[]): string {
  const path = fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...sizes], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

test('the leaderboard knows the first ones, and everybody around somebody', () => {
  const text = output('leaderboard.mjs', '3000');
  expect(text).toContain('3,000 players');
  expect(text).toContain('number 1\n');
});

test('the job queue does every job exactly once, however often its workers are killed', () => {
  expect(output('job-queue.mjs', '300')).toMatch(/^300 jobs done, each exactly once/);
});

test('the rate limiter answers as the definition does', () => {
  expect(output('rate-limiter.mjs', '2000')).toMatch(
    /^2000 requests: \d+ passed, \d+ were refused/,
  );
});

test('the quick start prints what the README says', () => {
  expect(output('quickstart.mjs')).toContain('Countess of Lovelace 42');
});

test('the semantic search finds what a plain loop finds, with and without a filter', () => {
  const text = output('semantic-search.mjs');
  expect(text).toMatch(/^\d+ passages, \d+ of them in docs\//);
  expect(text).toContain('Which pages are free');
  expect(output('semantic-search.mjs', 'rank of a member')).toContain('sorted-sets-and-lists.md');
});

test("the agent's memory recalls by words and meaning, and knows what is recent", () => {
  expect(output('agent-memory.mjs')).toContain('latest: note:6, note:5');
});
