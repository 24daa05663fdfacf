/**
 * A client: reads and writes as the seed says, and checks all that it sees.
 *
 * Each transaction writes the next generation to all keys. So a read is right if it shows one
 * generation, whole, none older than what was acknowledged or seen by anybody before it began, and
 * none that nobody has begun to write.
 */
import { workerData } from 'node:worker_threads';
import {
  assertEntries,
  assertThat,
  countOf,
  entriesOf,
  generationOfEntries,
  generationOfValues,
  KEYS,
  valuesOf,
} from './generations.mjs';
import * as at from './layout.mjs';
import { endTask, fail, random, self, words } from './schedule.mjs';

const { dist, shared, opening, sync, openingCount, writesInEight, counterId } = workerData;
const HELD_MAX = 3;
/** A batch that nobody ends would go unseen. */
const LOCKED_MAX = 60;
/** With `sync: 'none'` other openings see commits when they are written behind. */
const acked = at.ACKED + (sync === 'full' ? 0 : opening);
const WRITTEN_TEXT = 'written by nobody';

let core;
let database;
let keyspace;
let counters;
const held = [];

export async function prepareClient() {
  const { Database } = await import(`${dist}api/database.js`);
  const { Core } = await import(`${dist}api/core.js`);
  return () => {
    const { path, options, places } = shared;
    core = new Core(path, { ...options, clock: Date.now }, places);
    database = new Database(core);
    work();
  };
}

function work() {
  keyspace = database.keyspace('generations');
  counters = database.keyspace('counters');
  for (;;) {
    endTask();
    doSomething(random(8) < writesInEight);
    // Reads go on while others write, to meet every moment of it.
    for (let more = random(4); more > 0 && words[at.WRITING] > 0; more--) doSomething(false);
    if (words[at.ROUND] === words[at.LAST_ROUND] && words[at.ENDS_ABRUPTLY] === 0) finish();
  }
}

// ------------------------------------------------------------------------------ what is done

const READS = [readMany, readMany, readPoint, readRange, readCount, readCounters];
const HELD_READS = [hold, hold, readHeld, readHeld, readHeld];
const WRITES = [write, write, write, writeCounter, writeCounter, writeNothing, writeAside];

function doSomething(writes) {
  const actions = writes ? WRITES : random(3) === 0 ? HELD_READS : READS;
  const action = actions[random(actions.length)];
  if (writes) words[at.WRITING] |= 1 << self;
  try {
    if (!writes) readRoot();
    action();
    if (writes) words[at.LOCKED_COUNT] = 0;
  } catch (error) {
    // Another's batch took longer than this one waits, which it is told.
    const isLocked = error.code === 'ERR_MNEME_LOCKED' && writes;
    if (isLocked && ++words[at.LOCKED_COUNT] < LOCKED_MAX) return;
    throw new Error(`${action.name}: ${error.message}`, { cause: error.stack });
  } finally {
    words[at.WRITING] &= ~(1 << self);
  }
}

/** Checks what was read since `low` was the newest for sure. */
function see(generation, low) {
  assertThat(generation >= low, `generation ${generation} was read, ${low} was there before`);
  const { [at.STARTED]: high } = words;
  assertThat(generation <= high, `generation ${generation} was read, ${high} is not written yet`);
  words[acked] = Math.max(words[acked], generation);
}

function readMany() {
  const low = words[acked];
  const values = keyspace.getMany(KEYS);
  if (low === 0 && values[0] === undefined) return;
  see(generationOfValues(values), low);
}

function readRange() {
  const low = words[acked];
  const entries = keyspace.range().toArray();
  if (low === 0 && entries.length === 0) return;
  see(generationOfEntries(entries), low);
}

/** The generation is not told by the value where it is missing: then one must lack it. */
function readPoint() {
  const index = random(KEYS.length);
  const low = words[acked];
  const value = keyspace.get(KEYS[index]);
  if (value === undefined) {
    if (low > 0) assertSome(low, (it) => valuesOf(it)[index] === undefined, `no ${KEYS[index]}`);
    return;
  }
  const generation = Number.parseInt(value, 10);
  assertThat(valuesOf(generation)[index] === value, `${KEYS[index]} is ${value.slice(0, 60)}`);
  see(generation, low);
}

function readCount() {
  const low = words[acked];
  const count = keyspace.count();
  if (low > 0) assertSome(low, (it) => countOf(it) === count, `the count ${count}`);
}

function assertSome(low, holds, text) {
  for (let generation = low; generation <= words[at.STARTED]; generation++) {
    if (holds(generation)) return;
  }
  throw new Error(`${text} was read, which is right in none of ${low} to ${words[at.STARTED]}`);
}

/** Of one transaction everybody sees the same root. */
function readRoot() {
  const { txnId, catalog } = core.state();
  const root = [catalog.pageId, catalog.low, catalog.high, catalog.level, catalog.count];
  const mixed = root.reduce((hash, word) => Math.imul(hash ^ word, 0x9e3779b1) ^ (hash >>> 15), 1);
  const word = at.ROOTS + 2 * (txnId % at.ROOTS_MAX);
  if (words[word] > txnId) return;
  const isKnown = words[word] === txnId;
  assertThat(!isKnown || words[word + 1] === (mixed | 0), `two roots of transaction ${txnId}`);
  words[word] = txnId;
  words[word + 1] = mixed;
}

