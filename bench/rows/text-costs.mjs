/**
 * What full text costs besides the search: building the index, single documents, the file, and the
 * first answer of a process that has just opened the file.
 */
import { figureInFreshProcess } from '../fresh-process.mjs';
import { interleave, timed } from '../measure.mjs';
import { textWorkbench } from '../text-workbench.mjs';
import { directorySizeBytes } from '../workbench.mjs';

/** @typedef {import('../workbench.mjs').Workbench} Workbench */

const SET = 'glosses';
const DATABASES = ['mneme', 'fts5'];
const PUTS_PER_SLICE = 500;

/** @param {Workbench} workbench */
function databases(workbench) {
  const stores = textWorkbench(workbench).stores(SET);
  return stores.filter(({ name }) => DATABASES.includes(name));
}

/** @param {Workbench} workbench @param {number} threads */
async function measureBuild(workbench, threads) {
  await workbench.release();
  const bench = textWorkbench(workbench);
  const { documents } = bench.set(SET);
  return interleave({
    participants: databases(workbench),
    rounds: workbench.longRounds,
    warmUpRounds: 1,
    slice: async (store, round) => {
      const directory = workbench.newDirectory(`text-build-${threads}-${store.name}-${round}`);
      const texts = await bench.openedIn(store, directory, threads);
      const { seconds } = await timed(() => texts.fill(documents));
      await texts.close();
      return seconds;
    },
  });
}

/** @param {Workbench} workbench */
async function measurePuts(workbench) {
  const { set, players } = await textWorkbench(workbench).opened(SET);
  const samples = await interleave({
    participants: players.filter(({ name }) => DATABASES.includes(name)),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async ({ name, texts }, round) => {
      const first = round * PUTS_PER_SLICE;
      const documents = set.documents
        .slice(first, first + PUTS_PER_SLICE)
        .map(([key, text]) => /** @type {const} */ ([`again ${key}`, text]));
      if (texts.put === undefined) throw new Error(`${name} puts nothing`);
      const { seconds } = await timed(() => texts.put?.(documents));
      return PUTS_PER_SLICE / seconds;
    },
  });
  // What was put is not what the other rows expect.
  await workbench.release();
  textWorkbench(workbench).directories.clear();
  return samples;
}

/** @param {Workbench} workbench */
async function measureSizes(workbench) {
  const bench = textWorkbench(workbench);
  const text = bench.set(SET).textSizeBytes;
  /** @type {import('../measure.mjs').Samples} */
  const samples = {};
  for (const store of databases(workbench)) {
    const directory = await bench.closedDirectory(store, SET);
    samples[store.name] = [(directorySizeBytes(directory) - text) / text];
  }
  return samples;
}

/** @param {Workbench} workbench */
async function measureOpen(workbench) {
  const bench = textWorkbench(workbench);
  const [query] = bench.set(SET).queries('two');
  return interleave({
    participants: databases(workbench),
    rounds: workbench.options.rounds,
    warmUpRounds: 1,
    slice: async (store) =>
      figureInFreshProcess('text-child.mjs', {
        storeName: store.name,
        directory: await bench.closedDirectory(store, SET),
        cacheSizeBytes: workbench.options.cacheSizeBytes,
        query,
      }),
  });
}

/** @type {import('./row.mjs').Row[]} */
export const textCostRows = [
  {
    id: 'text-size',
    title: 'index of glosses, by their text',
    unit: 'x',
    better: 'lower',
    goal: { against: 'fts5', factor: 1 },
    measure: measureSizes,
  },
  {
    id: 'text-open',
    title: 'open and first best 10',
    unit: 'ms',
    better: 'lower',
    goal: { against: 'fts5', factor: 1 },
    measure: measureOpen,
  },
  {
    id: 'text-build-one',
    title: 'glosses indexed in one transaction',
    unit: 's',
    better: 'lower',
    goal: { against: 'fts5', factor: 1 },
    measure: (workbench) => measureBuild(workbench, 1),
  },
  {
    id: 'text-build-two',
    title: 'the same with two threads',
    unit: 's',
    better: 'lower',
    goal: { against: 'fts5', factor: 0.7 },
    measure: (workbench) => measureBuild(workbench, 2),
  },
  {
    id: 'text-put',
    title: 'single documents without sync',
    unit: 'documents/s',
    better: 'higher',
    goal: { against: 'fts5', factor: 1 },
    measure: measurePuts,
  },
];
