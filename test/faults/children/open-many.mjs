/**
 * Opens a database again and again until there are no descriptors left, gives some of them back,
 * and tells what can be done with those. Prints one line of JSON.
 */
import { open } from 'mneme';

const [path, spare] = process.argv.slice(2);
const OPENINGS_MAX = 200;
const SMALL = { cacheSize: 2 ** 20 };

function attempt(action) {
  try {
    return { value: action() };
  } catch (error) {
    return { failure: `${error.code} ${error.details?.cause}` };
  }
}

const databases = [];
let failure;
while (failure === undefined && databases.length < OPENINGS_MAX) {
  const { value, failure: found } = attempt(() => open(path, SMALL));
  if (value !== undefined) databases.push(value);
  failure = found;
}
const [first] = databases;
const creating = attempt(() => open(`${path}.new`, SMALL)).failure;
for (let count = 0; count < Number(spare); count++) databases.pop().close();
const read = first.keyspace('a').get('key');
const write = attempt(() => first.keyspace('a').set('key', 'early')).failure ?? 'done';
const pin = attempt(() => first.snapshot()).failure;
// Enough reads for what makes them faster to be loaded, if it can be.
const readAgain = new Set(Array.from({ length: 1500 }, () => first.keyspace('a').get('key')));
for (const database of databases) database.close();
const database = open(path, SMALL);
database.keyspace('a').set('key', 'late');
const late = database.keyspace('a').get('key');
const { ok } = database.verify();
database.close();
console.log(
  JSON.stringify({ failure, creating, read, write, pin, readAgain: [...readAgain], late, ok }),
);
