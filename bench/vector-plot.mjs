/**
 * A plot of what a search takes, as a file of the documentation: over the number of vectors, from a
 * thousand to a million, beside the peers; and over the number of threads.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from 'd3-array';
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { interleave } from './measure.mjs';
import { curveShape } from './vector-sets.mjs';
import { vectorWorkbench } from './vector-workbench.mjs';

/** @typedef {{ store: string, vectors: number, milliseconds: number }} PointOverVectors */
/** @typedef {{ store: string, threads: number, milliseconds: number }} PointOverThreads */
/** @typedef {{ overVectors: PointOverVectors[], overThreads: PointOverThreads[] }} Curves */

const SUBJECT = 'mneme';
const COUNTS = [1000, 10_000, 100_000, 1_000_000];
const QUICK_COUNTS = COUNTS.slice(0, 3);
const THREADS = [1, 2, 4];
const PATH = join(import.meta.dirname, '..', 'docs', 'vector-latency.svg');
const SIZE = { width: 330, height: 300 };
const BACKGROUND = 'white';
const TICK_COUNT = 6;
/** Room for the codes of the largest set. */
export const CURVES_CACHE_SIZE_BYTES = 1024 ** 3;

/** @param {number[]} figures */
const middle = (figures) => /** @type {number} */ (median(figures));

/**
 * @param {import('./workbench.mjs').Workbench} workbench whose cache holds the largest set of codes
 * @returns {Promise<Curves>}
 */
export async function measureCurves(workbench) {
  const bench = vectorWorkbench(workbench);
  bench.threadsMax = Math.max(...THREADS);
  const counts = workbench.options.quick ? QUICK_COUNTS : COUNTS;
  const overVectors = [];
  let setName = '';
  for (const count of counts) {
    setName = bench.declare(curveShape(count));
    const samples = await bench.latencies(setName);
    for (const { name } of bench.stores(setName)) {
      overVectors.push({ store: name, vectors: count, milliseconds: middle(samples[name]) });
    }
  }
  return { overVectors, overThreads: await curveOverThreads(workbench, setName) };
}

/**
 * @param {import('./workbench.mjs').Workbench} workbench
 * @param {string} setName
 */
async function curveOverThreads(workbench, setName) {
  const bench = vectorWorkbench(workbench);
  const { players } = await bench.opened(setName);
  const subject = players.filter(({ name }) => name === SUBJECT);
  const samples = await interleave({
    participants: subject.flatMap(({ vectors }) =>
      THREADS.map((threads) => ({ name: String(threads), threads, vectors })),
    ),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async ({ threads, vectors }, round) => {
      const { first, last } = bench.queriesOf(round, bench.queriesPerSlice);
      return middle((await vectors.search(first, last, threads)).milliseconds);
    },
  });
  const one = middle(samples[THREADS[0]] ?? []);
  return Object.entries(samples).flatMap(([name, figures]) => {
    const threads = Number(name);
    return [
      { store: SUBJECT, threads, milliseconds: middle(figures) },
      { store: 'one thread, divided', threads, milliseconds: one / threads },
    ];
  });
}

/**
 * @param {string} title
 * @param {object[]} values
 * @param {object} x
 * @param {object} scale of the milliseconds
 */
function panel(title, values, x, scale) {
  const axis = { tickCount: TICK_COUNT };
  return {
    ...SIZE,
    title,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x,
      y: { field: 'milliseconds', type: 'quantitative', title: 'ms, median', scale, axis },
      color: { field: 'store', type: 'nominal', title: null, sort: null },
    },
  };
}

/**
 * @param {Curves} curves
 * @param {string} machine
 * @returns {Promise<string>} the path of the file
 */
export async function writePlot({ overVectors, overThreads }, machine) {
  const most = Math.max(...overVectors.map(({ vectors }) => vectors)).toLocaleString('en-US');
  const overCount = {
    field: 'vectors',
    type: 'quantitative',
    title: 'vectors of 384 dimensions',
    scale: { type: 'log' },
    axis: { values: COUNTS, format: ',d' },
  };
  const overThread = {
    field: 'threads',
    type: 'ordinal',
    title: 'threads',
    axis: { labelAngle: 0 },
  };
  const specification = {
    background: BACKGROUND,
    title: { text: 'The ten nearest by cosine, exactly', subtitle: machine },
    hconcat: [
      panel('one thread', overVectors, overCount, { type: 'log' }),
      panel(`${most} vectors`, overThreads, overThread, { zero: true }),
    ],
    resolve: { scale: { color: 'independent' } },
  };
  const { spec } = compile(/** @type {import('vega-lite').TopLevelSpec} */ (specification));
  writeFileSync(PATH, await new View(parse(spec), { renderer: 'none' }).toSVG());
  return PATH;
}
