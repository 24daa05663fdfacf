/**
 * Writes numbered batches until the file cannot grow any more, and tells what it is left with.
 *
 * Its parameters: the database; what takes the room: a file, made here, 'limit' for one on the
 * size of files, or 'none'; the kind of sync; the bytes of that file. Prints one line of JSON.
 */
import { spawnSync } from 'node:child_process';
import { unlinkSync, writeFileSync } from 'node:fs';
import { open } from 'mneme';

const [path, filler, sync, fillerBytes] = process.argv.slice(2);
const BATCHES_MAX = 20_000;
const KEYS = 5;
if (filler.startsWith('/')) writeFileSync(filler, Buffer.alloc(Number(fillerBytes), 1));

/** Takes away what stands in the way: a file, or the limit that the shell has set. */
function makeRoom() {
  if (filler.startsWith('/')) return unlinkSync(filler);
  const raised = spawnSync('prlimit', ['--pid', `${process.pid}`, '--fsize=unlimited']);
  if (raised.status !== 0) throw new Error('the limit stays');
}

function textOf(batch) {
  return `${batch},`.repeat((batch * 37) % 3000);
}

function writeBatch(database, batch) {
  database.batch((tx) => {
    for (let key = 0; key < KEYS; key++) tx.keyspace('a').set(`${batch}:${key}`, textOf(batch));
    tx.keyspace('a').set('last', batch);
  });
}

function attempt(action) {
  try {
    action();
    return 'done';
  } catch (error) {
    return `${error.code} ${error.details?.cause}`;
  }
}

/** The last batch, when all up to it are there whole and nothing else is. */
function lastWhole(database) {
  const keyspace = database.keyspace('a');
  const last = keyspace.get('last') ?? -1;
  if (keyspace.count() !== (last + 1) * KEYS + (last < 0 ? 0 : 1)) return 'half a batch';
  for (const [key, value] of keyspace.range()) {
    if (key !== 'last' && value !== textOf(Number(key.split(':')[0]))) return 'wrong text';
  }
  return last;
}

const database = open(path, { pageSize: 4096, cacheSize: 2 ** 20, sync });
let acknowledged = -1;
let failure = 'none';
for (let batch = 0; batch < BATCHES_MAX && failure === 'none'; batch++) {
  const result = attempt(() => writeBatch(database, batch));
  if (result === 'done') acknowledged = batch;
  else failure = result;
}
const kept = lastWhole(database);
const snapshotKept = database.snapshot().keyspace('a').get('last');
const again = attempt(() => writeBatch(database, acknowledged + 1));
let afterRoom = 'none';
if (filler !== 'none') {
  makeRoom();
  for (let more = 1; more <= 20; more++) {
    afterRoom = attempt(() => writeBatch(database, acknowledged + more));
    if (afterRoom !== 'done') break;
  }
}
const closing = attempt(() => database.close());
const reopened = open(path);
const report = reopened.verify();
const found = lastWhole(reopened);
reopened.close();
console.log(
  JSON.stringify({
    ...{ acknowledged, failure, kept, snapshotKept, again, afterRoom, closing, found },
    problems: report.problems,
  }),
);