/** Each client has a counter, changed by single small writes. */
function readCounters() {
  const isExact = sync === 'full' || openingCount === 1;
  const known = Array.from({ length: words[at.COUNTER_COUNT] }, (_, counter) => counter);
  const low = known.map((counter) => (isExact ? words[at.COUNTER_ACKED + counter] : 0));
  const values = counters.getMany(known.map((counter) => `counter ${counter}`));
  for (const counter of known) {
    const value = values[counter] ?? 0;
    const high = words[at.COUNTER_STARTED + counter];
    const text = `counter ${counter} is ${value}, not ${low[counter]} to ${high}`;
    assertThat(value >= low[counter] && value <= high, text);
    const word = at.COUNTER_ACKED + counter;
    words[word] = Math.max(words[word], value);
  }
}

// ------------------------------------------------------------------------------ what is held

/** A snapshot or an iterator, to be read on in later rounds. */
function hold() {
  if (held.length >= HELD_MAX) return letGo(random(held.length));
  const low = words[acked];
  if (low === 0) return;
  if (random(2) === 0) {
    const snapshot = database.snapshot();
    const high = words[at.STARTED];
    held.push({ snapshot, reader: snapshot.keyspace('generations'), low, high });
    return;
  }
  const iterator = keyspace.range();
  const entries = [iterator.next().value];
  const generation = Number(entries[0][1]);
  see(generation, low);
  held.push({ iterator, entries, generation });
}

function letGo(index) {
  const [item] = held.splice(index, 1);
  item.snapshot?.close();
  item.iterator?.return();
}

function readHeld() {
  if (held.length === 0) return hold();
  const index = random(held.length);
  const item = held[index];
  if (item.snapshot !== undefined) return readSnapshot(item);
  for (let count = 1 + random(6); count > 0; count--) {
    const { value, done } = item.iterator.next();
    if (!done) {
      item.entries.push(value);
      continue;
    }
    held.splice(index, 1);
    assertEntries(item.entries, item.generation);
    return;
  }
}

function readSnapshot(item) {
  const generation =
    random(2) === 0
      ? generationOfValues(item.reader.getMany(KEYS))
      : generationOfEntries(item.reader.range().toArray());
  const { low, high } = item;
  assertThat(generation >= low && generation <= high, `a snapshot shows ${generation}`);
  item.low = generation;
  item.high = generation;
}

// ------------------------------------------------------------------------------ what is written

/** Runs a batch alone, in the generation after the newest. */
function inBatch(change) {
  const low = words[acked];
  database.batch((batch) => {
    assertThat(words[at.IN_BATCH] === 0, 'two batches are open');
    words[at.IN_BATCH] = self + 1;
    try {
      const writer = batch.keyspace('generations');
      const newest = Number(writer.get(KEYS[0]) ?? 0);
      assertThat(newest >= low, `a batch begins with ${newest}, ${low} was there before`);
      change(writer, newest + 1, batch);
    } finally {
      words[at.IN_BATCH] = 0;
    }
  });
}

function write() {
  let written = 0;
  inBatch((writer, generation) => {
    words[at.STARTED] = Math.max(words[at.STARTED], generation);
    putAll(writer, generation);
    if (random(4) === 0) assertEntries(writer.range().toArray(), generation);
    written = generation;
  });
  words[acked] = Math.max(words[acked], written);
}

function putAll(writer, generation) {
  if (random(4) === 0) {
    writer.delRange({});
    for (const [key, value] of entriesOf(generation)) writer.set(key, value);
    return;
  }
  valuesOf(generation).forEach((value, index) => {
    if (value === undefined) writer.del(KEYS[index]);
    else writer.set(KEYS[index], value);
  });
}

class Undone extends Error {}

/** Nothing of a batch that throws may ever be seen. */
function writeNothing() {
  try {
    inBatch((writer) => {
      for (const key of KEYS) writer.set(key, WRITTEN_TEXT);
      assertThat(writer.get(KEYS[1]) === WRITTEN_TEXT, 'a batch reads what it wrote');
      throw new Undone();
    });
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
}

/** A single small write, which is gathered with others where nothing is synced. */
function writeCounter() {
  const value = ++words[at.COUNTER_STARTED + counterId];
  counters.set(`counter ${counterId}`, value);
  words[at.COUNTER_ACKED + counterId] = value;
}

/** Pages come and go beside the generations. */
function writeAside() {
  const aside = database.keyspace('aside');
  const chance = random(6);
  if (chance === 0) database.dropKeyspace('aside');
  else if (chance === 1) database.sync();
  else aside.set(`aside ${random(6)}`, 'x'.repeat(random(chance === 2 ? 12000 : 900)));
}

// ------------------------------------------------------------------------------ the end

function finish() {
  while (held.length > 0) letGo(0);
  if (writesInEight === 0) return;
  const report = database.verify();
  if (!report.ok) fail(`verify: ${JSON.stringify(report.problems.slice(0, 5))}`);
}
