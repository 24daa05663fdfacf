/**
 * From samples to the table and the JSON file: medians, the ratio that a goal is about, and whether
 * mneme met it, said plainly.
 *
 * A ratio is the median of the ratios of each round, never the ratio of two medians: in a round
 * both stores met the machine in the same state.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { median } from 'd3-array';

/** @typedef {import('./rows/row.mjs').Row} Row */
/** @typedef {import('./measure.mjs').Samples} Samples */
/** @typedef {import('./stores/store.mjs').Store} Store */

/**
 * @typedef {object} RowResult
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {'higher' | 'lower'} better
 * @property {import('./rows/row.mjs').Goal} goal
 * @property {Record<string, number>} medians
 * @property {Record<string, number>} ratios mneme's figure by each other store's
 * @property {string} [opponent] the store that the goal is measured against
 * @property {'met' | 'missed' | 'not measured'} verdict
 * @property {Samples} samples
 */

const SUBJECT = 'mneme';
const FIGURE = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const RATIO = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/**
 * @param {number[]} numerators
 * @param {number[]} denominators of the same rounds
 */
function medianRatio(numerators, denominators) {
  const ratios = numerators.map((numerator, round) => numerator / denominators[round]);
  return /** @type {number} */ (median(ratios));
}

/**
 * @param {Row} row
 * @param {Record<string, number>} medians
 * @param {Store[]} stores
 */
function opponentOf(row, medians, stores) {
  const { goal } = row;
  if (!('against' in goal)) return undefined;
  const candidates = stores.filter(
    ({ name, family, isYardstick }) =>
      name in medians &&
      name !== SUBJECT &&
      (goal.against === 'best peer' ? !isYardstick : family === goal.against),
  );
  const sign = row.better === 'higher' ? -1 : 1;
  candidates.sort((one, other) => sign * (medians[one.name] - medians[other.name]));
  return candidates[0]?.name;
}

/** @param {import('./rows/row.mjs').Goal} goal */
function limitOf(goal) {
  if ('bound' in goal) return goal.bound;
  return 'timesFaster' in goal ? 1 / goal.timesFaster : goal.factor;
}

/**
 * @param {Row} row
 * @param {number | undefined} figure the ratio, or mneme's own median where the goal is a bound
 */
function verdictOf({ goal, better }, figure) {
  if (figure === undefined) return 'not measured';
  const limit = limitOf(goal);
  return (better === 'higher' ? figure >= limit : figure <= limit) ? 'met' : 'missed';
}

/**
 * @param {Row} row
 * @param {Samples} samples
 * @param {Store[]} stores
 * @returns {RowResult}
 */
export function judge(row, samples, stores) {
  const names = Object.keys(samples);
  const medians = Object.fromEntries(
    names.map((name) => [name, /** @type {number} */ (median(samples[name]))]),
  );
  const others = stores
    .map(({ name }) => name)
    .filter((name) => SUBJECT in samples && name in samples && name !== SUBJECT);
  const ratios = Object.fromEntries(
    others.map((name) => [name, medianRatio(samples[SUBJECT], samples[name])]),
  );
  const opponent = opponentOf(row, medians, stores);
  const isBound = 'bound' in row.goal;
  const figure = isBound ? medians[SUBJECT] : opponent && ratios[opponent];
  const verdict = verdictOf(row, figure === undefined ? undefined : Number(figure));
  const { id, title, unit, better, goal } = row;
  return { id, title, unit, better, goal, medians, ratios, opponent, verdict, samples };
}

/** @param {RowResult} result */
function goalText({ goal, better, opponent, unit }) {
  const sign = better === 'higher' ? '>=' : '<=';
  if ('bound' in goal) return `${sign} ${FIGURE.format(goal.bound)} ${unit}`;
  if ('timesFaster' in goal) return `>= ${goal.timesFaster} x faster than ${goal.against}`;
  return `${sign} ${goal.factor} x ${opponent ?? goal.against}`;
}

/** @param {RowResult} result */
function ratioText({ ratios, opponent, goal }) {
  if ('bound' in goal) return '';
  const ratio = opponent === undefined ? undefined : ratios[opponent];
  if (ratio === undefined) return '-';
  return 'timesFaster' in goal ? `${RATIO.format(1 / ratio)} x faster` : `${RATIO.format(ratio)} x`;
}

/**
 * @param {RowResult[]} results
 * @param {Store[]} stores
 */
export function tableOf(results, stores) {
  const measured = new Set(results.flatMap(({ medians }) => Object.keys(medians)));
  const columns = stores
    .filter(({ name, rows }) => rows === undefined && measured.has(name))
    .map(({ name }) => name);
  // Stores that only some rows have, and figures that are no store's.
  const beside = [...measured].filter((name) => !columns.includes(name));
  const besideHead = beside.length > 0 ? ['beside'] : [];
  const table = new Table({
    head: ['row', 'unit', ...columns, ...besideHead, 'mneme is', 'goal', ''],
    colAligns: ['left', 'left', ...columns.map(() => /** @type {const} */ ('right'))],
    style: { head: [], border: [], compact: true },
  });
  for (const result of results) {
    const { title, unit, better, medians, verdict } = result;
    /** @param {string} name */
    const figure = (name) => (name in medians ? FIGURE.format(medians[name]) : '-');
    const measuredBeside = beside
      .filter((name) => name in medians)
      .map((name) => `${name} ${figure(name)}`);
    table.push([
      title,
      `${unit} ${better === 'higher' ? '(more)' : '(less)'}`,
      ...columns.map(figure),
      ...besideHead.map(() => measuredBeside.join('\n')),
      ratioText(result),
      goalText(result),
      verdict,
    ]);
  }
  return table.toString();
}

/**
 * @param {string} name
 * @param {object} contents
 * @returns {string} the file's path, from where the command was started
 */
export function writeResults(name, contents) {
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(contents, undefined, 2)}\n`);
  return path;
}
