/**
 * Reads in key order: every key and value of the store, and the count of a prefix that 1000 keys
 * have.
 */
import assert from 'node:assert/strict';
import { randomInt, randomLcg } from 'd3-random';
import { KEYS_PER_PREFIX, prefixAt } from '../dataset.mjs';
import { interleave, medianMicroseconds, timedWithGarbage } from '../measure.mjs';

const COUNT_CALLS_MAX = 5000;
const COUNT_SLICE_MS = 25;
const PREFIX_SEED = 3;

/**
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {'scan' | 'scan-bytes'} rowId
 */
async function measureScans(workbench, rowId) {
  const { dataset } = workbench;
  const expected = {
    entries: dataset.records,
    keySizes: dataset.keySizeTotal,
    valueSizes: dataset.valueSizeTotal,
  };
  return interleave({
    participants: await workbench.participants(rowId, rowId === 'scan' ? 'text' : 'bytes', 'full'),
    rounds: workbench.longRounds,
    warmUpRounds: 1,
    slice: async ({ name, handle }) => {
      const { seconds, result } = await timedWithGarbage(() => handle.scan());
      assert.deepEqual(result, expected, `${name} scans wrongly`);
      return dataset.records / seconds;
    },
  });
}

/** @param {import('../workbench.mjs').Workbench} workbench */
async function measurePrefixCounts(workbench) {
  const groups = workbench.dataset.records / KEYS_PER_PREFIX;
  const randomGroup = randomInt.source(randomLcg(PREFIX_SEED))(0, groups);
  const prefixes = Array.from({ length: COUNT_CALLS_MAX }, () => prefixAt(randomGroup()));
  return interleave({
    participants: await workbench.participants('prefix-count', 'text', 'full'),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async ({ name, handle }) => {
      assert.equal(await handle.countPrefix(prefixes[0]), KEYS_PER_PREFIX, `${name} miscounts`);
      return medianMicroseconds({
        calls: COUNT_CALLS_MAX,
        millisecondsMax: COUNT_SLICE_MS,
        work: (call) => handle.countPrefix(prefixes[call]),
      });
    },
  });
}

/**
 * @param {'scan' | 'scan-bytes'} id
 * @param {string} title
 * @returns {import('./row.mjs').Row}
 */
function scanRow(id, title) {
  const measure = (/** @type {import('../workbench.mjs').Workbench} */ workbench) =>
    measureScans(workbench, id);
  const goal = { against: 'lmdb', factor: 2 };
  return { id, title, unit: 'entries/s', better: 'higher', goal, measure };
}

/** @type {import('./row.mjs').Row[]} */
export const rangeRows = [
  scanRow('scan', 'full scan, text'),
  {
    id: 'prefix-count',
    title: 'count of a prefix of 1000 keys',
    unit: 'µs',
    better: 'lower',
    goal: { bound: 5 },
    measure: measurePrefixCounts,
  },
  scanRow('scan-bytes', 'full scan, bytes'),
];
