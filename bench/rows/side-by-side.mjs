/**
 * Several threads and processes on one database: what company costs a reader, how fast busy
 * writers take turns, and what more threads bring. Of mneme alone; each figure but one is a ratio
 * of two measured in the same round.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { interleave } from '../measure.mjs';

const HELPER = new URL('../helper.mjs', import.meta.url);
const SLICE_MS = 400;
const WRITING_THREADS = 8;

/**
 * @typedef {object} Helper
 * @property {(task: import('../helper.mjs').Task) => Promise<number>} ask
 * @property {() => Promise<unknown>} end
 */

/** @param {string} path @returns {Helper} */
function startProcess(path) {
  const child = fork(fileURLToPath(HELPER), [path]);
  return {
    async ask(task) {
      child.send(task);
      const ended = once(child, 'exit').then(() => Promise.reject(new Error('a process ended')));
      return (await Promise.race([once(child, 'message'), ended]))[0];
    },
    end: () => {
      const ended = once(child, 'exit');
      child.disconnect();
      return ended;
    },
  };
}

/** @param {import('mneme').SharedDatabase} shared @returns {Helper} */
function startThread(shared) {
  const thread = new Worker(HELPER, { workerData: { shared } });
  return {
    async ask(task) {
      thread.postMessage(task);
      return (await once(thread, 'message'))[0];
    },
    end: () => thread.terminate(),
  };
}

/**
 * @param {import('../workbench.mjs').Workbench} workbench
 * @param {(path: string) => Promise<{ helpers: Helper[], close: () => void }>} start
 * @param {(ask: (from: number, to: number, call: 'get' | 'put') => Promise<number[]>) =>
 *   Promise<number>} figure `ask` has helpers call at the same time; answers calls a second of each
 */
async function measureTogether(workbench, start, figure) {
  await workbench.release();
  const participants = workbench.stores.filter(({ name }) => name === 'mneme');
  if (participants.length === 0) return {};
  const directory = await workbench.loadedDirectory(participants[0], 'text');
  const { helpers, close } = await start(join(directory, 'store.mneme'));
  const { records, rounds } = workbench.options;
  let seed = 0;
  /** @param {number} from @param {number} to @param {'get' | 'put'} call */
  const ask = (from, to, call) =>
    Promise.all(
      helpers.slice(from, to).map((helper) => {
        seed += 1;
        return helper.ask({ call, milliseconds: SLICE_MS, records, seed });
      }),
    );
  const slice = () => figure(ask);
  const samples = await interleave({ participants, rounds, warmUpRounds: 1, slice });
  await Promise.all(helpers.map(({ end }) => end()));
  close();
  return samples;
}

/** @param {string} path */
async function twoProcesses(path) {
  return { helpers: [startProcess(path), startProcess(path)], close: () => undefined };
}

/** @param {number} count @param {string} path */
async function threads(count, path) {
  const { open } = await import('mneme');
  const database = open(path);
  const shared = database.share();
  const helpers = Array.from({ length: count }, () => startThread(shared));
  return { helpers, close: () => database.close() };
}

/** @param {number[]} figures */
const sum = (figures) => figures.reduce((total, figure) => total + figure, 0);

/** @type {import('./row.mjs').Row[]} */
export const sideBySideRows = [
  {
    id: 'second-process',
    title: 'get of a second process, by the first',
    unit: 'x',
    better: 'lower',
    goal: { bound: 1.3 },
    measure: (workbench) =>
      measureTogether(workbench, twoProcesses, async (ask) => {
        const [first] = await ask(0, 1, 'get');
        const [second] = await ask(1, 2, 'get');
        return first / second;
      }),
  },
  {
    id: 'hand-over',
    title: 'two busy writing processes, the slower',
    unit: 'commits/s',
    better: 'higher',
    goal: { bound: 200 },
    measure: (workbench) =>
      measureTogether(workbench, twoProcesses, async (ask) =>
        Math.min(...(await ask(0, 2, 'put'))),
      ),
  },
  {
    id: 'reading-threads',
    title: 'gets of 2 threads, by 1',
    unit: 'x',
    better: 'higher',
    goal: { bound: 1.7 },
    measure: (workbench) =>
      measureTogether(
        workbench,
        (path) => threads(2, path),
        async (ask) => {
          const one = sum(await ask(0, 1, 'get'));
          return sum(await ask(0, 2, 'get')) / one;
        },
      ),
  },
  {
    id: 'writing-threads',
    title: `durable puts of ${WRITING_THREADS} threads, by 1`,
    unit: 'x',
    better: 'higher',
    goal: { bound: 3 },
    measure: (workbench) =>
      measureTogether(
        workbench,
        (path) => threads(WRITING_THREADS, path),
        async (ask) => {
          const one = sum(await ask(0, 1, 'put'));
          return sum(await ask(0, WRITING_THREADS, 'put')) / one;
        },
      ),
  },
];
