/**
 * A process of its own that writes in the tick it opens in, and leaves without closing, in the way
 * that it is told: by having nothing left to do, by process.exit() or by an error.
 */
import { open } from 'mneme';

const [path, sync, leaving] = process.argv.slice(2);
const database = open(path, { sync });
const keyspace = database.keyspace('a');
keyspace.set('first', 'same tick');
for (let index = 0; index < 200; index++) keyspace.set(`key ${index}`, index);
database.batch(() => {
  for (let index = 0; index < 2000; index++) keyspace.set(`batch ${index}`, 'v'.repeat(100));
});
keyspace.set('last', 'x'.repeat(100_000));
process.stdout.write(`${keyspace.get('first')}, ${keyspace.count()}\n`);

if (leaving === 'exit') process.exit(7);
if (leaving === 'throw') throw new Error('left by an error');
if (leaving === 'later') setTimeout(() => keyspace.set('later', 1), 30);
