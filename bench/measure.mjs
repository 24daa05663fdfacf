/**
 * How anything here is timed.
 *
 * The machine is shared and its speed drifts within seconds, so figures taken one store after the
 * other say little about the stores. Rows are measured in rounds: in each round every store does
 * one slice of the work, in an order that rotates, and ratios are taken within a round.
 *
 * Before a slice the process is left alone until it stops using the processor. Otherwise the
 * compaction of one store, or the write-behind of another, would run on its neighbour's time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { median } from 'd3-array';

/** @typedef {Record<string, number[]>} Samples of each store, one figure a round */

const SETTLE_STEP_MS = 10;
const SETTLE_MS_MAX = 2000;
const BUSY_SHARE = 0.3;
const MICROSECONDS_PER_MS = 1000;

/** Waits until the threads of this process are idle, two seconds at most. */
async function settle() {
  const deadline = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const before = process.cpuUsage();
    await delay(SETTLE_STEP_MS);
    const { user, system } = process.cpuUsage(before);
    const isBusy = user + system > BUSY_SHARE * SETTLE_STEP_MS * MICROSECONDS_PER_MS;
    if (!isBusy || performance.now() > deadline) return;
  }
}

/** @param {'minor' | 'major'} type */
export function collectGarbage(type) {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  globalThis.gc({ type });
}

/**
 * @template {{ name: string }} Participant
 * @param {object} plan
 * @param {Participant[]} plan.participants
 * @param {number} plan.rounds
 * @param {number} plan.warmUpRounds run like the others and not counted
 * @param {(participant: Participant, round: number) => Promise<number | Record<string, number>>}
 *   plan.slice rounds count from 0, warm-up rounds included; answers the participant's figure, or
 *   several with names of their own
 * @returns {Promise<Samples>}
 */
export async function interleave({ participants, rounds, warmUpRounds, slice }) {
  /** @type {Samples} */
  const samples = {};
  for (let round = 0; round < warmUpRounds + rounds; round += 1) {
    for (let turn = 0; turn < participants.length; turn += 1) {
      const participant = participants[(round + turn) % participants.length];
      await settle();
      const answer = await slice(participant, round);
      const figures = typeof answer === 'number' ? { [participant.name]: answer } : answer;
      if (round < warmUpRounds) continue;
      for (const [name, figure] of Object.entries(figures)) {
        samples[name] = [...(samples[name] ?? []), figure];
      }
    }
  }
  return samples;
}

/**
 * @template Result
 * @param {() => Result | Promise<Result>} work
 */
export async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

/**
 * Like `timed`, for work that makes a value for each entry it reads. It starts with an empty
 * nursery and ends with a collection, so that each store pays for its own garbage and for no
 * other's.
 * @template Result
 * @param {() => Result | Promise<Result>} work
 */
export async function timedWithGarbage(work) {
  collectGarbage('minor');
  return timed(async () => {
    const result = await work();
    collectGarbage('minor');
    return result;
  });
}

/**
 * Median time of one call, in microseconds.
 * @param {object} plan
 * @param {number} plan.calls at most
 * @param {number} [plan.millisecondsMax] no further call begins after these
 * @param {(call: number) => unknown} plan.work one call; a promise is awaited
 */
export async function medianMicroseconds({ calls, millisecondsMax = Infinity, work }) {
  const times = [];
  const deadline = performance.now() + millisecondsMax;
  for (let call = 0; call < calls && performance.now() < deadline; call += 1) {
    const start = performance.now();
    const pending = work(call);
    if (pending instanceof Promise) await pending;
    times.push((performance.now() - start) * MICROSECONDS_PER_MS);
  }
  return /** @type {number} */ (median(times));
}
