/**
 * The real writer and real readers, on threads that run one at a time: at every access to shared
 * memory and every input and output the seed says who goes on.
 *
 * An interleaving is a round in which each client does a task, at a schedule of its own. Over the
 * rounds of a group the database goes on: snapshots and iterators are held, frames and pages are
 * used anew, clients are held up for rounds or ended for good, and in the end, for a file, all are.
 * `MNEME_SEED` repeats all of it; a group depends on nothing but its own seed.
 */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { announce, INTERLEAVING_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { runGroup } from './group.js';
import { IN_TURN, settingOf } from './settings.js';
import { temporaryDirectory } from './temporary.js';

const { groups, rounds, roundsBetweenKills } = INTERLEAVING_COUNTS;
const numbers = Array.from({ length: groups }, (_, index) => index);
let done = 0;

afterAll(() => announce('interleavings', done));

function groupOptions(number: number, ofRounds: number) {
  const setting = settingOf(IN_TURN[number % IN_TURN.length] as (typeof IN_TURN)[number]);
  const path = join(temporaryDirectory(), `${number}.mneme`);
  return { setting, seed: SEED + number, rounds: ofRounds, roundsBetweenKills, path };
}

test.each(numbers)(
  'every thread sees whole and current states, group %i',
  async (number) => {
    const outcome = await runGroup(groupOptions(number, rounds));
    done += outcome.rounds;
    expect(outcome.failure, `MNEME_SEED=${SEED}, group ${number}`).toBeUndefined();
    expect(outcome.rounds).toBe(rounds);
    expect(outcome.acked).toBeGreaterThan(0);
  },
  PROPERTY_TIMEOUT_MS,
);

test.each([0, 3])('the same seed gives the same schedule, group %i', async (number) => {
  const options = { ...groupOptions(number, 45), roundsBetweenKills: 20 };
  const first = await runGroup(options);
  const path = join(temporaryDirectory(), 'again.mneme');
  expect(await runGroup({ ...options, path })).toEqual(first);
  expect(first.switches).toBeGreaterThan(100);
});
