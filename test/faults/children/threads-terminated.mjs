/**
 * A thread that writes batch after batch loses its life, or the writer does, at a random moment.
 * This file is the program and the thread that writes.
 *
 * Parameters: the database, 'thread' or 'writer', the kind of sync, how many rounds, the seed.
 * Prints one line of JSON: the problems that were found.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { catchWorkers } from './catch-workers.mjs';

const KEYS = 10;
const MOMENT_MS_MAX = 12;

function numbersOf(keyspace, name) {
  const keys = Array.from({ length: KEYS }, (_, key) => `${name}:${key}`);
  // Of one state: what a thread had sent may be committed after its end.
  return keyspace.getMany(keys).map((number) => number ?? 0);
}

/** Writes numbered batches, and says after each which was acknowledged. */
async function writeForever() {
  const { attach } = await import('mneme');
  const { shared, acknowledged } = workerData;
  const keyspace = attach(shared).keyspace('a');
  for (let batch = 1; ; batch++) {
    keyspace.batch((writer) => {
      for (let key = 0; key < KEYS; key++) writer.set(`mine:${key}`, batch);
      writer.set(`text ${batch % 50}`, `${batch},`.repeat((batch * 37) % 3000));
    });
    Atomics.store(acknowledged, 0, batch);
    Atomics.notify(acknowledged, 0);
  }
}

async function main() {
  const [path, who, sync, rounds, seed] = process.argv.slice(2);
  const workers = catchWorkers();
  const { open } = await import('mneme');
  const options = { pageSize: 4096, cacheSize: 2 ** 20, sync };
  let state = Number(seed) >>> 0;
  const problems = [];
  for (let round = 0; round < Number(rounds); round++) {
    const database = open(path, options);
    database.keyspace('a').delRange({ prefix: 'mine' });
    const acknowledged = new Int32Array(new SharedArrayBuffer(4));
    const shared = database.share();
    const data = { workerData: { shared, acknowledged } };
    const thread = new Worker(new URL(import.meta.url), data);
    thread.on('error', () => undefined); // told that the writer died
    Atomics.wait(acknowledged, 0, 0, 20_000);
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    await wait((state / 2 ** 32) * MOMENT_MS_MAX);
    const writer = workers.filter((worker) => worker !== thread).at(-1);
    await (who === 'thread' ? thread : writer).terminate();
    const note = (text) => problems.push(`round ${round}: ${text}`);
    if (who === 'thread') goOn(database, Atomics.load(acknowledged, 0), note);
    else expectDeadWriter(database, note);
    await thread.terminate();
    endWith(database, sync, who);
    check(open(path, options), Atomics.load(acknowledged, 0), { sync, who, note });
  }
  console.log(JSON.stringify({ problems }));
}

/** The others of the same database write on, and see whole batches. */
function goOn(database, acknowledged, note) {
  const keyspace = database.keyspace('a');
  keyspace.set('other', acknowledged);
  const numbers = numbersOf(keyspace, 'mine');
  if (new Set(numbers).size !== 1) note(`half a batch: ${numbers}`);
  if (numbers[0] < acknowledged) note(`${numbers[0]} instead of ${acknowledged}`);
}

function expectDeadWriter(database, note) {
  try {
    database.keyspace('a').set('other', 1);
    note('a write without a writer');
  } catch (error) {
    if (error.code !== 'ERR_MNEME_WRITER_DIED') note(`${error.code} ${error.message}`);
  }
  const numbers = numbersOf(database.keyspace('a'), 'mine');
  if (new Set(numbers).size !== 1) note(`half a batch is read: ${numbers}`);
}

/** Closing tells of a dead writer where something that was answered may be lost. */
function endWith(database, sync, who) {
  try {
    database.close();
  } catch (error) {
    const isTold = sync === 'none' && who === 'writer' && error.code === 'ERR_MNEME_WRITER_DIED';
    if (!isTold) throw error;
  }
}

function check(database, acknowledged, { sync, who, note }) {
  const numbers = numbersOf(database.keyspace('a'), 'mine');
  if (new Set(numbers).size !== 1) note(`half a batch after opening: ${numbers}`);
  const isLost = numbers[0] < acknowledged && !(sync === 'none' && who === 'writer');
  if (isLost) note(`${numbers[0]} instead of ${acknowledged} after opening`);
  const { problems } = database.verify();
  if (problems.length > 0) note(JSON.stringify(problems.slice(0, 3)));
  database.close();
}

if (isMainThread) await main();
else await writeForever();
