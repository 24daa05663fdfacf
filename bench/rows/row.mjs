/**
 * A row of the table: what it measures and what mneme is to reach. Types only; the rows are in
 * list.mjs.
 */

/**
 * A factor of another store's figure, or a bound on the figure itself. `against` is a family of
 * stores (the best of it counts), or 'best peer'.
 * @typedef {{ against: string, factor: number } | { bound: number }} Goal
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

export {};
