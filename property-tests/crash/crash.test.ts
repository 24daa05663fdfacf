/**
 * Power cuts and kills at every operation of random histories: what opens afterwards is exactly the
 * acknowledged state or the one in flight, its file is sound, and work goes on.
 */
import { test } from 'vitest';
import { announceStates, CRASH_COUNTS, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, OTHER_BOOT, type SyncMode } from './engine-run.js';
import { Examiner } from './examination.js';
import { WRITE_BEHIND_LAG } from './history.js';
import { countStates, recordHistory } from './many-histories.js';

interface Kind {
  readonly title: string;
  readonly sync: SyncMode;
  readonly isKill: boolean;
  readonly states: number;
}

const KINDS: readonly Kind[] = [
  { title: 'sync full, power cut', sync: 'full', isKill: false, states: CRASH_COUNTS.full },
  { title: 'sync none, power cut', sync: 'none', isKill: false, states: CRASH_COUNTS.none },
  { title: 'sync none, kill', sync: 'none', isKill: true, states: CRASH_COUNTS.killed },
];

/** Crashes of one history: at every operation, in every way. Returns what was examined. */
function crashHistory(start: DiskImage, kind: Kind, seed: number): Examiner {
  const random = randomFrom(seed);
  const { sync, isKill } = kind;
  const { events, states } = recordHistory(start, sync, random, CRASH_COUNTS.transactions);
  const examiner = new Examiner(start, isKill ? BOOT : OTHER_BOOT);
  forEachCrash(start, events, { random, chances: 2, isKill }, (disk) => {
    const { acknowledged, promised } = disk;
    const lag = isKill ? Math.max(0, acknowledged - WRITE_BEHIND_LAG) : promised;
    const oldest = sync === 'full' ? acknowledged : lag;
    examiner.examine(disk, states.slice(oldest, acknowledged + 2));
  });
  return examiner;
}

test.each(KINDS)(
  '$title: what is found is a whole state, none that is acknowledged is lost',
  (kind) => {
    const counted = countStates(kind.states, (start, seed) => crashHistory(start, kind, seed));
    announceStates(`crash states, ${kind.title}`, counted);
  },
  PROPERTY_TIMEOUT_MS,
);
