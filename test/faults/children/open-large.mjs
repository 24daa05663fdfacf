/**
 * Opens a database with the largest cache again and again until there is no room for another, and
 * tells what is left over then. Prints one line of JSON.
 */
import { readdirSync } from 'node:fs';
import { open } from 'mneme';

const [path] = process.argv.slice(2);
const OPENINGS_MAX = 200;
const LARGEST = Math.floor(3.9 * 2 ** 30);

const descriptors = () => readdirSync('/proc/self/fd').length;
const databases = [];
let failure;
let before = 0;
while (failure === undefined && databases.length < OPENINGS_MAX) {
  before = descriptors();
  try {
    databases.push(open(path, { cacheSize: LARGEST }));
  } catch ({ code, details }) {
    failure = { code, details };
  }
}
const leaked = descriptors() - before;
for (const database of databases) database.close();
console.log(JSON.stringify({ failure, leaked }));
