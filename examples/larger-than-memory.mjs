/**
 * Two gigabytes of data through a cache of 64 MiB: what the process keeps in memory stays bounded
 * by the cache, not by the file. Run `node examples/larger-than-memory.mjs`, or give the gigabytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'mneme';

const MIB = 2 ** 20;
const gigabytes = Number(process.argv[2] ?? 2);
const valueBytes = 900;
const recordCount = Math.ceil((gigabytes * 2 ** 30) / valueBytes);
const batchCount = 10_000;

const directory = mkdtempSync(join(tmpdir(), 'mneme-large-'));
const database = open(join(directory, 'large.mneme'), { cacheSize: 64 * MIB, sync: 'none' });
const records = database.keyspace('records');
const residentMib = () => Math.round(process.memoryUsage().rss / MIB);
const keyOf = (index) => `record:${String(index).padStart(10, '0')}`;
const textOf = (index) => `${index}:`.padEnd(valueBytes, 'abcdefghij');

try {
  let most = 0;
  const started = performance.now();
  for (let from = 0; from < recordCount; from += batchCount) {
    records.batch((batch) => {
      const end = Math.min(from + batchCount, recordCount);
      for (let index = from; index < end; index++) batch.set(keyOf(index), textOf(index));
    });
    most = Math.max(most, residentMib());
  }
  database.sync();
  const seconds = (performance.now() - started) / 1000;
  const fileMib = Math.round(database.stats().fileSize / MIB);
  console.log(`${recordCount} records, file ${fileMib} MiB, written in ${seconds.toFixed(1)} s`);
  console.log(`resident memory while writing: ${most} MiB at most`);
  most = 0;
  for (let read = 0; read < 200_000; read++) {
    const index = Math.imul(read, 2654435761) >>> 0;
    const value = records.get(keyOf(index % recordCount));
    if (value !== textOf(index % recordCount)) throw new Error(`wrong value of ${index}`);
    if (read % 10_000 === 0) most = Math.max(most, residentMib());
  }
  console.log(`200000 random reads right, resident memory: ${most} MiB at most`);
} finally {
  database.close();
  rmSync(directory, { recursive: true });
}
