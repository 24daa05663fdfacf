/**
 * A disk whose sync returns although nothing is safe, and then a power cut. What was acknowledged
 * may be lost; what opens is a whole state that was committed once, or the damage is told of.
 */
import { expect, test } from 'vitest';
import { announce, FAULT_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import { forEachCrash, randomFrom } from './crash-states.js';
import { examineDamaged, OutcomeCount } from './damaged-disk.js';
import { OTHER_BOOT, type SyncMode } from './engine-run.js';
import { recordHistory, usedDatabase } from './many-histories.js';

const TRANSACTIONS = 5;
/** How many of the syncs lie, in one history of two; in the other all of them do. */
const LIE_SHARE = 0.4;

function lyingHistory(sync: SyncMode, seed: number, outcomes: OutcomeCount): void {
  const random = randomFrom(seed);
  const image = usedDatabase();
  const { events, states } = recordHistory(image, sync, random, TRANSACTIONS);
  const share = seed % 2 === 0 ? 1 : LIE_SHARE;
  const onDisk = events.filter(({ kind }) => kind !== 'sync' || random() >= share);
  forEachCrash(image, onDisk, { random }, ({ acknowledged }) => {
    outcomes.add(examineDamaged(image, OTHER_BOOT, states.slice(0, acknowledged + 2)));
  });
}

test.each(['full', 'none'] as const)(
  'sync %s: a disk that lies leaves a whole state, or one that is reported as damaged',
  (sync) => {
    const outcomes = new OutcomeCount();
    for (let history = 0; outcomes.total < FAULT_COUNTS.lies; history++) {
      try {
        lyingHistory(sync, SEED + history, outcomes);
      } catch (error) {
        throw new Error(`MNEME_SEED=${SEED}, history ${history}`, { cause: error });
      }
    }
    announce(`crashes of a lying disk, sync ${sync} (${outcomes})`, outcomes.total);
    expect(outcomes.of('whole')).toBeGreaterThan(0);
    expect(outcomes.of('not opened') + outcomes.of('not read')).toBeGreaterThan(0);
  },
  PROPERTY_TIMEOUT_MS,
);
