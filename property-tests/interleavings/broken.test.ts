/**
 * Each rule by which threads share memory and files, broken once: the interleavings have to see it.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { announce, INTERLEAVING_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { BREAKAGES, type Breakage, breakRule } from './broken.js';
import { runGroup } from './group.js';
import { settingOf } from './settings.js';
import { temporaryDirectory } from './temporary.js';

const { roundsToBreak, isSoak } = INTERLEAVING_COUNTS;
const GROUP_ROUNDS = 1000;
const shown = BREAKAGES.filter(({ isRare }) => isSoak || isRare !== true);

/** Runs groups until one fails; returns the rounds that it took. */
async function search(breakage: Breakage): Promise<number> {
  const dist = breakRule(breakage, temporaryDirectory());
  const setting = settingOf(breakage.setting);
  let rounds = 0;
  for (let group = 0; rounds < roundsToBreak; group++) {
    const path = join(temporaryDirectory(), `${group}.mneme`);
    const options = { setting, seed: SEED + group, rounds: GROUP_ROUNDS, dist, path };
    const outcome = await runGroup({ ...options, roundsBetweenKills: 50 });
    rounds += outcome.rounds;
    if (outcome.failure !== undefined) return rounds;
  }
  expect.fail(`not seen in ${rounds} rounds, MNEME_SEED=${SEED}`);
}

test.each(shown)(
  'it shows without the rule that $rule',
  async (breakage) => {
    const rounds = await search(breakage);
    announce(`interleavings until it showed without "${breakage.rule}"`, rounds);
  },
  PROPERTY_TIMEOUT_MS,
);
