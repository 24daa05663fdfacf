/**
 * Power cuts and kills at every operation of random histories: what opens afterwards is exactly the
 * acknowledged state or the one in flight, its file is sound, and work goes on.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { announce, CRASH_COUNTS, PROPERTY_TIMEOUT_MS, SEED } from '../counts.js';
import {
  BOOT,
  EngineRun,
  emptyDatabase,
  OTHER_BOOT,
  type State,
  type SyncMode,
} from './engine-run.js';
import { type Content, type CrashKind, crashes } from './simulated-disk.js';

interface Change {
  readonly key: number;
  /** Length of the new value; absent to delete. */
  readonly length: number | undefined;
}

const length = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 9000 }) },
);
const change: fc.Arbitrary<Change> = fc.record({
  key: fc.integer({ min: 0, max: 120 }),
  length: fc.option(length, { nil: undefined, freq: 4 }),
});
const history = fc.array(fc.array(change, { minLength: 1, maxLength: 25 }), {
  minLength: 1,
  maxLength: CRASH_COUNTS.transactionsMax,
});

function applyChange(run: EngineRun, state: Map<string, string>, step: Change, txn: number): void {
  const key = `key ${step.key}`;
  if (step.length === undefined) {
    run.delete(key);
    state.delete(key);
    return;
  }
  const value = `${txn}:`.padEnd(step.length, 'x');
  run.set(key, value);
  state.set(key, value);
}

/** Runs a history and returns its states, the one it starts from first. */
function perform(
  run: EngineRun,
  transactions: readonly (readonly Change[])[],
  sync: SyncMode,
  first: State = new Map(),
) {
  const states: State[] = [first];
  for (const [index, steps] of transactions.entries()) {
    const state = new Map(states.at(-1));
    run.engine.begin();
    for (const step of steps) applyChange(run, state, step, index);
    run.engine.commit();
    states.push(state);
    run.file.acknowledge(states.length - 1);
    // Sometimes in the middle, as the writer's clock would have it.
    if (sync === 'none' && index % 3 === 1) run.engine.writeBehind();
    if (sync === 'none' && index % 5 === 4) {
      run.engine.sync();
      run.file.promise(states.length - 1);
    }
  }
  return states;
}

/**
 * Opens what a crash left, compares it with the states it may be in, and goes on working. Returns
 * how many extents its free state was in.
 */
function recover(content: Content, allowed: readonly State[], bootId: Uint8Array): number {
  const run = new EngineRun(content, 'full', bootId);
  const { length: extentCount } = run.engine.freeExtents;
  const found = run.read();
  const match = allowed.findIndex((state) => sameState(state, found));
  expect(match, 'the state is one of those allowed').toBeGreaterThanOrEqual(0);
  expect(run.problems()).toEqual([]);
  run.engine.begin();
  run.set('after', 'the crash');
  run.engine.commit();
  const again = new EngineRun(run.file.content, 'full', bootId);
  expect(again.read().get('after')).toBe('the crash');
  expect(again.read().size).toBe(found.size + (found.has('after') ? 0 : 1));
  expect(again.problems()).toEqual([]);
  return extentCount;
}

function sameState(a: State, b: State): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('a power cut with sync full leaves the acknowledged state or the one in flight', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  let count = 0;
  const property = fc.property(history, fc.integer(), (transactions, seed) => {
    const start = emptyDatabase();
    const run = new EngineRun(start.copy(), 'full');
    const states = perform(run, transactions, 'full');
    for (const crash of crashes(start, run.file.events, randomFrom(seed))) {
      const { acknowledged } = crash;
      recover(crash.content, states.slice(acknowledged, acknowledged + 2), OTHER_BOOT);
      count++;
    }
  });
  fc.assert(property, { seed: SEED, numRuns: CRASH_COUNTS.histories, endOnFailure: true });
  announce('crash states, sync full', count);
});

