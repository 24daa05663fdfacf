/**
 * Writes all of WordNet into the file, says what that took, and reads every record back.
 */
import { statSync } from 'node:fs';
import * as report from './report.mjs';

const { check, figure, formatBytes, formatCount, formatMs, formatRate, section } = report;

const BATCH_RECORDS = 1000;
const RANDOM_READS = 20_000;

function writeInBatches(keyspace, records, onProgress) {
  for (let first = 0; first < records.length; first += BATCH_RECORDS) {
    const part = records.slice(first, first + BATCH_RECORDS);
    keyspace.batch((batch) => {
      for (const [key, value] of part) batch.set(key, value);
    });
    onProgress(first + part.length);
  }
}

export function load(db, wordnet, file) {
  const { synsets, lemmas, edition } = wordnet;
  section(
    `Load: ${edition.name} in batches of ${formatCount(BATCH_RECORDS)}, each on disk at its return`,
  );
  const total = synsets.length + lemmas.length;
  const bar = report.progress('loading', total);
  const { durationMs } = report.timed(() => {
    writeInBatches(db.keyspace('synsets'), synsets, (done) => bar.update(done));
    writeInBatches(db.keyspace('lemmas'), lemmas, (done) => bar.update(synsets.length + done));
  });
  bar.stop();
  const contentBytes = [...synsets, ...lemmas]
    .map(([key, value]) => Buffer.byteLength(key) + Buffer.byteLength(value))
    .reduce((sum, bytes) => sum + bytes, 0);
  const fileBytes = statSync(file).size;
  const perRecord = (bytes) => `${(bytes / total).toFixed(1)} bytes a record`;
  figure('synsets', formatCount(synsets.length));
  figure('lemmas', formatCount(lemmas.length));
  figure('time', formatMs(durationMs), `${formatRate(total, durationMs)} records`);
  figure('content', formatBytes(contentBytes), perRecord(contentBytes));
  figure('file', formatBytes(fileBytes), perRecord(fileBytes));
  check(
    `all ${formatCount(edition.synsetCount)} synsets are in the file`,
    db.keyspace('synsets').count() === edition.synsetCount,
  );
  check(
    `all ${formatCount(lemmas.length)} lemmas are in the file`,
    db.keyspace('lemmas').count() === lemmas.length,
  );
}

export function readBack(db, { synsets, lemmas }) {
  section('Read back');
  const keyspace = db.keyspace('synsets');
  const stride = 7919; // a prime, so that the reads jump about and still meet different records
  const chosen = Array.from(
    { length: RANDOM_READS },
    (_, index) => synsets[(index * stride) % synsets.length],
  );
  const gets = report.timed(() => chosen.every(([key, value]) => keyspace.get(key) === value));
  figure(
    'get',
    formatMs(gets.durationMs / RANDOM_READS),
    `${formatCount(RANDOM_READS)} scattered keys`,
  );
  const stored = new Map([...synsets, ...lemmas]);
  const scan = report.timed(() => {
    let sameCount = 0;
    for (const name of ['synsets', 'lemmas']) {
      for (const [key, value] of db.keyspace(name).range()) {
        if (stored.get(key) === value) sameCount += 1;
      }
    }
    return sameCount;
  });
  figure('range', formatMs(scan.durationMs), `${formatRate(stored.size, scan.durationMs)} records`);
  check('every record reads back as it was written', gets.result && scan.result === stored.size);
}
