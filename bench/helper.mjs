/**
 * A thread or a process beside others on one database of mneme: it does what a message asks of it
 * and answers with calls a second.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { randomInt, randomLcg } from 'd3-random';
import { attach, open } from 'mneme';
import { keyAt } from './dataset.mjs';

/**
 * @typedef {object} Task
 * @property {'get' | 'put'} call
 * @property {number} milliseconds
 * @property {number} records
 * @property {number} seed
 */

const CALLS_PER_CLOCK_READING = { get: 1000, put: 1 };
const KEYS = 10_000;
const [path] = process.argv.slice(2);
const database = parentPort === null ? open(path) : attach(workerData.shared);
const keyspace = database.keyspace('records');

/** @param {Task} task */
function callsPerSecond({ call, milliseconds, records, seed }) {
  const randomIndex = randomInt.source(randomLcg(seed))(0, records);
  const keys = Array.from({ length: KEYS }, () => keyAt(randomIndex()));
  const atOnce = CALLS_PER_CLOCK_READING[call];
  const start = performance.now();
  let calls = 0;
  while (performance.now() < start + milliseconds) {
    for (let done = 0; done < atOnce; done += 1, calls += 1) {
      const key = keys[calls % KEYS];
      if (call === 'put') keyspace.set(key, `${seed} ${calls}`);
      else if (keyspace.get(key) === undefined) throw new Error(`mneme lost ${key}`);
    }
  }
  return (1000 * calls) / (performance.now() - start);
}

/** @param {Task} task */
const answer = (task) => callsPerSecond(task);
if (parentPort === null) {
  process.on('message', (task) => process.send?.(answer(/** @type {Task} */ (task))));
} else parentPort.on('message', (task) => parentPort?.postMessage(answer(task)));
