/**
 * Transactions of 1000 random existing keys each: durable at return, and not.
 */
import { interleave, timed } from '../measure.mjs';

const BATCH_COUNT = 1000;
const BATCHES_PER_SLICE = { full: 5, none: 20 };
const QUICK_BATCHES_PER_SLICE = { full: 3, none: 10 };

/**
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {string} rowId
 * @param {'full' | 'none'} sync
 */
async function measureBatches(workbench, rowId, sync) {
  const { dataset, options } = workbench;
  const batches = (options.quick ? QUICK_BATCHES_PER_SLICE : BATCHES_PER_SLICE)[sync];
  return interleave({
    participants: await workbench.writingParticipants(rowId, sync),
    rounds: options.rounds,
    warmUpRounds: 1,
    slice: async ({ handle }, round) => {
      const generation = workbench.nextGeneration();
      const updates = Array.from({ length: batches }, (_, batch) =>
        dataset.updates((round * batches + batch) * BATCH_COUNT, BATCH_COUNT, generation),
      );
      const { seconds } = await timed(async () => {
        for (const update of updates) await handle.putBatch(update);
      });
      return (batches * BATCH_COUNT) / seconds;
    },
  });
}

/**
 * @param {string} id
 * @param {string} title
 * @param {'full' | 'none'} sync
 * @returns {import('./row.mjs').Row}
 */
function batchRow(id, title, sync) {
  const measure = (/** @type {import('../workbench.mjs').Workbench} */ workbench) =>
    measureBatches(workbench, id, sync);
  const goal = { against: 'lmdb', factor: 2 };
  return { id, title, unit: 'records/s', better: 'higher', goal, measure };
}

export const batchRows = [
  batchRow('batch-durable', 'durable batches of 1000', 'full'),
  batchRow('batch-unsynced', 'batches of 1000 without sync', 'none'),
];
