/**
 * Who runs: exactly one actor, until a point where the seed says that it is another's turn.
 *
 * Every access to shared memory and every input and output is a point, before and after it. How
 * many points pass until the next switch is drawn when the last one happens. Who waits runs again
 * when it is notified, or when nobody else can run and its time is the next to be over, or now and
 * then before, as if the others had been held up so long. Time is a word like all others.
 */
import { parentPort, workerData } from 'node:worker_threads';
import * as at from './layout.mjs';

const { load, store, wait, notify } = Atomics;
const words = new Int32Array(workerData.control, 0, at.CONTROL_BYTES / 4);
const times = new Float64Array(workerData.control, at.CONTROL_BYTES);
const self = workerData.actor;
const { opening } = workerData;
const ownWord = at.actorWord(self);

const LOOKS = 400;
const POINTS_MAX = 3_000_000;
/** Of so many switches one lets the time of somebody's waiting be over. */
const TIME_OUT_EVERY = 24;
/** Of so many switches one holds a client up for some rounds, in which others may do much. */
const STALL_EVERY = 25;
const STALL_ROUNDS_MAX = 20;
/** So long after a thread has died may others wait for what it did not do. */
const CALM_MS = 2500;
const END_EVERY = 40;
const CLOCK_STEP_MS = 0.002;
const GAPS_MAX = [100, 1000, 5000, 20_000];
const PRIVATE = -1;

let isActive = false;

export { self, words };

/** A whole number below `limit`, the same for the same seed. */
export function random(limit) {
  let state = words[at.RANDOM];
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  words[at.RANDOM] = state;
  return (state >>> 0) % limit;
}

/** Milliseconds; each look at the clock takes a little. */
export function now() {
  if (!isActive) return times[at.CLOCK];
  point();
  times[at.CLOCK] += CLOCK_STEP_MS;
  return times[at.CLOCK];
}

export function point() {
  if (isActive && --words[at.COUNTDOWN] <= 0) preempt();
}

/** Waits for the first turn; from here on every access is a point. */
export function begin() {
  park();
  isActive = true;
}

/** Tells the test, and never goes on. */
export function stop(message) {
  isActive = false;
  parentPort.postMessage(message);
  for (;;) wait(words, ownWord + at.GO, 0);
}

export function fail(error) {
  const text = error instanceof Error ? `${error.stack}\n${String(error.cause ?? '')}` : `${error}`;
  stop({ kind: 'failure', text, actor: self, round: words[at.ROUND] });
}

function preempt() {
  words[at.POINTS] += words[at.DRAWN];
  drawCountdown();
  if (words[at.POINTS] > POINTS_MAX) fail('the round does not come to an end');
  if (words[at.KILL_IN] > 0 && --words[at.KILL_IN] === 0) kill();
  if (isLastRound() && words[at.ENDS_ABRUPTLY] === 1 && random(END_EVERY) === 0) {
    stop({ kind: 'end' });
  }
  if (random(TIME_OUT_EVERY) === 0) endSomeWaiting();
  if (random(STALL_EVERY) === 0) holdUp();
  const next = someReady(self);
  if (next >= 0) switchTo(next);
  else endHoldUp();
}

const isLastRound = () => words[at.ROUND] === words[at.LAST_ROUND];

/** Unless another is held up already. */
function holdUp() {
  if (words[at.HELD_UP] !== 0 || words[ownWord + at.IS_CLIENT] === 0) return;
  words[at.HELD_UP] = self + 1;
  words[at.HELD_UP_UNTIL] = words[at.ROUND] + 1 + random(STALL_ROUNDS_MAX);
  words[ownWord + at.STATE] = at.STALLED;
}

/** The one that was held up, or -1. */
function endHoldUp() {
  const actor = words[at.HELD_UP] - 1;
  if (actor < 0) return -1;
  words[at.HELD_UP] = 0;
  words[at.actorWord(actor) + at.STATE] = at.READY;
  return actor;
}

