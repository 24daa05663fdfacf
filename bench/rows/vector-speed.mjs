/**
 * Exact searches for the ten nearest by cosine: their time by that of the peers and of what the
 * machine itself can do, with one thread, with two, and sixteen queries at once.
 */
import assert from 'node:assert/strict';
import { median } from 'd3-array';
import { interleave } from '../measure.mjs';
import { vectorWorkbench } from '../vector-workbench.mjs';

/** @typedef {import('../workbench.mjs').Workbench} Workbench */
/** @typedef {import('../vector-workbench.mjs').Player} Player */
/** @typedef {import('./row.mjs').Row} Row */

const SUBJECT = 'mneme';
const YARDSTICK = 'cpp';
/** What a vector takes besides one byte a dimension: its scale and two norms. */
const FACTORS_SIZE_BYTES = 12;
const UNCACHED_SIZE_BYTES = 512 * 1024 * 1024;
const READS_PER_SLICE = 7;
const BYTES_PER_MS_OF_GB = 1_000_000;
const MANY_COUNT = 16;
const MANY_REPEATS = 3;
const REFERENCES = { usearch: 4.5, 'sqlite-vec': 15, hnswlib: 3.5, [YARDSTICK]: 3 };

/** @param {number[]} figures */
const middle = (figures) => /** @type {number} */ (median(figures));

/**
 * @param {string} setName
 * @param {string} what
 * @returns {Row[]} one for each reference; all are of one measurement
 */
function latencyRows(setName, what) {
  return Object.entries(REFERENCES).map(([against, timesFaster]) => ({
    id: `vector-${setName}-${against}`,
    title: `nearest 10 of ${what}`,
    unit: 'ms',
    better: 'lower',
    goal: { against, timesFaster },
    measure: async (workbench) => {
      const samples = await vectorWorkbench(workbench).latencies(setName);
      const names = [SUBJECT, against].filter((name) => name in samples);
      return Object.fromEntries(names.map((name) => [name, samples[name]]));
    },
  }));
}

/**
 * @param {Workbench} workbench
 * @param {string} setName
 * @param {string[]} names of the stores that take part
 * @param {(player: Player, round: number) => Promise<number | Record<string, number>>} slice
 */
async function measure(workbench, setName, names, slice) {
  const { players } = await vectorWorkbench(workbench).opened(setName);
  return interleave({
    participants: players.filter(({ name }) => names.includes(name)),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice,
  });
}

/** @param {string} setName @param {string} what @returns {Row} */
function bandwidthRow(setName, what) {
  return {
    id: `vector-${setName}-bandwidth`,
    title: `codes looked at, by as much read, ${what}`,
    unit: 'GB/s',
    better: 'higher',
    goal: { against: YARDSTICK, factor: 0.65 },
    measure: (workbench) => {
      const bench = vectorWorkbench(workbench);
      const { count, dimension } = bench.shape(setName);
      const codes = count * (dimension + FACTORS_SIZE_BYTES);
      /** @param {number} bytes @param {number[]} milliseconds */
      const rate = (bytes, milliseconds) => bytes / BYTES_PER_MS_OF_GB / middle(milliseconds);
      return measure(workbench, setName, [SUBJECT, YARDSTICK], async ({ name, vectors }, round) => {
        if (vectors.read === undefined) {
          const { first, last } = bench.queriesOf(round, bench.queriesPerSlice);
          return rate(codes, (await vectors.search(first, last)).milliseconds);
        }
        return {
          [name]: rate(codes, await vectors.read(codes, READS_PER_SLICE)),
          [`${name}, 512 MiB`]: rate(
            UNCACHED_SIZE_BYTES,
            await vectors.read(UNCACHED_SIZE_BYTES, READS_PER_SLICE),
          ),
        };
      });
    },
  };
}

/** @param {string} setName @param {string} what @returns {Row} */
function threadsRow(setName, what) {
  return {
    id: `vector-${setName}-threads`,
    title: `searches of 2 threads, by 1, ${what}`,
    unit: 'x',
    better: 'higher',
    goal: { bound: 1.5 },
    measure: (workbench) => {
      const bench = vectorWorkbench(workbench);
      return measure(workbench, setName, [SUBJECT], async ({ name, vectors }, round) => {
        const { first, last } = bench.queriesOf(round, bench.queriesPerSlice);
        /** @type {number[][]} */
        const [ones, twos] = [[], []];
        for (let query = first; query < last; query += 1) {
          const one = await vectors.search(query, query + 1, 1);
          const two = await vectors.search(query, query + 1, 2);
          assert.deepEqual(two.nearest, one.nearest, 'two threads find other vectors');
          ones.push(...one.milliseconds);
          twos.push(...two.milliseconds);
        }
        return {
          [name]: middle(ones) / middle(twos),
          'of minima': Math.min(...ones) / Math.min(...twos),
          'ms of 1': middle(ones),
          'ms of 2': middle(twos),
          'least of 1': Math.min(...ones),
          'least of 2': Math.min(...twos),
        };
      });
    },
  };
}

/** @param {string} setName @param {string} what @returns {Row} */
function manyRow(setName, what) {
  return {
    id: `vector-${setName}-many`,
    title: `${MANY_COUNT} queries at once, by one at a time, ${what}`,
    unit: 'x',
    better: 'higher',
    goal: { bound: 1.7 },
    measure: (workbench) => {
      const bench = vectorWorkbench(workbench);
      return measure(workbench, setName, [SUBJECT], async ({ name, vectors }, round) => {
        assert.ok(vectors.searchMany, `${name} has no such call`);
        const { first, last } = bench.queriesOf(round, MANY_COUNT);
        /** @type {number[][]} */
        const [singles, together] = [[], []];
        for (let repeat = 0; repeat < MANY_REPEATS; repeat += 1) {
          const single = await vectors.search(first, last, 1);
          /** @type {import('../stores/vectors.mjs').Searched} */
          const many = await vectors.searchMany(first, last);
          assert.deepEqual(many.nearest, single.nearest, 'queries at once find other vectors');
          singles.push(single.milliseconds.reduce((sum, time) => sum + time, 0));
          together.push(...many.milliseconds);
        }
        return {
          [name]: middle(singles) / middle(together),
          'queries/s': (1000 * MANY_COUNT) / middle(together),
        };
      });
    },
  };
}

const CLUSTERED = [
  { setName: '384', what: '384 dimensions' },
  { setName: '768', what: '768 dimensions' },
];

/** @type {Row[]} */
export const vectorSpeedRows = [
  ...latencyRows('glove', 'GloVe words'),
  ...CLUSTERED.flatMap(({ setName, what }) => [
    ...latencyRows(setName, what),
    bandwidthRow(setName, what),
    threadsRow(setName, what),
    manyRow(setName, what),
  ]),
  {
    id: 'vector-20k',
    title: 'nearest 10 of 20,000, 384 dimensions',
    unit: 'ms',
    better: 'lower',
    goal: { against: 'js', timesFaster: 8 },
    measure: (workbench) => vectorWorkbench(workbench).latencies('20k'),
  },
  {
    id: 'vector-1k',
    title: 'nearest 10 of 1000, 384 dimensions',
    unit: 'ms',
    better: 'lower',
    goal: { bound: 0.1 },
    measure: (workbench) => vectorWorkbench(workbench).latencies('1k'),
  },
];
