/**
 * Leaves in the middle of a batch that is larger than the cache, in the way that it is told.
 */
import { open } from 'mneme';

const [path, sync, leaving] = process.argv.slice(2);
const database = open(path, { pageSize: 4096, cacheSize: 2 ** 20, sync });
const keyspace = database.keyspace('a');
for (let key = 0; key < 300; key++) keyspace.set(`kept ${key}`, key);
database.batch(() => {
  for (let key = 0; key < 3000; key++) keyspace.set(`half ${key}`, 'half'.repeat(200));
  keyspace.delRange({ prefix: 'kept' });
  if (leaving === 'exit') process.exit(7);
  process.abort();
});
