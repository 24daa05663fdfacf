/**
 * What a program pays that opens an existing store: the time to its first get, with the module
 * already imported, and the memory that half a million gets leave resident.
 *
 * Memory is the resident set as the system counts it. Where a store maps its file, as lmdb does,
 * pages of the file that the system could take back are part of it.
 */
import { figureInFreshProcess } from '../fresh-process.mjs';
import { interleave } from '../measure.mjs';

const MEBIBYTE = 1024 * 1024;
const BYTES_PER_MEGABYTE = 1_000_000;
const MEMORY_CACHE_BYTES = 64 * MEBIBYTE;
const MEMORY_BEYOND_CACHE_MB = 100;
const GETS_SHARE = 2;
const SEED_STEP = 7919;

/**
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {'open' | 'memory'} measure
 * @param {number} rounds
 */
async function measureInChildren(workbench, measure, rounds) {
  await workbench.release();
  const participants = workbench.storesOf(measure).filter(({ isYardstick }) => !isYardstick);
  for (const store of participants) await workbench.loadedDirectory(store, 'text');
  return interleave({
    participants,
    rounds,
    warmUpRounds: measure === 'open' ? 1 : 0,
    slice: async (store, round) => {
      const directory = await workbench.loadedDirectory(store, 'text');
      const usual = workbench.openOptions(directory, 'text', 'full');
      const frugal = { purpose: 'frugal', cacheSizeBytes: MEMORY_CACHE_BYTES };
      const request = {
        measure,
        storeName: store.name,
        openOptions: measure === 'open' ? usual : { ...usual, ...frugal },
        gets: workbench.options.records / GETS_SHARE,
        seed: (round + 1) * SEED_STEP,
      };
      return figureInFreshProcess('child.mjs', request);
    },
  });
}

/** @type {import('./row.mjs').Row[]} */
export const freshProcessRows = [
  {
    id: 'open',
    title: 'open and first get',
    unit: 'µs',
    better: 'lower',
    goal: { against: 'better-sqlite3', factor: 1 },
    measure: (workbench) => measureInChildren(workbench, 'open', workbench.options.rounds),
  },
  {
    id: 'memory',
    title: 'resident, 64 MiB cache, random gets',
    unit: 'MB',
    better: 'lower',
    goal: { bound: MEMORY_CACHE_BYTES / BYTES_PER_MEGABYTE + MEMORY_BEYOND_CACHE_MB },
    measure: (workbench) => measureInChildren(workbench, 'memory', workbench.longRounds),
  },
];
