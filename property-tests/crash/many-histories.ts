/**
 * Histories one after the other, each with its own seed, until enough states of a disk are seen.
 */
import { SEED } from '../counts.js';
import { randomFrom } from './crash-states.js';
import type { DiskImage } from './disk-image.js';
import { BOOT, EngineRun, emptyDatabase, type SyncMode, TEXTS } from './engine-run.js';
import { performHistory } from './history.js';
import type { DiskEvent } from './simulated-disk.js';

/** How often the free state is put into extents early, which else only large files do. */
const SHORT_LOG_SHARE = 0.3;
const SHORT_LOG_BYTES = 24;
/** How many begin with a file that was just made; it has to grow first. */
const NEW_FILE_SHARE = 0.1;

export interface RecordedHistory {
  readonly events: readonly DiskEvent[];
  /** What the database holds, state by state. */
  readonly states: readonly string[];
}

/** Performs a history on an image, which is then as it was before. */
export function recordHistory(
  image: DiskImage,
  sync: SyncMode,
  random: () => number,
  transactionCount: number,
): RecordedHistory {
  const mark = image.mark();
  const limits = random() < SHORT_LOG_SHARE ? { freeLogBytesMax: SHORT_LOG_BYTES } : {};
  const run = new EngineRun(image, sync, BOOT, limits);
  const states = performHistory(run, sync, random, transactionCount);
  image.rollBack(mark);
  return { events: run.file.events, states };
}

/** A database that is empty again: its pages are free, its file is long enough for a while. */
export function usedDatabase(): DiskImage {
  const image = emptyDatabase();
  const run = new EngineRun(image, 'full');
  performHistory(run, 'full', randomFrom(SEED), 3);
  run.begin();
  for (const keyspace of ['a', 'b', TEXTS]) run.drop(keyspace);
  run.commit();
  run.engine.close();
  image.settle();
  return image;
}

export interface StateCount {
  readonly states: number;
  readonly distinct: number;
}

/** Two images to begin with: a few histories have the first, most the second. */
export type Starts = readonly [rare: DiskImage, usual: DiskImage];

/** Goes on with another history until there were as many states as are wanted. */
export function countStates(
  wanted: number,
  examineHistory: (start: DiskImage, seed: number) => StateCount,
  starts: Starts = [emptyDatabase(), usedDatabase()],
): StateCount {
  let [states, distinct] = [0, 0];
  for (let history = 0; states < wanted; history++) {
    const seed = SEED + history;
    const start = starts[randomFrom(~seed)() < NEW_FILE_SHARE ? 0 : 1];
    try {
      const found = examineHistory(start, seed);
      states += found.states;
      distinct += found.distinct;
    } catch (error) {
      throw new Error(`MNEME_SEED=${SEED}, history ${history}`, { cause: error });
    }
  }
  return { states, distinct };
}