/** As often from 1 to 10 as from 10 to 100: a short stretch by one, and then a long by another. */
function drawCountdown() {
  const count = Math.floor(words[at.GAP_MAX] ** ((random(65535) + 1) / 65536));
  words[at.DRAWN] = count;
  words[at.COUNTDOWN] = count;
}

function switchTo(next) {
  const passed = words[at.DRAWN] - words[at.COUNTDOWN];
  const mixed = Math.imul(words[at.TRACE] ^ (next + 8 * passed), 0x9e3779b1);
  words[at.TRACE] = mixed ^ (mixed >>> 15);
  words[at.SWITCHES]++;
  giveTurn(next);
  park();
}

function giveTurn(next) {
  const word = at.actorWord(next);
  if (words[word + at.STATE] === at.BLOCKED) {
    words[word + at.TIMED_OUT] = 1;
    words[word + at.STATE] = at.READY;
  }
  store(words, word + at.GO, 1);
  if (load(words, word + at.SLEEPS) !== 0) notify(words, word + at.GO);
}

function park() {
  const go = ownWord + at.GO;
  for (let looks = LOOKS; looks > 0 && load(words, go) === 0; looks--);
  if (load(words, go) === 0) {
    store(words, ownWord + at.SLEEPS, 1);
    while (load(words, go) === 0) wait(words, go, 0);
    store(words, ownWord + at.SLEEPS, 0);
  }
  store(words, go, 0);
}

function isReady(actor) {
  const state = words[at.actorWord(actor) + at.STATE];
  if (state === at.READY) return true;
  return state === at.BLOCKED && times[at.UNTIL + actor] <= times[at.CLOCK];
}

/** One of the actors that can run, but not this one; -1 when there is none. */
function someReady(but) {
  const count = words[at.ACTOR_COUNT];
  const first = random(count);
  for (let step = 0; step < count; step++) {
    const actor = (first + step) % count;
    if (actor !== but && isReady(actor)) return actor;
  }
  return -1;
}

/** Lets as much time pass as one of those that wait would wait. */
function endSomeWaiting() {
  const actor = random(words[at.ACTOR_COUNT]);
  if (words[at.actorWord(actor) + at.STATE] !== at.BLOCKED) return;
  times[at.CLOCK] = Math.max(times[at.CLOCK], times[at.UNTIL + actor]);
}

/** Nobody can run but who is held up; else time passes until the first one's waiting is over. */
function nextInTime() {
  const heldUp = endHoldUp();
  if (heldUp >= 0) return heldUp;
  let first = -1;
  for (let actor = 0; actor < words[at.ACTOR_COUNT]; actor++) {
    if (words[at.actorWord(actor) + at.STATE] !== at.BLOCKED) continue;
    if (first < 0 || times[at.UNTIL + actor] < times[at.UNTIL + first]) first = actor;
  }
  if (first < 0) fail('nobody can run');
  lookForLostWakeUp();
  times[at.CLOCK] = Math.max(times[at.CLOCK], times[at.UNTIL + first]);
  return first;
}

/** A client waits for a writer that waits for clients: one of them missed a wake-up. */
function lookForLostWakeUp() {
  if (times[at.CLOCK] < times[at.CALM]) return;
  const waiting = [new Set(), new Set()];
  for (let actor = 0; actor < words[at.ACTOR_COUNT]; actor++) {
    const word = at.actorWord(actor);
    if (words[word + at.STATE] !== at.BLOCKED || words[word + at.WAITS_IN] === PRIVATE) continue;
    waiting[words[word + at.IS_CLIENT]].add(words[word + at.WAITS_IN]);
  }
  for (const memory of waiting[1]) if (waiting[0].has(memory)) fail('a wake-up was lost');
}

/** Gives the turn away while this actor cannot run. */
function yieldTurn() {
  words[at.POINTS] += words[at.DRAWN] - words[at.COUNTDOWN];
  drawCountdown();
  const ready = someReady(self);
  const next = ready >= 0 ? ready : nextInTime();
  if (next !== self) return switchTo(next);
  words[ownWord + at.TIMED_OUT] = 1;
  words[ownWord + at.STATE] = at.READY;
}

