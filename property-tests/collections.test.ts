/**
 * Sorted sets and lists against a sorted array and an array: whatever is done, in batches that fail
 * and under snapshots too, both give the same answers, and `verify()` finds nothing after any step.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, open, type Snapshot } from 'mneme';
import { test } from 'vitest';
import {
  announce,
  COLLECTION_COUNTS,
  PROPERTY_TIMEOUT_MS,
  SEARCH_LIMIT_MS,
  SEED,
} from './counts.js';
import { ModelCollections } from './model/model-collections.js';
import {
  collectionSteps,
  describeAll,
  KEYSPACES,
  performOn,
  type Step,
} from './support/collection-steps.js';
import { expectSame } from './support/compare.js';
import { attempt } from './support/perform.js';

interface Held {
  readonly snapshot: Snapshot;
  readonly models: readonly ModelCollections[];
}

interface Walk {
  readonly real: Iterator<unknown>;
  readonly twin: Iterator<unknown>;
}

class Contest {
  readonly #path: string;
  readonly #pageSize: number;
  #database: Database;
  readonly #models = KEYSPACES.map(() => new ModelCollections());
  readonly #held = new Map<number, Held>();
  readonly #walks = new Map<number, Walk>();

  constructor(path: string, pageSize: number) {
    this.#path = path;
    this.#pageSize = pageSize;
    this.#database = this.#open('none');
  }

  #open(sync: 'full' | 'none'): Database {
    return open(this.#path, { pageSize: this.#pageSize, cacheSize: 2 ** 20, threads: 1, sync });
  }

  step(step: Step, context: string): void {
    this.#perform(step, context);
    this.#verify(context);
    this.#models.forEach((model, index) => {
      const real = describeAll(this.#database.keyspace(KEYSPACES[index] as string));
      expectSame(real, describeAll(model), `${context}: keyspace ${index}`);
    });
  }

  #perform(step: Step, context: string): void {
    switch (step.kind) {
      case 'collection':
        return this.#collection(step, context);
      case 'batch':
        return this.#batch(step, context);
      case 'reopen':
        return this.#reopen(step.sync);
      case 'snapshot':
        return this.#snapshot(step.slot);
      case 'release':
        return this.#release(step.slot, context);
      case 'iterate':
        return this.#iterate(step.slot);
      case 'advance':
        return this.#advance(step.slot, context);
      case 'drop':
        this.#database.dropKeyspace(KEYSPACES[step.slot] as string);
        return this.#models[step.slot]?.drop();
    }
  }

  #collection(step: Step & { kind: 'collection' }, context: string): void {
    const keyspace = this.#database.keyspace(KEYSPACES[step.keyspace] as string);
    const model = this.#models[step.keyspace] as ModelCollections;
    const real = attempt(() => performOn(keyspace, step));
    expectSame(
      real,
      attempt(() => performOn(model, step)),
      context,
    );
  }

  #batch(step: Step & { kind: 'batch' }, context: string): void {
    const before = this.#models.map((model) => model.snapshot());
    const failure = new Error('thrown by the callback');
    try {
      this.#database.batch(() => {
        step.steps.forEach((inner, index) => {
          this.#perform(inner, `${context}, ${index}: ${inner.kind}`);
        });
        this.#models.forEach((model, index) => {
          const real = describeAll(this.#database.keyspace(KEYSPACES[index] as string));
          expectSame(real, describeAll(model), `${context}: in the batch`);
        });
        if (step.fails) throw failure;
      });
    } catch (error) {
      if (error !== failure) throw error;
      for (const [index, model] of this.#models.entries()) {
        model.restore(before[index] as ModelCollections);
      }
    }
  }

  #snapshot(slot: number): void {
    this.#held.get(slot)?.snapshot.close();
    const models = this.#models.map((model) => model.snapshot());
    this.#held.set(slot, { snapshot: this.#database.snapshot(), models });
  }

  #release(slot: number, context: string): void {
    const held = this.#held.get(slot);
    if (held === undefined) return;
    held.models.forEach((model, index) => {
      const real = describeAll(held.snapshot.keyspace(KEYSPACES[index] as string));
      expectSame(real, describeAll(model), `${context}: snapshot ${slot}`);
    });
    held.snapshot.close();
    this.#held.delete(slot);
  }

  #iterate(slot: number): void {
    const real = this.#database.keyspace(KEYSPACES[slot] as string);
    const twin = (this.#models[slot] as ModelCollections).snapshot();
    const walk = { real: real.sortedSet('s').iter(), twin: twin.sortedSet('s').iter() };
    this.#walks.set(slot, walk);
  }

  #advance(slot: number, context: string): void {
    const walk = this.#walks.get(slot);
    if (walk === undefined) return;
    for (let count = 0; count < 60; count++) {
      const twin = walk.twin.next();
      expectSame(walk.real.next(), { ...twin }, `${context}: iterator ${slot}`);
      if (twin.done === true) return;
    }
  }

  #reopen(sync: 'full' | 'none'): void {
    this.close();
    this.#database = this.#open(sync);
  }

  #verify(context: string): void {
    const { ok, problems } = this.#database.verify();
    expectSame({ problems, ok }, { problems: [], ok: true }, `${context}: verify`);
  }

  close(): void {
    this.#held.clear();
    this.#walks.clear();
    this.#database.close();
  }
}

function runContest(steps: readonly Step[], place: 'disk' | 'memory', pageSize: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-collections-'));
  const path = place === 'memory' ? ':memory:' : join(directory, 'contest.mneme');
  const contest = new Contest(path, pageSize);
  try {
    steps.forEach((step, index) => {
      if (place === 'memory' && step.kind === 'reopen') return;
      contest.step(step, `step ${index}: ${step.kind}`);
    });
  } finally {
    contest.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function check(title: string, runs: number, place: 'disk' | 'memory', pageSize: number): void {
  announce(title, runs);
  const property = fc.property(collectionSteps(COLLECTION_COUNTS.stepsMax), (steps) => {
    runContest(steps, place, pageSize);
  });
  fc.assert(property, {
    seed: SEED,
    numRuns: runs,
    interruptAfterTimeLimit: SEARCH_LIMIT_MS,
    markInterruptAsFailure: true,
  });
}

test('sets and lists in a file of the smallest pages answer like the model', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('collections, 4 KiB pages, file', COLLECTION_COUNTS.smallPagesOnDisk, 'disk', 4096);
});

test('sets and lists in memory answer like the model', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  check('collections, 4 KiB pages, memory', COLLECTION_COUNTS.smallPagesInMemory, 'memory', 4096);
});

test('sets and lists in a file of the largest pages answer like the model', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('collections, 64 KiB pages, file', COLLECTION_COUNTS.largePagesOnDisk, 'disk', 65536);
});
