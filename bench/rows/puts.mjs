/**
 * Single puts over random existing keys, each a commit of its own: durable at return, and not.
 */
import { interleave, medianMicroseconds, timed } from '../measure.mjs';

// Few puts a slice and many rounds: the disk's own speed changes from moment to moment.
const DURABLE_SLICE_COUNT = 25;
const DURABLE_ROUNDS_FACTOR = 4;
const UNSYNCED_SLICE_COUNT = 4000;
const QUICK_UNSYNCED_SLICE_COUNT = 2000;

/** @param {import('../workbench.mjs').Workbench} workbench */
async function measureDurablePuts(workbench) {
  const { dataset, options } = workbench;
  return interleave({
    participants: await workbench.writingParticipants('put-durable', 'full'),
    rounds: options.rounds * DURABLE_ROUNDS_FACTOR,
    warmUpRounds: 2,
    slice: async ({ handle }, round) => {
      const start = round * DURABLE_SLICE_COUNT;
      const generation = workbench.nextGeneration();
      const { keys, values } = dataset.updates(start, DURABLE_SLICE_COUNT, generation);
      return medianMicroseconds({
        calls: DURABLE_SLICE_COUNT,
        work: (call) => handle.putOne(keys[call], values[call]),
      });
    },
  });
}

/** @param {import('../workbench.mjs').Workbench} workbench */
async function measureUnsyncedPuts(workbench) {
  const { dataset, options } = workbench;
  const count = options.quick ? QUICK_UNSYNCED_SLICE_COUNT : UNSYNCED_SLICE_COUNT;
  return interleave({
    participants: await workbench.writingParticipants('put-unsynced', 'none'),
    rounds: options.rounds,
    warmUpRounds: 1,
    slice: async ({ handle }, round) => {
      const updates = dataset.updates(round * count, count, workbench.nextGeneration());
      const { seconds } = await timed(() => handle.putEach(updates));
      return count / seconds;
    },
  });
}

/** @type {import('./row.mjs').Row[]} */
export const putRows = [
  {
    id: 'put-durable',
    title: 'durable single put, p50',
    unit: 'µs',
    better: 'lower',
    goal: { against: 'disk', factor: 1 },
    measure: measureDurablePuts,
  },
  {
    id: 'put-unsynced',
    title: 'single put without sync',
    unit: 'puts/s',
    better: 'higher',
    goal: { against: 'best peer', factor: 2 },
    measure: measureUnsyncedPuts,
  },
];
