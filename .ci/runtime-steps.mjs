/**
 * What has to work in a runtime, step by step, in the current folder: prints a line of JSON for
 * each step, with its fault if there is one. runtimes.mjs passes the words that start the runtime;
 * with `count` or `leave` behind them it is a child of a step.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { attach, MnemeError, open } from 'mneme';
import { generateKeyPair } from 'mneme/crypto';

const PATH = 'steps.mneme';
const COUNT = 200;
const [command, ...words] = process.argv.slice(2).filter((word) => !/^(?:count|leave)$/.test(word));
const task = process.argv.at(-1);
const self = (name) => [...words, fileURLToPath(import.meta.url), command, ...words, name];

const wave = (at) => Float32Array.from({ length: 384 }, (_, index) => Math.sin(at * index));

function countUp(db) {
  for (let count = 0; count < COUNT; count++) db.keyspace('values').incr('hits');
  db.close();
}

const STEPS = {
  'values, ranges, expiry': (db) => {
    const values = db.keyspace('values');
    values.set('a', 'text', { ttl: 60 });
    values.set('b', new Uint8Array([1, 2]));
    values.set('c', 2n ** 60n);
    assert.deepEqual(
      values
        .range()
        .map(([key]) => key)
        .toArray(),
      ['a', 'b', 'c'],
    );
    assert.equal(values.get('c'), 2n ** 60n);
  },
  'batches, savepoints, snapshots': (db) => {
    const snapshot = db.snapshot();
    assert.throws(() => {
      db.batch(() => {
        db.keyspace('values').set('undone', 1);
        throw new RangeError('on purpose');
      });
    }, RangeError);
    assert.equal(db.keyspace('values').exists('undone'), false);
    assert.equal(snapshot.keyspace('values').count(), 3);
    snapshot.close();
  },
  'sorted sets and lists': (db) => {
    db.keyspace('values').sortedSet('set').add(2, 'ada', 1, 'grace');
    assert.equal(db.keyspace('values').sortedSet('set').rank('ada'), 1);
    db.keyspace('values').list('list').rpush('first', 'second');
    assert.equal(db.keyspace('values').list('list').lpop(), 'first');
  },
  'vector search with several threads': async (db) => {
    const vectors = db.keyspace('vectors');
    db.batch(() => {
      for (let at = 0; at < 5000; at++) vectors.vset(`${at}`, wave(at));
    });
    for (let at = 0; at < 5; at++) assert.equal(vectors.vsearch(wave(at + 7))[0].key, `${at + 7}`);
    assert.equal((await vectors.vsearchAsync(wave(9)))[0].key, '9');
  },
  'full text': async (db) => {
    const notes = db.ftKeyspace('notes');
    notes.putMany([
      ['pond', 'a duck on a pond'],
      ['road', 'a goose on a road'],
    ]);
    assert.equal(notes.search('duck')[0].key, 'pond');
    assert.equal((await notes.searchAsync('goose'))[0].key, 'road');
  },
  encryption: () => {
    const db = open(':memory:', { encryption: { seed: generateKeyPair().seed } });
    db.keyspace('vault', { encrypted: true }).set('door', 4711);
    assert.equal(db.keyspace('vault').get('door'), 4711);
    db.close();
  },
  'verify, compact': (db) => {
    assert.equal(db.verify().ok, true);
    assert.ok(db.compact('small.mneme').keys > 0);
  },
  'errors with their codes': (db) => {
    assert.throws(() => db.keyspace('values').incr('a'), MnemeError);
  },
  'threads that share a database': async (db) => {
    db.keyspace('values').del('hits');
    const start = () => new Worker(new URL(import.meta.url), { workerData: db.share() });
    await Promise.all([start(), start()].map((worker) => once(worker, 'exit')));
    assert.equal(db.keyspace('values').get('hits'), 2 * COUNT);
  },
  'processes that write in turns': async (db) => {
    db.keyspace('values').del('hits');
    const start = () => spawn(command, self('count'), { stdio: 'inherit' });
    await Promise.all([start(), start()].map((child) => once(child, 'exit')));
    assert.equal(db.keyspace('values').get('hits'), 2 * COUNT);
  },
  "a process that ends without close, sync: 'none'": (db) => {
    spawnSync(command, self('leave'), { stdio: 'inherit' });
    assert.equal(db.keyspace('values').get('left'), 'behind');
  },
};

async function runSteps() {
  const db = open(PATH);
  for (const [title, step] of Object.entries(STEPS)) {
    const fault = await Promise.resolve(db)
      .then(step)
      .then(() => '', String);
    process.stdout.write(`${JSON.stringify({ title, fault })}\n`);
  }
  db.close();
}

if (!isMainThread) countUp(attach(workerData));
else if (task === 'count') countUp(open(PATH, { lockTimeout: 30_000 }));
else if (task === 'leave') open(PATH, { sync: 'none' }).keyspace('values').set('left', 'behind');
else await runSteps();
