/**
 * A job queue whose workers are killed with SIGKILL all the time: every job is done exactly once.
 *
 * Run it after `npm run build` with `node examples/job-queue.mjs [jobs]`; 2000 by default.
 *
 *   waiting    a list; a worker takes from its head
 *   running    a sorted set; the score is when the worker's time for the job is up
 *   done       a list of results
 *
 * Each step is one batch, so a job is always in exactly one of them. A worker that dies leaves its
 * job in `running`; when its time is up another takes it over. Should two have worked on a job,
 * only the one that still finds it in `running` may write the result.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from 'mneme';

const WORKERS = 2;
const LEASE_MS = 250;
/** A worker is killed at a random moment after so many jobs at most. */
const KILL_AFTER_JOBS = 100;
const IDLE_MS = 10;

function placesOf(keyspace) {
  const running = keyspace.sortedSet('running');
  return { waiting: keyspace.list('waiting'), running, done: keyspace.list('done') };
}

/** Takes a job whose worker is gone, or else the one that waits longest. */
function takeJob(db) {
  return db.batch((tx) => {
    const { waiting, running } = placesOf(tx.keyspace('jobs'));
    const now = Date.now();
    const [late] = running.rangeByScore(-Infinity, now, { limit: 1 });
    const job = late?.member ?? waiting.lpop();
    if (job !== undefined) running.add(now + LEASE_MS, job);
    return job;
  });
}

/** Writes a result, unless another has done so. */
function finishJob(db, job, result) {
  db.batch((tx) => {
    const { running, done } = placesOf(tx.keyspace('jobs'));
    if (running.rem(job) === 1) done.rpush(`${job} = ${result}`);
  });
}

/** What the job is about: the square of its number. */
const work = (job) => Number(job.slice('job '.length)) ** 2;

async function workUntilKilled(path) {
  const db = open(path);
  for (;;) {
    const job = takeJob(db);
    if (job === undefined) await sleep(IDLE_MS);
    else finishJob(db, job, work(job));
    process.stdout.write('.');
  }
}

/** Starts a worker, kills it after a while, and again, until it is told to stop. */
async function keepWorking(path, isDone) {
  let kills = 0;
  while (!isDone()) {
    const worker = spawn(process.execPath, [fileURLToPath(import.meta.url), '--work', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(worker, 'exit');
    let left = Math.ceil(Math.random() * KILL_AFTER_JOBS);
    worker.stdout.on('data', (dots) => {
      left -= dots.length;
      if (left <= 0 || isDone()) worker.kill('SIGKILL');
    });
    const [, signal] = await exited;
    assert.equal(signal, 'SIGKILL', 'a worker ends when it is killed, and never before');
    kills += 1;
  }
  return kills;
}

async function run(count) {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-jobs-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'jobs.mneme');
  const db = open(path);
  const { waiting, running, done } = placesOf(db.keyspace('jobs'));
  const jobs = Array.from({ length: count }, (_, index) => `job ${index}`);
  db.batch(() => {
    for (const job of jobs) waiting.rpush(job);
  });
  const isDone = () => done.len() === count;
  const kills = await Promise.all(Array.from({ length: WORKERS }, () => keepWorking(path, isDone)));
  const results = done.range().toSorted();
  assert.deepEqual(results, jobs.map((job) => `${job} = ${work(job)}`).toSorted());
  assert.deepEqual([waiting.len(), running.card()], [0, 0]);
  assert.ok(db.verify().ok);
  db.close();
  const killed = kills.reduce((sum, each) => sum + each, 0);
  console.log(`${count} jobs done, each exactly once, by workers that were killed ${killed} times`);
}

const [first, second] = process.argv.slice(2);
if (first === '--work') await workUntilKilled(second);
else await run(Number(first ?? 2000));
