/**
 * Creates a database, and says how that failed and what it left. Prints one line of JSON.
 */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { open } from 'mneme';

const [path] = process.argv.slice(2);
let failure = 'none';
try {
  open(path).close();
} catch (error) {
  failure = `${error.code} ${error.details?.cause}`;
}
console.log(JSON.stringify({ failure, left: readdirSync(dirname(path)) }));
