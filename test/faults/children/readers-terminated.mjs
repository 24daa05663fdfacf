/**
 * Readers lose their lives while they help with searches; every answer has to be the one that the
 * calling thread finds alone, and writing goes on.
 *
 * Parameters: the database, how many rounds, the seed. Prints one line of JSON: how many readers
 * were terminated, and the problems that were found.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { catchWorkers } from './catch-workers.mjs';

const VECTORS = 16_000;
const DIMENSION = 100;
const BATCH = 1000;
const THREADS = 3;
const SEARCHES = 6;
const PAUSE_MS_MAX = 120;

function random(seed) {
  let state = Number(seed) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function main() {
  const [path, rounds, seed] = process.argv.slice(2);
  const next = random(seed);
  const workers = catchWorkers(); // the writer first, then readers
  const { open } = await import('mneme');
  // The codes are twice as large as the cache, so that readers claim frames all the time.
  const database = open(path, { cacheSize: 2 ** 20, threads: THREADS, sync: 'none' });
  const keyspace = database.keyspace('a');
  const vector = () => Float32Array.from({ length: DIMENSION }, () => next() - 0.5);
  for (let first = 0; first < VECTORS; first += BATCH) {
    keyspace.batch(() => {
      for (let key = first; key < first + BATCH; key++) keyspace.vset(`${key}`, vector());
    });
  }
  const problems = [];
  const writer = workers[0];
  let terminated = 0;
  for (let round = 0; round < Number(rounds); round++) {
    const query = vector();
    const alone = JSON.stringify(keyspace.vsearch(query, { threads: 1 }));
    keyspace.vsearch(query);
    await wait(next() * PAUSE_MS_MAX);
    const readers = workers.filter((worker) => worker !== writer && worker.threadId > 0);
    const victim = readers[Math.floor(next() * readers.length)];
    void victim?.terminate();
    if (victim !== undefined) terminated++;
    for (let count = 0; count < SEARCHES; count++) {
      const found = JSON.stringify(keyspace.vsearch(query));
      if (found !== alone) problems.push(`round ${round}: ${found} instead of ${alone}`);
    }
    keyspace.vset(`${round}`, vector());
  }
  const report = database.verify();
  problems.push(...report.problems.map(({ message }) => message));
  database.close();
  console.log(JSON.stringify({ terminated: terminated > 0, problems }));
}

await main();
