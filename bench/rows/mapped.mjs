/**
 * Reading through a mapping of the file against reading it: random gets of an opening whose cache
 * holds little of the data, so that nearly each of them fetches a page. Of mneme alone; a ratio of
 * two measured in the same round.
 */
import { join } from 'node:path';
import { interleave, timed } from '../measure.mjs';

const CACHE_BYTES = 4 * 2 ** 20;
const GETS_PER_SLICE = 20_000;

/** @type {import('./row.mjs').Row[]} */
export const mappedRows = [
  {
    id: 'mapped-reads',
    title: 'cold gets with mmap: true, by without',
    unit: 'x',
    better: 'higher',
    goal: { bound: 1 },
    async measure(workbench) {
      await workbench.release();
      const participants = workbench.stores.filter(({ name }) => name === 'mneme');
      if (participants.length === 0) return {};
      const directory = await workbench.loadedDirectory(participants[0], 'text');
      const { open } = await import('mneme');
      const openings = [false, true].map((mmap) => {
        const options = { readonly: true, mmap, cacheSize: CACHE_BYTES };
        return open(join(directory, 'store.mneme'), options);
      });
      const keyspaces = openings.map((database) => database.keyspace('records'));
      const { dataset, options } = workbench;
      const slice = async (/** @type {unknown} */ _, /** @type {number} */ round) => {
        const keys = dataset
          .shuffledSlice(round * GETS_PER_SLICE, GETS_PER_SLICE)
          .map((index) => dataset.keys[index]);
        const seconds = [];
        for (const keyspace of keyspaces) {
          const run = await timed(async () => {
            for (const key of keys) {
              if (keyspace.get(key) === undefined) throw new Error(`mneme lost ${key}`);
            }
          });
          seconds.push(run.seconds);
        }
        return seconds[0] / seconds[1];
      };
      const samples = await interleave({
        ...{ participants, slice },
        ...{ rounds: options.rounds, warmUpRounds: 1 },
      });
      for (const database of openings) database.close();
      return samples;
    },
  },
];
