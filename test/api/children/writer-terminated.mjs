/**
 * A process of its own in which the writer worker is terminated under the database's feet.
 *
 * Prints what happened as one line of JSON.
 */
import { catchWorkers } from '../../faults/children/catch-workers.mjs';

const [path] = process.argv.slice(2);
const workers = catchWorkers();
const { open } = await import('mneme');

const database = open(path);
const keyspace = database.keyspace('a');
keyspace.set('key', 'before');
const held = keyspace.range();
const workerCount = workers.length;
await Promise.all(workers.map((worker) => worker.terminate()));

const codes = [];
const startedAt = Date.now();
for (const write of [() => keyspace.set('key', 'after'), () => keyspace.incr('counter')]) {
  try {
    write();
    codes.push('none');
  } catch (error) {
    codes.push(error.code);
  }
}
const elapsedMs = Date.now() - startedAt;
const read = keyspace.get('key');
const pairs = [...held];
database.close();
const reopened = open(path);
reopened.keyspace('a').set('key', 'reopened');
const afterwards = reopened.keyspace('a').get('key');
const isSound = reopened.verify().ok;
reopened.close();
console.log(JSON.stringify({ workerCount, codes, elapsedMs, read, pairs, afterwards, isSound }));
