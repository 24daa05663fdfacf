/**
 * Full text against a map and a list: whatever is done, in batches that fail, while indexing is
 * paused and under snapshots too, both give the same answers, every search and every statistic
 * included, and `verify()` finds nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Database, type FtKeyspace, open, type Snapshot } from 'mneme';
import { test } from 'vitest';
import { announce, PROPERTY_TIMEOUT_MS, SEARCH_LIMIT_MS, SEED, TEXT_COUNTS } from '../counts.js';
import { expectSame } from '../support/compare.js';
import { attempt } from '../support/perform.js';
import { NaiveText, type TextReader } from './naive-text.js';
import { describeAll, KEYSPACES, performOn, type Step, textSteps } from './text-steps.js';

interface Held {
  readonly snapshot: Snapshot;
  readonly models: readonly NaiveText[];
}

interface ContestOptions {
  readonly path: string;
  readonly pageSize: number;
}

class Contest {
  readonly #options: ContestOptions;
  #database: Database;
  /** One for each of KEYSPACES, held as long as the database is open. */
  #handles: readonly FtKeyspace[];
  readonly #models = KEYSPACES.map(({ settings }) => new NaiveText(settings));
  readonly #held = new Map<number, Held>();

  constructor(options: ContestOptions) {
    this.#options = options;
    this.#database = this.#open('none');
    this.#handles = KEYSPACES.map((_, index) => this.#fresh(index));
  }

  #open(sync: 'full' | 'none'): Database {
    const { path, pageSize } = this.#options;
    return open(path, { pageSize, cacheSize: 2 ** 20, threads: 1, sync });
  }

  #fresh(index: number): FtKeyspace {
    const { name, options } = KEYSPACES[index] as (typeof KEYSPACES)[number];
    return this.#database.ftKeyspace(name, options);
  }

  step(step: Step, context: string): void {
    this.#perform(step, context);
    this.#verify(context);
    this.#compare(context);
  }

  #compare(context: string): void {
    this.#models.forEach((model, index) => {
      this.#compareWith(this.#fresh(index), model, `${context}: ${KEYSPACES[index]?.name}`);
    });
  }

  #compareWith(real: TextReader, model: NaiveText, context: string): void {
    expectSame(describeAll(real, model), describeAll(model, model), context);
  }

  #perform(step: Step, context: string): void {
    switch (step.kind) {
      case 'text':
        return this.#onText(step, context);
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
        return this.#models[step.slot]?.drop();
    }
  }

  #onText({ keyspace, isFresh, step }: Step & { kind: 'text' }, context: string): void {
    const handle = isFresh ? this.#fresh(keyspace) : (this.#handles[keyspace] as FtKeyspace);
    const model = this.#models[keyspace] as NaiveText;
    const { positions } = model.settings;
    const batch = (fn: () => void): void => this.#database.batch(() => fn());
    const real = attempt(() => performOn(handle, step, { positions, batch }));
    const twin = attempt(() => performOn(model, step, { positions, batch: (fn) => fn() }));
    expectSame(real, twin, `${context}, ${step.kind}`);
  }

  #batch(step: Step & { kind: 'batch' }, context: string): void {
    const before = this.#models.map((model) => model.snapshot());
    const failure = new Error('thrown by the callback');
    for (const model of this.#models) model.batchDepth += 1;
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
      for (const [index, model] of this.#models.entries()) {
        model.restore(before[index] as NaiveText);
      }
    } finally {
      for (const model of this.#models) model.batchDepth -= 1;
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
    const { snapshot, models } = held;
    models.forEach((model, index) => {
      const { name, options } = KEYSPACES[index] as (typeof KEYSPACES)[number];
      const reader = snapshot.ftKeyspace(name, options);
      this.#compareWith(reader, model, `${context}: snapshot ${slot}, ${name}`);
    });
    snapshot.close();
    this.#held.delete(slot);
  }

  #reopen(sync: 'full' | 'none'): void {
    if (this.#options.path === ':memory:') return;
    this.close();
    this.#database = this.#open(sync);
    this.#handles = KEYSPACES.map((_, index) => this.#fresh(index));
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

function runContest(steps: readonly Step[], pageSize: number, isFile: boolean): void {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-text-'));
  const path = isFile ? join(directory, 'contest.mneme') : ':memory:';
  const contest = new Contest({ pageSize, path });
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
  const property = fc.property(textSteps(TEXT_COUNTS.stepsMax), (steps) => {
    runContest(steps, pageSize, isFile);
  });
  fc.assert(property, {
    seed: SEED,
    numRuns: runs,
    interruptAfterTimeLimit: SEARCH_LIMIT_MS,
    markInterruptAsFailure: true,
  });
}

test('full text in a file of the smallest pages answers like the model', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('text, 4 KiB pages, file', TEXT_COUNTS.smallPagesOnDisk, true, 4096);
});

test('full text in memory answers like the model', { timeout: PROPERTY_TIMEOUT_MS }, () => {
  check('text, 4 KiB pages, memory', TEXT_COUNTS.smallPagesInMemory, false, 4096);
});

test('full text in a file of larger pages answers like the model', {
  timeout: PROPERTY_TIMEOUT_MS,
}, () => {
  check('text, 16 KiB pages, file', TEXT_COUNTS.largerPagesOnDisk, true, 16384);
});
