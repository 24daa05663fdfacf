/**
 * How much every property test does, in one place, and the seed it does it with.
 *
 * The quick numbers keep the whole quick suite below a minute; `MNEME_SOAK=1` multiplies them by
 * ten. `MNEME_SEED` repeats a run: both are printed, so that any failure can be had again.
 */
const FACTOR = process.env['MNEME_SOAK'] === '1' ? 10 : 1;

/** Sequences a run, and steps a sequence at most. */
export const KEYSPACE_COUNTS = {
  smallPagesOnDisk: 30 * FACTOR,
  smallPagesInMemory: 40 * FACTOR,
  largePagesOnDisk: 12 * FACTOR,
  stepsMax: 100,
  batchStepsMax: 12,
} as const;

/** Sequences of steps on one tree, and their length at most. */
export const TREE_COUNTS = {
  runs: 60 * FACTOR,
  stepsMax: 200,
} as const;

/** Histories of transactions that crash at every operation, and their length at most. */
export const CRASH_COUNTS = {
  histories: 20 * FACTOR,
  extentHistories: 2 * FACTOR,
  transactionsMax: 12,
} as const;

/** Histories of transactions whose free state is read back, and their length at most. */
export const FREE_LOG_COUNTS = {
  histories: 40 * FACTOR,
  stepsMax: 40,
} as const;

/** Sequences of small transactions that are gathered, and their length at most. */
export const GATHERING_COUNTS = {
  runs: 100 * FACTOR,
  stepsMax: 300,
} as const;

/** Files with one part changed and sealed anew. */
export const DAMAGE_COUNTS = {
  small: 400 * FACTOR,
  large: 12 * FACTOR,
} as const;

/** Rounds of threads under a chosen schedule: groups on one database each. */
export const INTERLEAVING_COUNTS = {
  groups: 10 * FACTOR,
  rounds: 2000,
  roundsBetweenKills: 200,
  /** Rounds in which a rule that was broken on purpose has to show. */
  roundsToBreak: 20_000,
  isSoak: FACTOR > 1,
} as const;

/** Rounds of writing until killed. */
export const KILL_ROUNDS = 4 * FACTOR;

/** Ends the search for a smaller counterexample, which could go on for hours. */
export const SEARCH_LIMIT_MS = 240_000 * FACTOR;

/** A property may take as long as it needs: a test asserts results, never times. */
export const PROPERTY_TIMEOUT_MS = 600_000 * FACTOR;

/** Fits the 32 bits that fast-check takes. */
export const SEED = readSeed(process.env['MNEME_SEED']);

function readSeed(given: string | undefined): number {
  if (given === undefined || given === '') return Math.floor(Math.random() * 2 ** 31);
  const seed = Number(given);
  if (!Number.isInteger(seed)) throw new RangeError(`MNEME_SEED must be an integer, got ${given}`);
  return seed | 0;
}

/** One line in the output of the run: what was done how often, and how to do it again. */
export function announce(title: string, count: number): void {
  process.stdout.write(`${title}: ${count} runs, MNEME_SEED=${SEED}\n`);
}
