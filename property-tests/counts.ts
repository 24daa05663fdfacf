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
  encryptedOnDisk: 12 * FACTOR,
  stepsMax: 100,
  batchStepsMax: 12,
} as const;

/** Sequences of steps on sorted sets and lists, and their length at most. */
export const COLLECTION_COUNTS = {
  smallPagesOnDisk: 20 * FACTOR,
  smallPagesInMemory: 20 * FACTOR,
  largePagesOnDisk: 6 * FACTOR,
  stepsMax: 40,
} as const;

/** Sequences of steps on vectors, and their length at most; collections that are searched. */
export const VECTOR_COUNTS = {
  smallPagesOnDisk: 10 * FACTOR,
  smallPagesInMemory: 10 * FACTOR,
  largerPagesOnDisk: 6 * FACTOR,
  stepsMax: 40,
  collections: 12 * FACTOR,
  queries: 3,
  /** Those that readers help with, and rounds of writes and searches in each. */
  largeCollections: 2 * FACTOR,
  rounds: 4,
} as const;

/** Sequences of steps on full text, and their length at most; collections that are searched. */
export const TEXT_COUNTS = {
  smallPagesOnDisk: 10 * FACTOR,
  smallPagesInMemory: 10 * FACTOR,
  largerPagesOnDisk: 6 * FACTOR,
  stepsMax: 40,
  collections: 10 * FACTOR,
  queries: 8,
} as const;

/** Histories over everything a file can hold that are copied, and their length at most. */
export const COMPACT_COUNTS = {
  smallPages: 15 * FACTOR,
  largePages: 5 * FACTOR,
  stepsMax: 60,
} as const;

/** Sequences of commands to Redis: groups a sequence, and commands a group, at most. */
export const REDIS_COUNTS = {
  sequences: 100 * FACTOR,
  groupsMax: 40,
  groupMax: 8,
} as const;

/** Sequences of steps on one tree, and their length at most. */
export const TREE_COUNTS = {
  runs: 60 * FACTOR,
  stepsMax: 200,
} as const;

/**
 * States of a disk after a crash, by what crashes: together 300,000. And the transactions of a
 * history.
 */
export const CRASH_COUNTS = {
  full: 45_000 * FACTOR,
  none: 45_000 * FACTOR,
  killed: 10_000 * FACTOR,
  /** For each way of two writers to sync, one after the other. */
  succeeded: 5000 * FACTOR,
  /** Second crashes: after first ones with `sync: 'full'`, and with 'none'. */
  double: 90_000 * FACTOR,
  /** Of commits that are written in parts; each with `sync: 'full'` and 'none'. */
  large: 1000 * FACTOR,
  /** Of encrypted keyspaces: what opening one costs is mostly the unwrapping of its keys. */
  encrypted: 1500 * FACTOR,
  /** With several extents of free state; a large file each. */
  extents: 300 * FACTOR,
  transactions: 8,
} as const;

/** Databases that are dumped and loaded again. */
export const DUMP_COUNTS = { runs: 30 * FACTOR } as const;

/** Messages that are sealed and opened, their length at most, and what is changed. */
export const ENCRYPTION_COUNTS = {
  keys: 60 * FACTOR,
  messagesMax: 8,
  lengthMax: 70_000,
  /** Small ones, of which every bit is flipped. */
  flipped: 10 * FACTOR,
  wrapped: 60 * FACTOR,
  wrappedAndFlipped: 2 * FACTOR,
  /** Pages of which each has a nonce of its own. */
  noncePages: FACTOR > 1 ? 1_000_000 : 20_000,
  /** Files with encrypted keyspaces of which something was changed. */
  tampered: 200 * FACTOR,
} as const;

/** Places of histories at which one thing fails, and the transactions of such a history. */
export const FAULT_COUNTS = {
  /** Writes and syncs, each with `sync: 'full'` and 'none'. */
  points: 8_000 * FACTOR,
  /** Reads of a file in use. */
  reads: 400 * FACTOR,
  readPoints: 4_000 * FACTOR,
  /** Power cuts after syncs that lied. */
  lies: 4_000 * FACTOR,
  /** Pages that changed on the disk, in a closed file and in one that was not closed. */
  rots: 3_000 * FACTOR,
  transactions: 4,
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
  /** Used with the engine alone; the others are opened as users do. */
  engine: 100_000 * FACTOR,
  small: 200 * FACTOR,
  large: 8 * FACTOR,
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

/** The same for states of a disk: how many were looked at, and how many of them differ. */
export function announceStates(
  title: string,
  { states, distinct }: { readonly states: number; readonly distinct: number },
): void {
  process.stdout.write(`${title}: ${states} states, ${distinct} distinct, MNEME_SEED=${SEED}\n`);
}
