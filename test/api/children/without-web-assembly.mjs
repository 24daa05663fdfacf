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
const VECTORS = 300;
const DIMENSION = 70;
/** @param {number} number */
const vector = (number) =>
  Float32Array.from({ length: DIMENSION }, (_, at) => Math.sin(number * 12.9898 + at * 78.233));
keyspace.batch(() => {
  for (let number = 0; number < VECTORS; number++) keyspace.vset(`key ${number}`, vector(number));
});
for (let number = 0; number < VECTORS; number += 3) keyspace.vdel(`key ${number}`);
const found = ['cosine', 'dot', 'l2'].map((metric) => {
  return keyspace
    .vsearch(vector(VECTORS), { metric, topK: 5 })
    .map(({ key, score }) => [key, score]);
});
keyspace.set('found', JSON.stringify(found));
console.log(`${typeof WebAssembly}, ${keyspace.count()}, ${sum}`);
database.close();
