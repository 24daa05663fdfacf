/**
 * A process that dies in the middle of a batch, and what must be left of its work.
 *
 * The child reports each batch once its commit has returned; what it reported must be there
 * afterwards, whole. It kills itself with SIGKILL inside a batch, so nothing can tidy up.
 */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { open } from 'mneme';
import { check, figure, formatCount, formatMs, section, timed } from './report.mjs';

const BATCH_RECORDS = 20;
const FATAL_BATCH = 201;
const TIMEOUT_MS = 60_000;
const STDOUT_DESCRIPTOR = 1;

const batchPrefix = (batch) => `batch:${String(batch).padStart(4, '0')}/`;
const recordKey = (batch, record) => `${batchPrefix(batch)}${String(record).padStart(2, '0')}`;
const recordValue = (batch, record) => `record ${record} of batch ${batch}`;

/** SIGKILL is certain but not instant; nothing may happen until it comes. */
function dieAtOnce() {
  process.kill(process.pid, 'SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** What the child process does: it never returns. */
export function commitUntilKilled(file) {
  const ledger = open(file).keyspace('ledger');
  for (let number = 1; ; number += 1) {
    ledger.batch((batch) => {
      for (let record = 1; record <= BATCH_RECORDS; record += 1) {
        batch.set(recordKey(number, record), recordValue(number, record));
        // The answer needs all that was written before, so the writer has half a batch in hand.
        if (record === BATCH_RECORDS / 2) batch.incr('batches');
        if (number === FATAL_BATCH && record === BATCH_RECORDS / 2) dieAtOnce();
      }
    });
    writeSync(STDOUT_DESCRIPTOR, `${number}\n`);
  }
}

function isWhole(ledger, number) {
  for (let record = 1; record <= BATCH_RECORDS; record += 1) {
    if (ledger.get(recordKey(number, record)) !== recordValue(number, record)) return false;
  }
  return true;
}

/** Lets a child work on the file and die, then looks at what it left. */
export function crashAndRecover(script, file) {
  section('Crash: a child process commits batches and kills itself inside one');
  const child = spawnSync(process.execPath, [script, '--crash-child', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGTERM',
  });
  const acknowledged = child.stdout.split('\n').filter(Boolean).map(Number);
  figure('child ended by', String(child.signal ?? child.status), `in batch ${FATAL_BATCH}`);
  figure('acknowledged', formatCount(acknowledged.length), `batches of ${BATCH_RECORDS} records`);

  const { result: db, durationMs } = timed(() => open(file));
  figure('reopened in', formatMs(durationMs), 'there is no log to replay');
  const ledger = db.keyspace('ledger');
  const whole = acknowledged.filter((number) => isWhole(ledger, number));
  check(
    'the child died by SIGKILL, in the batch it was meant to die in',
    child.signal === 'SIGKILL' && acknowledged.length === FATAL_BATCH - 1,
  );
  check(
    `every acknowledged batch is there, each with all ${BATCH_RECORDS} records`,
    acknowledged.length > 0 && whole.length === acknowledged.length,
  );
  check('no record of the batch it died in is there', ledger.count(batchPrefix(FATAL_BATCH)) === 0);
  check(
    'its counter says the number of acknowledged batches',
    ledger.get('batches') === acknowledged.length,
  );
  check(
    'the keyspace holds nothing else',
    ledger.count() === acknowledged.length * BATCH_RECORDS + 1,
  );
  return db;
}