/** @param isPrivate - Nobody else has this memory: a sleep. */
export function block(isPrivate, index, timeoutMs) {
  words[ownWord + at.WAITS_IN] = isPrivate ? PRIVATE : opening;
  words[ownWord + at.WAITS_FOR] = index;
  words[ownWord + at.TIMED_OUT] = 0;
  times[at.UNTIL + self] = times[at.CLOCK] + timeoutMs;
  words[ownWord + at.STATE] = at.BLOCKED;
  yieldTurn();
  return words[ownWord + at.TIMED_OUT] === 1 ? 'timed-out' : 'ok';
}

/** Everybody who waits for this word of the opening's memory can run again. */
export function wake(index) {
  let count = 0;
  for (let actor = 0; actor < words[at.ACTOR_COUNT]; actor++) {
    const word = at.actorWord(actor);
    if (words[word + at.STATE] !== at.BLOCKED || words[word + at.WAITS_IN] !== opening) continue;
    if (words[word + at.WAITS_FOR] !== index) continue;
    words[word + at.STATE] = at.READY;
    count++;
  }
  return count;
}

export const isScheduled = () => isActive;

/** The test ends this client's thread for good, or another's, and starts a new one. */
function kill() {
  const victim = someVictim();
  if (victim < 0) return;
  if (words[at.HELD_UP] === victim + 1) words[at.HELD_UP] = 0;
  words[at.actorWord(victim) + at.STATE] = at.DEAD;
  if (words[at.IN_BATCH] === victim + 1) words[at.IN_BATCH] = 0;
  times[at.CALM] = times[at.CLOCK] + CALM_MS;
  words[at.WRITING] &= ~(1 << victim);
  words[at.KILLS]++;
  const mixed = Math.imul(words[at.TRACE] ^ (victim + 1), 0x85ebca6b);
  words[at.TRACE] = mixed ^ (mixed >>> 13);
  parentPort.postMessage({ kind: 'kill', victim, next: victim === self ? -1 : self });
  park();
}

/** Who runs, if it is a client: so it is stopped at just any point. */
function someVictim() {
  const isClient = (actor) => words[at.actorWord(actor) + at.IS_CLIENT] === 1;
  const isAtWork = (actor) => ![at.DONE, at.DEAD].includes(words[at.actorWord(actor) + at.STATE]);
  const mayDie = (actor) => isClient(actor) && isAtWork(actor);
  if (mayDie(self)) return self;
  const count = words[at.ACTOR_COUNT];
  const first = random(count);
  for (let step = 0; step < count; step++) {
    if (mayDie((first + step) % count)) return (first + step) % count;
  }
  return -1;
}

/** Ends this client's task; the last one begins the next round. */
export function endTask() {
  point();
  words[ownWord + at.STATE] = at.DONE;
  const done = [];
  let isOver = true;
  for (let actor = 0; actor < words[at.ACTOR_COUNT]; actor++) {
    const word = at.actorWord(actor);
    if (words[word + at.IS_CLIENT] === 0 || words[word + at.STATE] === at.STALLED) continue;
    if (words[word + at.STATE] === at.DONE) done.push(word + at.STATE);
    else isOver = false;
  }
  if (isOver) {
    beginRound();
    for (const state of done) words[state] = at.READY;
  }
  yieldTurn();
}

function beginRound() {
  if (isLastRound()) stop({ kind: 'end' });
  const round = ++words[at.ROUND];
  if (round >= words[at.HELD_UP_UNTIL]) endHoldUp();
  words[at.POINTS] = 0;
  words[at.GAP_MAX] = GAPS_MAX[random(GAPS_MAX.length)];
  const between = words[at.ROUNDS_BETWEEN_KILLS];
  words[at.KILL_IN] = between > 0 && round % between === 0 ? 1 + random(20) : 0;
  drawCountdown();
}
