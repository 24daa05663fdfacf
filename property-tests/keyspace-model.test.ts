/**
 * Typed values against the model: whatever is done, in whatever order, both give the same answers.
 *
 * The smallest cache and the smallest pages make splits, merges, evictions and overflow ordinary;
 * the largest pages show what hides in them.
 */
import fc from 'fast-check';
import { test } from 'vitest';
import { announce, KEYSPACE_COUNTS, PROPERTY_TIMEOUT_MS, SEARCH_LIMIT_MS, SEED } from './counts.js';
import { sequence } from './support/arbitrary-steps.js';
import { type ContestOptions, runContest } from './support/contest.js';

function check(title: string, runs: number, options: Omit<ContestOptions, 'sync'>): void {
  announce(title, runs);
  const sync = fc.constantFrom('full' as const, 'none' as const);
  const property = fc.property(sequence, sync, (steps, mode) => {
    runContest(steps, { ...options, sync: mode });
  });
  fc.assert(property, {
    seed: SEED,
    numRuns: runs,
    interruptAfterTimeLimit: SEARCH_LIMIT_MS,
    markInterruptAsFailure: true,
  });
}

test('a file of the smallest pages answers like the model after any steps', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('keyspace model, 4 KiB pages, file', KEYSPACE_COUNTS.smallPagesOnDisk, {
    place: 'disk',
    pageSize: 4096,
  });
});

test('a database in memory answers like the model after any steps', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('keyspace model, 4 KiB pages, memory', KEYSPACE_COUNTS.smallPagesInMemory, {
    place: 'memory',
    pageSize: 4096,
  });
});

test('a file of encrypted keyspaces answers like the model after any steps', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('keyspace model, encrypted, file', KEYSPACE_COUNTS.encryptedOnDisk, {
    place: 'disk',
    pageSize: 4096,
    encrypted: true,
  });
});

test('a file of the largest pages answers like the model after any steps', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('keyspace model, 64 KiB pages, file', KEYSPACE_COUNTS.largePagesOnDisk, {
    place: 'disk',
    pageSize: 65536,
  });
});
