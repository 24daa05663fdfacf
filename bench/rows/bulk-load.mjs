/**
 * Loading all records in one transaction, durable at its end, and the size of the files it leaves.
 */

/**
 * @param {'sorted' | 'random'} order
 * @param {number} factorOfLmdb
 * @returns {import('./row.mjs').Row}
 */
function secondsRow(order, factorOfLmdb) {
  return {
    id: `bulk-${order}`,
    title: `bulk load, ${order}`,
    unit: 's',
    better: 'lower',
    goal: { against: 'lmdb', factor: factorOfLmdb },
    measure: async (workbench) => (await workbench.bulkLoads(order)).seconds,
  };
}

/**
 * @param {'sorted' | 'random'} order
 * @param {number} bound
 * @returns {import('./row.mjs').Row}
 */
function sizeRow(order, bound) {
  return {
    id: `size-${order}`,
    title: `files after ${order} load`,
    unit: 'bytes/record',
    better: 'lower',
    goal: { bound },
    measure: async (workbench) => (await workbench.bulkLoads(order)).bytesPerRecord,
  };
}

/** @type {import('./row.mjs').Row[]} */
export const bulkLoadRows = [
  secondsRow('sorted', 0.7),
  secondsRow('random', 0.5),
  sizeRow('sorted', 195),
  sizeRow('random', 215),
];
