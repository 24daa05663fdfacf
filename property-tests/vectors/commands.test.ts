/**
 * Vectors against two maps: whatever is done, in batches that fail and under snapshots too, both
 * give the same answers, every search included, and `verify()` finds nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, type Keyspace, open, type Snapshot } from 'mneme';
import { test } from 'vitest';
import { announce, PROPERTY_TIMEOUT_MS, SEARCH_LIMIT_MS, SEED, VECTOR_COUNTS } from '../counts.js';
import { ModelVectors, type SubjectVectors, type VectorReader } from '../model/model-vectors.js';
import { expectSame } from '../support/compare.js';
import { attempt } from '../support/perform.js';
import {
  describeAll,
  dimension,
  KEYSPACES,
  type Place,
  performOn,
  type Step,
  vectorSteps,
} from './vector-steps.js';

interface Held {
  readonly snapshot: Snapshot;
  readonly models: readonly ModelVectors[];
  readonly drops: readonly number[];
}

interface ContestOptions {
  readonly path: string;
  readonly pageSize: number;
  /** Each keyspace begins with one of them, and goes on to the next when it is dropped. */
  readonly dimensions: readonly number[];
}

class Contest {
  readonly #options: ContestOptions;
  #database: Database;
  readonly #models = KEYSPACES.map(({ keys }) => new ModelVectors(keys));
  #drops: readonly number[] = KEYSPACES.map((_, index) => index);
  readonly #held = new Map<number, Held>();

  constructor(options: ContestOptions) {
    this.#options = options;
    this.#database = this.#open('none');
  }

  #open(sync: 'full' | 'none'): Database {
    const { path, pageSize } = this.#options;
    return open(path, { pageSize, cacheSize: 2 ** 20, threads: 2, sync });
  }

  step(step: Step, context: string): void {
    this.#perform(step, context);
    this.#verify(context);
    this.#compare(context);
  }

  #compare(context: string): void {
    this.#models.forEach((model, index) => {
      this.#compareWith(this.#keyspace(index), model, this.#place(index), context);
    });
  }

  #compareWith(real: VectorReader, model: ModelVectors, place: Place, context: string): void {
    const described = describeAll(real, model, place);
    expectSame(described, describeAll(model, model, place), `${context}: ${place.keys} keys`);
  }

  #keyspace(index: number): SubjectVectors {
    const { name, keys } = KEYSPACES[index] as (typeof KEYSPACES)[number];
    const database = this.#database;
    const handle = keys === 'bytes' ? database.keyspace(name, { keys }) : database.keyspace(name);
    return handle as Keyspace as SubjectVectors;
  }

  #place(index: number, drops = this.#drops): Place {
    const { dimensions } = this.#options;
    const { keys } = KEYSPACES[index] as (typeof KEYSPACES)[number];
    const at = (drops[index] as number) % dimensions.length;
    return { keys, dimension: dimensions[at] as number };
  }

  #perform(step: Step, context: string): void {
    switch (step.kind) {
      case 'vectors': {
        const place = this.#place(step.keyspace);
        const model = this.#models[step.keyspace] as ModelVectors;
        const real = attempt(() => performOn(this.#keyspace(step.keyspace), step.step, place));
        const twin = attempt(() => performOn(model, step.step, place));
        return expectSame(real, twin, `${context}, ${step.step.kind} of ${place.dimension}`);
      }
      case 'batch':
        return this.#batch(step, context);
      case 'reopen':
        return this.#reopen(step.sync);
      case 'snapshot':
        return this.#snapshot(step.slot);
      case 'release':
        return this.#release(step.slot, context);
      case 'drop':
        this.#database.dropKeyspace(KEYSPACES[step.slot]?.name as string);
        this.#drops = this.#drops.map((count, index) => count + (index === step.slot ? 1 : 0));
        return this.#models[step.slot]?.drop();
    }
  }

  #batch(step: Step & { kind: 'batch' }, context: string): void {
    const before = this.#models.map((model) => model.snapshot());
    const drops = this.#drops;
    const failure = new Error('thrown by the callback');
    try {
      this.#database.batch(() => {
        step.steps.forEach((inner, index) => {
          this.#perform(inner, `${context}, ${index}: ${inner.kind}`);
        });
        this.#compare(`${context}: in the batch`);
        if (step.fails) throw failure;
      });
    } catch (error) {
      if (error !== failure) throw error;
      this.#drops = drops;
      for (const [index, model] of this.#models.entries()) {
        model.restore(before[index] as ModelVectors);
      }
    }
  }

  #snapshot(slot: number): void {
    this.#held.get(slot)?.snapshot.close();
    const models = this.#models.map((model) => model.snapshot());
    this.#held.set(slot, { snapshot: this.#database.snapshot(), models, drops: this.#drops });
  }

  #release(slot: number, context: string): void {
    const held = this.#held.get(slot);
    if (held === undefined) return;
    const { snapshot, models, drops } = held;
    models.forEach((model, index) => {
      const { name, keys } = KEYSPACES[index] as (typeof KEYSPACES)[number];
      const reader = keys === 'bytes' ? snapshot.keyspace(name, { keys }) : snapshot.keyspace(name);
      const place = this.#place(index, drops);
      this.#compareWith(reader as VectorReader, model, place, `${context}: snapshot ${slot}`);
    });
    snapshot.close();
    this.#held.delete(slot);
  }

  #reopen(sync: 'full' | 'none'): void {
    if (this.#options.path === ':memory:') return;
    this.close();
    this.#database = this.#open(sync);
  }

  #verify(context: string): void {
    const { ok, problems } = this.#database.verify();
    expectSame({ problems, ok }, { problems: [], ok: true }, `${context}: verify`);
  }

  close(): void {
    this.#held.clear();
    this.#database.close();
  }
}

function runContest(
  steps: readonly Step[],
  options: Omit<ContestOptions, 'path'>,
  isFile: boolean,
) {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-vectors-'));
  const path = isFile ? join(directory, 'contest.mneme') : ':memory:';
  const contest = new Contest({ ...options, path });
  try {
    steps.forEach((step, index) => {
      contest.step(step, `step ${index}: ${step.kind}`);
    });
  } finally {
    contest.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function check(title: string, runs: number, isFile: boolean, pageSize: number): void {
  announce(title, runs);
  const dimensions = fc.array(dimension, { minLength: 4, maxLength: 4 });
  const steps = vectorSteps(VECTOR_COUNTS.stepsMax);
  const property = fc.property(steps, dimensions, (all, lengths) => {
    runContest(all, { pageSize, dimensions: lengths }, isFile);
  });
  fc.assert(property, {
    seed: SEED,
    numRuns: runs,
    interruptAfterTimeLimit: SEARCH_LIMIT_MS,
    markInterruptAsFailure: true,
  });
}

test('vectors in a file of the smallest pages answer like the model', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('vectors, 4 KiB pages, file', VECTOR_COUNTS.smallPagesOnDisk, true, 4096);
});

test('vectors in memory answer like the model', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  check('vectors, 4 KiB pages, memory', VECTOR_COUNTS.smallPagesInMemory, false, 4096);
});

test('vectors in a file of larger pages answer like the model', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('vectors, 16 KiB pages, file', VECTOR_COUNTS.largerPagesOnDisk, true, 16384);
});
