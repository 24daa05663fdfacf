/**
 * A process of its own that writes batch after batch, and says so after each, until it is killed.
 *
 * Batch n sets ten keys of its own and rewrites some that all batches share. Their sizes differ, so
 * that small and large commits, splits and overflow all meet the kill.
 */
import { writeSync } from 'node:fs';
import { open } from 'mneme';

const [path, sync, first] = process.argv.slice(2);
const database = open(path, { sync, pageSize: 4096, cacheSize: 2 ** 20 });
const own = database.keyspace('own');
const shared = database.keyspace('shared');

for (let batch = Number(first); ; batch++) {
  database.batch(() => {
    const size = batch % 10 === 9 ? 30_000 : (batch * 37) % 900;
    for (let part = 0; part < 10; part++) {
      own.set(`${String(batch).padStart(8, '0')}:${part}`, `${batch},`.repeat(size + 1));
    }
    for (let part = 0; part < 20; part++) shared.set(`${(batch * 13 + part) % 400}`, batch);
    shared.set('last', batch);
    if (batch >= 40) own.delRange({ lt: String(batch - 40).padStart(8, '0') });
  });
  writeSync(1, `${batch}\n`);
}
