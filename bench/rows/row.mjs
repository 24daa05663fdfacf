/**
 * A row of the table: what it measures, what mneme is to reach, and how it is named. The rows are
 * in list.mjs.
 */

/**
 * A factor of another store's figure, or a bound on the figure itself. `against` is a family of
 * stores (the best of it counts), or 'best peer'. `timesFaster`, of rows where less is better, is
 * a factor that reads better upside down.
 * @typedef {{ against: string, factor: number } | { against: string, timesFaster: number }
 *   | { bound: number }} Goal
 */

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {'higher' | 'lower'} better
 * @property {Goal} goal
 * @property {(workbench: import('../workbench.mjs').Workbench) =>
 *   Promise<import('../measure.mjs').Samples>} measure
 */

/**
 * @param {string} id
 * @param {string} word a full id, or the first words of one
 */
export function isNamedBy(id, word) {
  return id === word || id.startsWith(`${word}-`);
}
