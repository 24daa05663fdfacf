/**
 * What vectors cost besides the search: inserting them, the file, the memory that searching leaves
 * resident, and the first answer of a process that has just opened the file.
 *
 * Memory is the growth of a whole process, code and heap included, from the open file to five
 * searches later, divided by the vectors. The cache has room for all that is read, and nothing is
 * mapped.
 */
import { figureInFreshProcess } from '../fresh-process.mjs';
import { interleave, timed } from '../measure.mjs';
import { BATCH_COUNT, VectorSet } from '../vector-sets.mjs';
import { vectorWorkbench } from '../vector-workbench.mjs';
import { directorySizeBytes } from '../workbench.mjs';

/** @typedef {import('../workbench.mjs').Workbench} Workbench */

const SET = '384';
const DIMENSION = 384;
const FLOAT_SIZE_BYTES = 4;
const DATABASES = ['mneme', 'sqlite-vec'];
const BATCHES_PER_SLICE = 5;
const BYTES_OF_FLOATS_MAX = 1.35;
const BYTES_PER_DIMENSION_MAX = 1.3;
const BYTES_PER_VECTOR_MAX = 32;

/** @param {Workbench} workbench */
function databases(workbench) {
  const stores = vectorWorkbench(workbench).stores(SET);
  return stores.filter(({ name }) => DATABASES.includes(name));
}

/** @param {Workbench} workbench */
async function measureInserts(workbench) {
  await workbench.release();
  const { rounds } = workbench.options;
  const bench = vectorWorkbench(workbench);
  const warmUpRounds = 1;
  const sliceCount = BATCHES_PER_SLICE * BATCH_COUNT;
  const set = new VectorSet({ ...bench.shape(SET), count: (warmUpRounds + rounds) * sliceCount });
  const participants = [];
  for (const store of databases(workbench)) {
    const directory = workbench.newDirectory(`vector-insert-${store.name}`);
    participants.push({ name: store.name, vectors: await bench.openedIn(store, set, directory) });
  }
  // Made before the clock starts.
  if (set.vectors.length !== set.unitVectors.length) throw new Error('vectors were lost');
  const samples = await interleave({
    participants,
    rounds,
    warmUpRounds,
    slice: async ({ name, vectors }, round) => {
      const { insertBatch } = vectors;
      if (insertBatch === undefined) throw new Error(`${name} inserts nothing`);
      const { seconds } = await timed(async () => {
        for (let batch = 0; batch < BATCHES_PER_SLICE; batch += 1) {
          const first = round * sliceCount + batch * BATCH_COUNT;
          await insertBatch(first, first + BATCH_COUNT);
        }
      });
      return sliceCount / seconds;
    },
  });
  for (const { vectors } of participants) await vectors.close();
  return samples;
}

/**
 * @param {Workbench} workbench
 * @param {'open' | 'memory'} measure
 * @param {number} rounds
 */
async function measureInChildren(workbench, measure, rounds) {
  const bench = vectorWorkbench(workbench);
  return interleave({
    participants: databases(workbench),
    rounds,
    warmUpRounds: measure === 'open' ? 1 : 0,
    slice: async (store) =>
      figureInFreshProcess('vector-child.mjs', {
        measure,
        storeName: store.name,
        directory: await bench.closedDirectory(store, SET),
        cacheSizeBytes: workbench.options.cacheSizeBytes,
        shape: bench.shape(SET),
      }),
  });
}

/** @param {Workbench} workbench */
async function measureSizes(workbench) {
  const bench = vectorWorkbench(workbench);
  const raw = bench.shape(SET).count * DIMENSION * FLOAT_SIZE_BYTES;
  /** @type {import('../measure.mjs').Samples} */
  const samples = {};
  for (const store of databases(workbench)) {
    const directory = await bench.closedDirectory(store, SET);
    samples[store.name] = [directorySizeBytes(directory) / raw];
  }
  return samples;
}

/** @type {import('./row.mjs').Row[]} */
export const vectorCostRows = [
  {
    id: 'vector-size',
    title: 'file of vectors, by their floats',
    unit: 'x',
    better: 'lower',
    goal: { bound: BYTES_OF_FLOATS_MAX },
    measure: measureSizes,
  },
  {
    id: 'vector-open',
    title: 'open and first nearest 10',
    unit: 'ms',
    better: 'lower',
    goal: { against: 'sqlite-vec', factor: 1 },
    measure: (workbench) => measureInChildren(workbench, 'open', workbench.options.rounds),
  },
  {
    id: 'vector-memory',
    title: `resident after searches, ${DIMENSION} dimensions`,
    unit: 'bytes/vector',
    better: 'lower',
    goal: { bound: BYTES_PER_DIMENSION_MAX * DIMENSION + BYTES_PER_VECTOR_MAX },
    measure: (workbench) => measureInChildren(workbench, 'memory', workbench.longRounds),
  },
  {
    id: 'vector-insert',
    title: 'vectors in batches of 1000 without sync',
    unit: 'vectors/s',
    better: 'higher',
    goal: { against: 'sqlite-vec', factor: 4 },
    measure: measureInserts,
  },
];
