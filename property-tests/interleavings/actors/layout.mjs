/**
 * The words that all actors of a group share beside the database: whose turn it is, the clock, the
 * randomness, and what the checks have to remember over threads.
 */

/** Whoever has the turn is the only one that runs, so everything but `GO` is plainly accessed. */
export const RANDOM = 0;
/** Points until the next switch. */
export const COUNTDOWN = 1;
/** The most points between switches in this round. */
export const GAP_MAX = 2;
export const ROUND = 3;
export const LAST_ROUND = 4;
/** A hash of every switch so far: the same seed gives the same. */
export const TRACE = 5;
/** Points of this round; it does not come to an end when there are too many. */
export const POINTS = 6;
/** Switches until a client is killed, 0 when none will be. */
export const KILL_IN = 7;
export const ACTOR_COUNT = 9;
export const SWITCHES = 10;
/** Points until the next switch when it was drawn. */
export const DRAWN = 11;
/** Actor + 1 whose batch is open, 0 when none is. */
export const IN_BATCH = 12;
export const ROUNDS_BETWEEN_KILLS = 13;
export const KILLS = 14;
/** 1: the group ends in the middle of its last round, as when the process is killed. */
export const ENDS_ABRUPTLY = 15;
/** Threads that ever were clients. */
export const COUNTER_COUNT = 24;
/** Client + 1 that is held up in the middle of something, and until which round. */
export const HELD_UP = 25;
export const HELD_UP_UNTIL = 26;
/** Writes one after the other that another's batch kept from being done. */
export const LOCKED_COUNT = 27;
/** Clients that are at a write. */
export const WRITING = 28;

/** The newest generation that a transaction has begun to write. */
export const STARTED = 16;
/** By opening: the newest generation that was acknowledged or seen. */
export const ACKED = 20;
/** A cache line or more per actor. */
export const ACTORS = 64;
export const ACTOR_WORDS = 32;
export const GO = 0;
export const STATE = 1;
export const WAITS_IN = 2;
export const WAITS_FOR = 3;
export const TIMED_OUT = 4;
export const IS_CLIENT = 5;
/** 1 while it has to be woken for its turn. */
export const SLEEPS = 6;

export const READY = 0;
/** In Atomics.wait. */
export const BLOCKED = 1;
/** Has done its task of the round. */
export const DONE = 2;
export const DEAD = 3;
/** Does not run for some rounds, wherever it is. */
export const STALLED = 4;

export const ACTORS_MAX = 8;
/** By thread that ever was a client: its counter, as begun and as acknowledged or seen. */
export const COUNTERS_MAX = 64;
export const COUNTER_STARTED = ACTORS + ACTOR_WORDS * ACTORS_MAX;
export const COUNTER_ACKED = COUNTER_STARTED + COUNTERS_MAX;

/** By transaction, in turn: its id, and a hash of the catalog's root that it published. */
export const ROOTS_MAX = 64;
export const ROOTS = COUNTER_ACKED + COUNTERS_MAX;

export const CONTROL_BYTES = (ROOTS + 2 * ROOTS_MAX) * 4;
/**
 * Doubles behind the words: the clock in milliseconds; until when a dead thread may owe a wake-up;
 * and by actor until when it waits.
 */
export const CLOCK = 0;
export const CALM = 1;
export const UNTIL = 2;
export const TIMES_BYTES = (UNTIL + ACTORS_MAX) * 8;

export const actorWord = (actor) => ACTORS + actor * ACTOR_WORDS;
