/**
 * Readers that end in the middle of a search.
 */
import { expect, test } from 'vitest';
import { announce, KILL_ROUNDS, PROPERTY_TIMEOUT_MS, SEED } from '../../property-tests/counts.js';
import { temporaryPath } from '../api/support.js';
import { reportOf, run } from './program.js';

const ROUNDS = 5 * KILL_ROUNDS;

test('readers terminated in a search change no answer', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  announce('readers terminated', ROUNDS);
  const ended = run('', 'readers-terminated', temporaryPath(), `${ROUNDS}`, `${SEED}`);
  expect(reportOf(ended)).toStrictEqual({ terminated: true, problems: [] });
});
