/**
 * Searches for the ten best documents by their words: warm, and just after the store was opened.
 */
import { median } from 'd3-array';
import { interleave } from '../measure.mjs';
import { textWorkbench } from '../text-workbench.mjs';

/** @typedef {import('../workbench.mjs').Workbench} Workbench */
/** @typedef {import('../text-sets.mjs').QueryKind} QueryKind */
/** @typedef {import('./row.mjs').Row} Row */

const QUERIES_PER_SLICE = 15;
/** Takes part in one row only: the others would take minutes. */
const SLOWEST = 'orama';
const COLD_QUERIES = 9;
const MICROSECONDS_PER_MS = 1000;
const SUBJECT = 'mneme';
const MILLION_MAX_US = 1000;

/** @type {Map<string, Promise<import('../measure.mjs').Samples>>} */
const measured = new Map();

/**
 * Microseconds of a search; measured once however many rows ask.
 * @param {Workbench} workbench
 * @param {string} setName
 * @param {QueryKind} kind
 * @param {boolean} all
 */
function latencies(workbench, setName, kind, all) {
  const name = `${setName} ${kind} ${all}`;
  const known = measured.get(name) ?? measure(workbench, setName, kind, all);
  measured.set(name, known);
  return known;
}

/**
 * @param {Workbench} workbench
 * @param {string} setName
 * @param {QueryKind} kind
 * @param {boolean} all
 */
async function measure(workbench, setName, kind, all) {
  const { set, players } = await textWorkbench(workbench).opened(setName);
  const queries = set.queries(kind);
  return interleave({
    participants: players.filter(({ name }) => name !== SLOWEST || kind === 'two'),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async ({ texts }, round) => {
      const first = (round * QUERIES_PER_SLICE) % Math.max(1, queries.length - QUERIES_PER_SLICE);
      const slice = queries.slice(first, first + QUERIES_PER_SLICE);
      // Once before: rows on what is cold have their own.
      await texts.search(slice, all);
      const { milliseconds } = await texts.search(slice, all);
      return /** @type {number} */ (median(milliseconds)) * MICROSECONDS_PER_MS;
    },
  });
}

/**
 * The first searches after the store was opened, with the caches of the store empty.
 * @param {Workbench} workbench
 * @param {QueryKind} kind
 */
async function measureCold(workbench, kind) {
  const bench = textWorkbench(workbench);
  const queries = bench.set('glosses').queries(kind);
  const participants = bench
    .stores('glosses')
    .filter(({ name }) => ['mneme', 'fts5'].includes(name));
  return interleave({
    participants,
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async (store, round) => {
      const directory = await bench.closedDirectory(store, 'glosses');
      const times = [];
      for (let at = 0; at < COLD_QUERIES; at += 1) {
        const texts = await bench.openedIn(store, directory);
        const query = queries[(round * COLD_QUERIES + at) % queries.length];
        const { milliseconds } = await texts.search([query], false);
        times.push(milliseconds[0]);
        await texts.close();
      }
      return /** @type {number} */ (median(times)) * MICROSECONDS_PER_MS;
    },
  });
}

/**
 * @param {string} id
 * @param {string} title
 * @param {Record<string, number>} goals by peer
 * @param {(workbench: Workbench) => Promise<import('../measure.mjs').Samples>} measureAll
 * @returns {Row[]} one for each peer; all are of one measurement
 */
function rowsOf(id, title, goals, measureAll) {
  return Object.entries(goals).map(([against, timesFaster]) => ({
    id: `${id}-${against}`,
    title,
    unit: 'us',
    better: 'lower',
    goal: { against, timesFaster },
    measure: async (workbench) => {
      const samples = await measureAll(workbench);
      const names = [SUBJECT, against, 'js', SLOWEST].filter((name) => name in samples);
      return Object.fromEntries(names.map((name) => [name, samples[name]]));
    },
  }));
}

const PEERS = { fts5: 100, minisearch: 100 };

/** @type {Row[]} */
export const textSpeedRows = [
  ...rowsOf('text-glosses-two', 'best 10 of glosses, 2 words', PEERS, (workbench) =>
    latencies(workbench, 'glosses', 'two', false),
  ),
  ...rowsOf('text-glosses-four', 'best 10 of glosses, 4 words', PEERS, (workbench) =>
    latencies(workbench, 'glosses', 'four', false),
  ),
  ...rowsOf('text-glosses-all', 'best 10 of glosses, both words', { fts5: 20 }, (workbench) =>
    latencies(workbench, 'glosses', 'two', true),
  ),
  ...rowsOf('text-glosses-stop', 'best 10 of glosses, 3 stop words', { fts5: 70 }, (workbench) =>
    latencies(workbench, 'glosses', 'stop', false),
  ),
  ...rowsOf('text-mails-four', 'best 10 of mails, 4 words', PEERS, (workbench) =>
    latencies(workbench, 'mails', 'four', false),
  ),
  ...rowsOf('text-cold-two', 'the same, just opened, 2 words', { fts5: 30 }, (workbench) =>
    measureCold(workbench, 'two'),
  ),
  ...rowsOf('text-cold-four', 'the same, just opened, 4 words', { fts5: 30 }, (workbench) =>
    measureCold(workbench, 'four'),
  ),
  {
    id: 'text-million-four',
    title: 'best 10 of a million, 4 words',
    unit: 'us',
    better: 'lower',
    goal: { bound: MILLION_MAX_US },
    measure: (workbench) => latencies(workbench, 'million', 'four', false),
  },
];
