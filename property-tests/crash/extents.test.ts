/**
 * Power cuts while the free state is in several extents that name each other, as in large files.
 */
import { expect, test } from 'vitest';
import { announceStates, CRASH_COUNTS, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, EngineRun, emptyDatabase, OTHER_BOOT, type SyncMode } from './engine-run.js';
import { Examiner } from './examination.js';
import { History } from './history.js';
import { countStates } from './many-histories.js';

const KEY_COUNT = 600;

/** A database whose free pages are in so many runs that other extents follow on the first. */
function tornDatabase(): DiskImage {
  const image = emptyDatabase();
  const run = new EngineRun(image, 'full', BOOT, { freeLogBytesMax: 0 });
  // Three to a leaf, and a key of every other leaf changes.
  for (const [distance, letter] of [
    [1, 'x'],
    [6, 'y'],
  ] as const) {
    run.engine.begin();
    for (let key = 0; key < KEY_COUNT; key += distance) {
      run.set(`torn ${String(key).padStart(4, '0')}`, letter.repeat(950), 0, 'torn');
    }
    run.commit();
  }
  run.engine.close();
  image.settle();
  return image;
}

function crashHistory(start: DiskImage, sync: SyncMode, seed: number): Examiner {
  const random = randomFrom(seed);
  const run = new EngineRun(start, sync, BOOT, { freeLogBytesMax: 0 });
  const history = new History(run, random);
  for (let index = 0; index < CRASH_COUNTS.transactions; index++) {
    history.transaction(1);
    history.rest(sync);
  }
  start.rollBack(0);
  const examiner = new Examiner(start, OTHER_BOOT);
  forEachCrash(start, run.file.events, { random }, (disk) => {
    const oldest = sync === 'full' ? disk.acknowledged : disk.promised;
    examiner.examine(disk, history.states.slice(oldest, disk.acknowledged + 2));
  });
  return examiner;
}

test.each(['full', 'none'] as const)(
  'with sync %s a power cut spares a free state that is in several extents',
  (sync) => {
    const start = tornDatabase();
    let extentsMax = 0;
    const examine = (image: DiskImage, seed: number): Examiner => {
      const examined = crashHistory(image, sync, seed);
      extentsMax = Math.max(extentsMax, examined.extentsMax);
      return examined;
    };
    const counted = countStates(CRASH_COUNTS.extents, examine, [start, start]);
    expect(extentsMax, 'extents follow one another').toBeGreaterThan(1);
    announceStates(`crash states, sync ${sync}, ${extentsMax} extents at most`, counted);
  },
  PROPERTY_TIMEOUT_MS,
);
