/**
 * A crash, and another at every operation of the recovery from it and of the first commit after:
 * the state that was found the first time is still there, or that commit.
 */
import { test } from 'vitest';
import { announceStates, CRASH_COUNTS, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { OTHER_BOOT, type SyncMode } from './engine-run.js';
import { Examiner, type Recovery } from './examination.js';
import { countStates, recordHistory } from './many-histories.js';

/** How many of the first crashes are followed by a second. */
const SHARE = 0.25;

/** Crashes of what followed on a first crash, which is what the image shows. */
function crashAgain(image: DiskImage, recovery: Recovery, random: () => number): Examiner {
  const examiner = new Examiner(image, OTHER_BOOT);
  const { events, content, contentAfter } = recovery;
  forEachCrash(image, events, { random }, (disk) => {
    const isAcknowledged = disk.acknowledged === 1;
    examiner.inspect(disk, isAcknowledged ? [contentAfter] : [content, contentAfter]);
  });
  return examiner;
}

function crashTwice(start: DiskImage, sync: SyncMode, seed: number) {
  const random = randomFrom(seed);
  const { events, states } = recordHistory(start, sync, random, CRASH_COUNTS.transactions);
  const first = new Examiner(start, OTHER_BOOT);
  const second = { states: 0, distinct: 0 };
  forEachCrash(start, events, { random }, (disk) => {
    if (random() > SHARE) return;
    const oldest = sync === 'full' ? disk.acknowledged : disk.promised;
    const recovery = first.examine(disk, states.slice(oldest, disk.acknowledged + 2));
    if (recovery === undefined) return;
    const again = crashAgain(start, recovery, random);
    second.states += again.states;
    second.distinct += again.distinct;
  });
  return second;
}

test.each(['full', 'none'] as const)(
  'sync %s: a recovery that is cut short can be begun anew',
  (sync) => {
    const counted = countStates(CRASH_COUNTS.double, (start, seed) =>
      crashTwice(start, sync, seed),
    );
    announceStates(`second crashes, sync ${sync}`, counted);
  },
  PROPERTY_TIMEOUT_MS,
);
