/**
 * Copies a database, in one of several ways that do not end well.
 *
 * Its parameters: the database, the target, 'compact' or 'backup', and what is done: 'again' makes
 * copy after copy until it is killed, 'stay' stays in a call of its listener, of which the last
 * parameter is the phase, 'exit' ends the process there, 'once' says how a single copy ended, in
 * one line of JSON.
 */
import { readdirSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { open } from 'mneme';

const [path, target, method, way, where] = process.argv.slice(2);
const database = open(path);
const keyspace = database.keyspace('a');

function copyOnce() {
  try {
    database[method](target);
    return 'done';
  } catch (error) {
    return `${error.code} ${error.details?.cause}`;
  }
}

if (way === 'again') {
  const onProgress = ({ phase, done }) => writeSync(1, `${phase} ${done}\n`);
  for (;;) database[method](target, { overwrite: true, onProgress });
} else if (way === 'stay' || way === 'exit') {
  const onProgress = ({ phase, done }) => {
    if (phase !== where || done === 0) return;
    if (way === 'exit') process.exit(0);
    writeSync(1, 'there\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  database[method](target, { onProgress });
} else {
  const outcome = copyOnce();
  const count = keyspace.count();
  const { ok } = database.verify();
  console.log(JSON.stringify({ outcome, count, ok, left: readdirSync(dirname(target)) }));
}
