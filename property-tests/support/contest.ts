/**
 * A contest: the same sequence of steps, to a database and to the model, compared at every step
 * and as a whole in the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, type OpenOptions, open } from 'mneme';
import { ModelDatabase } from '../model/model-database.js';
import { expectSame } from './compare.js';
import { closeSubject, performStep, type Subject } from './perform.js';
import { probe } from './probe.js';
import { KEYSPACES, type Step } from './steps.js';

export interface ContestOptions {
  readonly place: 'disk' | 'memory';
  readonly pageSize: number;
  readonly sync: 'full' | 'none';
  readonly encrypted?: boolean;
}

const CACHE_BYTES = 2 ** 20;
const SEED_BYTES = new Uint8Array(32).fill(5);
/** A moment without meaning; only what follows it counts. */
const START_MS = 1_750_000_000_000;

/** Does all steps; throws at the first difference. */
export function runContest(steps: readonly Step[], options: ContestOptions): void {
  const directory = mkdtempSync(join(tmpdir(), 'mneme-model-'));
  const path = options.place === 'memory' ? ':memory:' : join(directory, 'contest.mneme');
  const contest = new Contest(path, options);
  try {
    steps.forEach((step, index) => {
      contest.step(step, `step ${index}: ${step.kind}`);
    });
    contest.finish();
  } finally {
    contest.abandon();
    rmSync(directory, { recursive: true, force: true });
  }
}

class Contest {
  readonly #path: string;
  readonly #options: ContestOptions;
  #now = START_MS;
  #database: Database;
  #model: ModelDatabase;
  #real: Subject;
  #twin: Subject;

  constructor(path: string, options: ContestOptions) {
    this.#path = path;
    this.#options = options;
    this.#database = open(path, this.#openOptions(options.sync));
    this.#model = new ModelDatabase(() => this.#now);
    this.#real = this.#subject(this.#database);
    this.#twin = this.#subject(this.#model);
  }

  step(step: Step, context: string): void {
    switch (step.kind) {
      case 'tick':
        this.#now += step.ms;
        return;
      case 'reopen':
        if (this.#options.place === 'disk') this.#reopen(this.#openOptions(step.sync), context);
        return;
      case 'verify':
        this.#verify(context);
        return;
      default:
        expectSame(performStep(this.#real, step), performStep(this.#twin, step), context);
    }
  }

  /** Compares everything, also as another opening of the file sees it. */
  finish(): void {
    this.#verify('at the end');
    this.#compareAll('at the end');
    if (this.#options.place === 'memory') return;
    this.#reopen({ ...this.#openOptions('full'), readonly: true }, 'reopened for reading');
    this.#compareAll('reopened for reading');
    this.#reopen(this.#openOptions('full'), 'reopened');
    this.#compareAll('reopened');
    this.#verify('reopened');
  }

  abandon(): void {
    this.#database.close();
  }

  #openOptions(sync: 'full' | 'none'): OpenOptions {
    const { pageSize, encrypted } = this.#options;
    const encryption = encrypted === true ? { encryption: { seed: SEED_BYTES } } : {};
    const clock = () => this.#now;
    return { pageSize, sync, cacheSize: CACHE_BYTES, threads: 1, clock, ...encryption };
  }

  #subject(database: Database | ModelDatabase): Subject {
    const encrypted = this.#options.encrypted ?? false;
    const handles = KEYSPACES.map(({ name, keys, integers }) =>
      database.keyspace(name, { keys, integers, encrypted }),
    );
    return { database, handles, iterators: new Map(), now: () => this.#now, encrypted };
  }

  #reopen(options: OpenOptions, context: string): void {
    expectSame(closeSubject(this.#real), closeSubject(this.#twin), `${context}: after close`);
    this.#database = open(this.#path, options);
    this.#model = new ModelDatabase(() => this.#now, this.#model);
    this.#real = this.#subject(this.#database);
    this.#twin = this.#subject(this.#model);
  }

  #verify(context: string): void {
    const { ok, problems } = this.#database.verify();
    expectSame({ problems, ok }, { problems: [], ok: true }, `${context}: verify`);
  }

  #compareAll(context: string): void {
    expectSame(this.#database.keyspaces(), this.#model.keyspaces(), `${context}: keyspaces`);
    KEYSPACES.forEach(({ name }, index) => {
      this.#compareKeyspace(index, `${context}: keyspace ${name}`);
    });
  }

  #compareKeyspace(index: number, context: string): void {
    const real = this.#real.handles[index];
    const twin = this.#twin.handles[index];
    if (real === undefined || twin === undefined) throw new Error('a handle is missing');
    const entries = twin.range().toArray();
    expectSame(real.range().toArray(), entries, `${context}: range`);
    const backwards = entries.toReversed();
    expectSame(real.range({ reverse: true }).toArray(), backwards, `${context}: reverse`);
    expectSame(real.count(), entries.length, `${context}: count`);
    expectSame(real.stats(), twin.stats(), `${context}: stats`);
    for (const fraction of [0, 0.4, 0.7, 0.99]) {
      expectSame(probe(real, fraction), probe(twin, fraction), `${context}: probe ${fraction}`);
    }
    const keys = entries.map(([key]) => key);
    const values = entries.map(([, value]) => value);
    expectSame(real.getMany(keys), values, `${context}: getMany`);
    for (const key of keys) {
      expectSame(real.exists(key), true, `${context}: exists ${String(key)}`);
      expectSame(real.typeOf(key), twin.typeOf(key), `${context}: typeOf ${String(key)}`);
      expectSame(real.ttl(key), twin.ttl(key), `${context}: ttl ${String(key)}`);
    }
  }
}
