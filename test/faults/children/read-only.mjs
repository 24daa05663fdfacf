/**
 * Opens a database for reading in a place where nothing can be written, in every way there is to
 * read. Prints one line of JSON.
 *
 * Parameters: the database, and 'nobody' to give up the user's rights first.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { open } from 'mneme';

const [path, user] = process.argv.slice(2);
if (user === 'nobody' && process.getuid() === 0) {
  process.setgroups([]);
  process.setgid(65534);
  process.setuid(65534);
}

function attempt(action) {
  try {
    action();
    return 'done';
  } catch (error) {
    return error.details?.cause ?? error.code;
  }
}

function look() {
  const { size, mtimeMs, ino } = statSync(path);
  return JSON.stringify([size, mtimeMs, ino, readdirSync(dirname(path))]);
}

const before = look();
const beside = attempt(() => writeFileSync(`${path}.beside`, 'x'));
const database = open(path, { readonly: true, cacheSize: 2 ** 20 });
const keyspace = database.keyspace('a');
const iterator = keyspace.range();
const snapshot = database.snapshot();
const seen = [
  keyspace.get('7'),
  keyspace.count(),
  iterator.toArray().length,
  snapshot.keyspace('a').get('7'),
  database.verify().problems.length,
];
const write = attempt(() => keyspace.set('7', 'new'));
// One that may write opens too, and is told with its first write.
const writable = open(path, { cacheSize: 2 ** 20 });
seen.push(writable.keyspace('a').get('7'));
const writableWrite = attempt(() => writable.keyspace('a').set('7', 'new'));
seen.push(writable.keyspace('a').get('7'));
snapshot.close();
database.close();
writable.close();
const isUnchanged = look() === before;
console.log(JSON.stringify({ beside, seen, write, writableWrite, isUnchanged }));
