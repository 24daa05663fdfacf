/**
 * Power cuts and kills of histories in encrypted keyspaces: what opens afterwards is exactly the
 * acknowledged state or the one in flight, and nothing of it was ever written in the clear.
 */
import { expect, test } from 'vitest';
import { announceStates, CRASH_COUNTS, PROPERTY_TIMEOUT_MS } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, encryptAll, OTHER_BOOT, type SyncMode } from './engine-run.js';
import { Examiner } from './examination.js';
import { WRITE_BEHIND_LAG } from './history.js';
import { countStates, type RecordedHistory, recordHistory } from './many-histories.js';

encryptAll();

/** How all keys of the histories begin; documents have ids and words of the same kind. */
const PLAIN = 'key 0';

function expectNothingPlain({ events }: RecordedHistory): void {
  for (const event of events) {
    if (event.kind !== 'write' || !Buffer.from(event.bytes).includes(PLAIN)) continue;
    expect.fail(`bytes at ${event.offset} are not sealed`);
  }
}

interface Kind {
  readonly sync: SyncMode;
  readonly isKill: boolean;
}

function crashHistory(start: DiskImage, { sync, isKill }: Kind, seed: number): Examiner {
  const random = randomFrom(seed);
  const history = recordHistory(start, sync, random, CRASH_COUNTS.transactions);
  expectNothingPlain(history);
  const examiner = new Examiner(start, isKill ? BOOT : OTHER_BOOT);
  forEachCrash(start, history.events, { random, isKill }, (disk) => {
    const { acknowledged, promised } = disk;
    const lag = isKill ? Math.max(0, acknowledged - WRITE_BEHIND_LAG) : promised;
    const oldest = sync === 'full' ? acknowledged : lag;
    examiner.examine(disk, history.states.slice(oldest, acknowledged + 2));
  });
  return examiner;
}

test.each([
  { sync: 'full', isKill: false },
  { sync: 'none', isKill: false },
  { sync: 'none', isKill: true },
] as const)(
  'encrypted, sync $sync, killed: $isKill: what is found is a whole state',
  (kind) => {
    const wanted = CRASH_COUNTS.encrypted;
    const counted = countStates(wanted, (start, seed) => crashHistory(start, kind, seed));
    announceStates(`encrypted crash states, sync ${kind.sync}, killed ${kind.isKill}`, counted);
  },
  PROPERTY_TIMEOUT_MS,
);