test('with sync none a power cut leaves a state no older than the last sync', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  let count = 0;
  const property = fc.property(history, fc.integer(), (transactions, seed) => {
    const start = emptyDatabase();
    const run = new EngineRun(start.copy(), 'none');
    const states = perform(run, transactions, 'none');
    for (const crash of crashes(start, run.file.events, randomFrom(seed))) {
      const { acknowledged, promised } = crash;
      recover(crash.content, states.slice(promised, acknowledged + 2), OTHER_BOOT);
      count++;
    }
  });
  fc.assert(property, { seed: SEED, numRuns: CRASH_COUNTS.histories, endOnFailure: true });
  announce('crash states, sync none, power cut', count);
});

test('with sync none a kill leaves a whole state no older than the last write-behind', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  let count = 0;
  const everything: readonly CrashKind[] = ['everything'];
  const property = fc.property(history, (transactions) => {
    const start = emptyDatabase();
    const run = new EngineRun(start.copy(), 'none');
    const states = perform(run, transactions, 'none');
    for (const crash of crashes(start, run.file.events, randomFrom(1), everything)) {
      // A write-behind comes with every third transaction, so at most three are missing.
      const oldest = Math.max(0, crash.acknowledged - 4);
      recover(crash.content, states.slice(oldest, crash.acknowledged + 2), BOOT);
      count++;
    }
  });
  fc.assert(property, { seed: SEED, numRuns: CRASH_COUNTS.histories, endOnFailure: true });
  announce('crash states, sync none, kill', count);
});

/** A database whose free pages are in many runs, and what it holds. */
function tornDatabase(): { readonly start: Content; readonly state: State } {
  const run = new EngineRun(emptyDatabase(), 'full', BOOT, 0);
  const state = new Map<string, string>();
  const put = (key: number, value: string) => {
    const name = `old key ${String(key).padStart(4, '0')}`;
    run.set(name, value);
    state.set(name, value);
  };
  // Three to a leaf, and a key of every other leaf changes.
  for (const [distance, letter] of [
    [1, 'x'],
    [6, 'y'],
  ] as const) {
    run.engine.begin();
    for (let key = 0; key < 900; key += distance) put(key, letter.repeat(950));
    run.engine.commit();
  }
  for (let round = 0; round < 3; round++) {
    run.engine.begin();
    put(round, `round ${round}`);
    run.engine.commit();
  }
  return { start: run.file.content.copy(), state };
}

test.each([
  'full',
  'none',
] as const)('with sync %s a power cut spares a free state that is in several extents', {
  timeout: PROPERTY_TIMEOUT_MS,
}, (sync) => {
  let count = 0;
  let extentsMax = 0;
  const { start, state } = tornDatabase();
  const small = fc.array(fc.array(change, { minLength: 1, maxLength: 1 }), {
    minLength: CRASH_COUNTS.transactionsMax,
    maxLength: CRASH_COUNTS.transactionsMax,
  });
  const property = fc.property(small, fc.integer(), (transactions, seed) => {
    const run = new EngineRun(start.copy(), sync, BOOT, 0);
    const states = perform(run, transactions, sync, state);
    const kinds: readonly CrashKind[] = ['nothing', 'torn'];
    for (const crash of crashes(start, run.file.events, randomFrom(seed), kinds)) {
      const { acknowledged, promised } = crash;
      const oldest = sync === 'full' ? acknowledged : promised;
      const allowed = states.slice(oldest, acknowledged + 2);
      extentsMax = Math.max(extentsMax, recover(crash.content, allowed, OTHER_BOOT));
      count++;
    }
  });
  fc.assert(property, { seed: SEED, numRuns: CRASH_COUNTS.extentHistories, endOnFailure: true });
  expect(extentsMax, 'extents follow one another').toBeGreaterThan(1);
  announce(`crash states, sync ${sync}, ${extentsMax} extents at most`, count);
});
