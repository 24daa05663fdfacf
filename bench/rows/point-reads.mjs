/**
 * Single gets in random order: of keys that exist, with text and with bytes as values, and of keys
 * that do not.
 */
import assert from 'node:assert/strict';
import { absentKeyAt, valueSizeAt } from '../dataset.mjs';
import { interleave, timedWithGarbage } from '../measure.mjs';

const SLICE_COUNT = 20_000;
const QUICK_SLICE_COUNT = 10_000;

/**
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {'get' | 'get-bytes' | 'miss'} rowId
 */
async function measureGets(workbench, rowId) {
  const { dataset, options } = workbench;
  const kind = rowId === 'get-bytes' ? 'bytes' : 'text';
  const count = options.quick ? QUICK_SLICE_COUNT : SLICE_COUNT;
  return interleave({
    participants: await workbench.participants(rowId, kind, 'full'),
    rounds: options.rounds,
    warmUpRounds: 1,
    slice: async ({ name, handle }, round) => {
      const indexes = dataset.shuffledSlice(round * count, count);
      const isMiss = rowId === 'miss';
      const keys = indexes.map((index) => (isMiss ? absentKeyAt(index) : dataset.keys[index]));
      const sizes = indexes.reduce((sum, index) => sum + valueSizeAt(index), 0);
      const expected = isMiss ? { found: 0, valueSizes: 0 } : { found: count, valueSizes: sizes };
      const { seconds, result } = await timedWithGarbage(() => handle.getEach(keys));
      assert.deepEqual(result, expected, `${name} answers ${rowId} wrongly`);
      return count / seconds;
    },
  });
}

/**
 * @param {'get' | 'get-bytes' | 'miss'} id
 * @param {string} title
 * @param {import('./row.mjs').Goal} goal
 * @returns {import('./row.mjs').Row}
 */
function readRow(id, title, goal) {
  const measure = (/** @type {import('../workbench.mjs').Workbench} */ workbench) =>
    measureGets(workbench, id);
  return { id, title, unit: 'gets/s', better: 'higher', goal, measure };
}

export const pointReadRows = [
  readRow('get', 'random get, text', { against: 'lmdb', factor: 1.3 }),
  readRow('miss', 'random get of absent keys', { against: 'best peer', factor: 1.3 }),
  readRow('get-bytes', 'random get, bytes', { against: 'lmdb', factor: 1.3 }),
];
