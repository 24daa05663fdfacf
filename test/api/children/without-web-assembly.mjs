/**
 * Fills a file and takes half of it out again. The parent runs this where there is no WebAssembly
 * and reads the file where there is.
 */
import { open } from 'mneme';

const [path] = process.argv.slice(2);
const COUNT = 3000;
const STEP = 1777;

const database = open(path, { cacheSize: 2 ** 21 });
const keyspace = database.keyspace('a');
keyspace.batch((batch) => {
  for (let at = 0; at < COUNT; at++) {
    const number = (at * STEP) % COUNT;
    batch.set(`key ${number}`, 'v'.repeat(number % 200));
  }
});
for (let number = 0; number < COUNT; number += 2) keyspace.del(`key ${number}`);
const lengths = [...keyspace.range()].map(([, value]) => value.length);
const sum = lengths.reduce((total, length) => total + length, 0);
console.log(`${typeof WebAssembly}, ${keyspace.count()}, ${sum}`);
database.close();
