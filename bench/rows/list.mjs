/**
 * All rows, in the order in which they run.
 *
 * Those that want a store as its load left it come first; rows of one kind of value and one
 * durability stand together, since changing either closes every store.
 */
import { batchRows } from './batches.mjs';
import { bulkLoadRows } from './bulk-load.mjs';
import { collectionRows } from './collections.mjs';
import { encryptedRows } from './encrypted.mjs';
import { freshProcessRows } from './fresh-process.mjs';
import { mappedRows } from './mapped.mjs';
import { pointReadRows } from './point-reads.mjs';
import { putRows } from './puts.mjs';
import { rangeRows } from './ranges.mjs';
import { isNamedBy } from './row.mjs';
import { sideBySideRows } from './side-by-side.mjs';
import { textCostRows } from './text-costs.mjs';
import { textSpeedRows } from './text-speed.mjs';
import { vectorCostRows } from './vector-costs.mjs';
import { vectorSpeedRows } from './vector-speed.mjs';

/** @type {import('./row.mjs').Row[]} */
export const ROWS = [
  ...bulkLoadRows,
  ...freshProcessRows,
  ...[...pointReadRows, ...rangeRows].filter(({ id }) => !id.endsWith('-bytes')),
  ...[...pointReadRows, ...rangeRows].filter(({ id }) => id.endsWith('-bytes')),
  ...[...putRows, ...batchRows].filter(({ id }) => id.endsWith('-durable')),
  ...[...putRows, ...batchRows].filter(({ id }) => id.endsWith('-unsynced')),
  ...collectionRows,
  ...sideBySideRows,
  ...mappedRows,
  ...vectorSpeedRows,
  ...vectorCostRows,
  ...textSpeedRows,
  ...textCostRows,
  ...encryptedRows,
];

/**
 * @param {string[] | undefined} words full ids, or the first words of ids
 * @returns {import('./row.mjs').Row[]}
 */
export function selectRows(words) {
  if (words === undefined) return ROWS;
  for (const word of words) {
    if (!ROWS.some(({ id }) => isNamedBy(id, word))) {
      const ids = ROWS.map(({ id }) => id).join(', ');
      throw new RangeError(`no row ${word}; there are ${ids}`);
    }
  }
  return ROWS.filter(({ id }) => words.some((word) => isNamedBy(id, word)));
}
