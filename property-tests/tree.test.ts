/**
 * The tree against a sorted map: after every step it is a sound B+ tree with right counts, and in
 * the end it holds what the map holds.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkTree, type TreeVisitor } from '../dist/shared/tree/check-tree.js';
import { announce, PROPERTY_TIMEOUT_MS, SEED, TREE_COUNTS } from './counts.js';
import { BOOT, EngineRun, emptyDatabase } from './crash/engine-run.js';

type Step =
  | { readonly kind: 'set'; readonly key: string; readonly length: number }
  | { readonly kind: 'delete'; readonly key: string }
  | {
      /** Keys in rising order; appended are those above most others. */
      readonly kind: 'fill' | 'append';
      readonly from: number;
      readonly count: number;
      readonly length: number;
    }
  | { readonly kind: 'clear'; readonly from: number; readonly count: number }
  | { readonly kind: 'range'; readonly low: string; readonly high?: string | undefined }
  | { readonly kind: 'commit' | 'abort' | 'savepoint' | 'release' | 'roll back' };

const shortKey = fc.integer({ min: 0, max: 400 }).map((number) => `key ${number}`);
/** Long keys that share nearly all, or nothing at all, with others. */
const longKey = fc
  .tuple(fc.constantFrom('p', 'q', 'z'), fc.constantFrom(200, 700, 1000), fc.nat(60))
  .map(([unit, length, number]) => `${unit.repeat(length)}${number}`);
const mixedKey = fc.oneof({ weight: 3, arbitrary: shortKey }, { weight: 2, arbitrary: longKey });

function stepsOf(key: fc.Arbitrary<string>, lengthMax: number): fc.Arbitrary<Step> {
  const length = fc.constantFrom(...[0, 10, 100, 400, 900].filter((it) => it <= lengthMax));
  const only = <T extends string>(kind: T) => fc.constant(kind);
  const from = fc.nat(400);
  const high = fc.option(key, { nil: undefined, freq: 4 });
  const kind = fc.constantFrom(
    ...(['commit', 'abort', 'savepoint', 'release', 'roll back'] as const),
  );
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: only('set'), key, length }) },
    { weight: 8, arbitrary: fc.record({ kind: only('delete'), key }) },
    { weight: 2, arbitrary: fc.record({ kind: only('fill'), from, count: fc.nat(120), length }) },
    { weight: 2, arbitrary: fc.record({ kind: only('append'), from, count: fc.nat(120), length }) },
    { weight: 2, arbitrary: fc.record({ kind: only('clear'), from, count: fc.nat(200) }) },
    { weight: 2, arbitrary: fc.record({ kind: only('range'), low: key, high }) },
    { weight: 3, arbitrary: fc.record({ kind }) },
  );
}

class Contest {
  readonly #run: EngineRun;
  #model = new Map<string, string>();
  #committed = new Map<string, string>();
  readonly #saved: Map<string, string>[] = [];

  constructor(isCacheSmall: boolean) {
    this.#run = new EngineRun(emptyDatabase(), 'none', BOOT, { isCacheSmall });
    this.#run.engine.begin();
  }

  perform(step: Step): void {
    switch (step.kind) {
      case 'set':
        this.#set(step.key, step.length);
        break;
      case 'delete':
        this.#delete(step.key);
        break;
      case 'fill':
        for (let at = 0; at < step.count; at++) this.#set(`key ${step.from + at}`, step.length);
        break;
      case 'append':
        for (let at = 0; at < step.count; at++) this.#append(step.from + at, step.length);
        break;
      case 'clear':
        for (let at = 0; at < step.count; at++) this.#delete(`key ${step.from + at}`);
        break;
      case 'range':
        this.#deleteRange(step.low, step.high);
        break;
      case 'savepoint':
        this.#run.engine.savepoint();
        this.#saved.push(new Map(this.#model));
        break;
      case 'release':
        if (this.#saved.pop() !== undefined) this.#run.engine.releaseSavepoint();
        break;
      case 'roll back':
        this.#rollBack();
        break;
      case 'commit':
        while (this.#saved.pop() !== undefined) this.#run.engine.releaseSavepoint();
        this.#run.engine.commit();
        this.#committed = new Map(this.#model);
        this.#run.engine.begin();
        break;
      case 'abort':
        this.#saved.length = 0;
        this.#run.engine.abort();
        this.#model = new Map(this.#committed);
        this.#run.engine.begin();
        break;
    }
  }

  #set(name: string, length: number): void {
    const value = `${this.#model.size}`.padEnd(length, 'x');
    this.#run.set(name, value);
    this.#model.set(name, value);
    this.check();
  }

  #append(number: number, length: number): void {
    const name = `zz ${String(number).padStart(3, '0')}`;
    const value = `${this.#model.size}`.padEnd(length, 'x');
    const { engine } = this.#run;
    engine.relieveCache();
    const keyspace = engine.keyspace('a');
    keyspace.changed = true;
    const [key, record] = [Buffer.from(name), Buffer.from(`\0${value}`)];
    engine.trees.append(keyspace.record.values, key, key.length, record, 0, record.length);
    this.#model.set(name, value);
    this.check();
  }

  #delete(name: string): void {
    this.#run.delete(name);
    this.#model.delete(name);
    this.check();
  }

  #deleteRange(low: string, high: string | undefined): void {
    this.#run.deleteRange(low, high);
    for (const key of [...this.#model.keys()]) {
      if (key >= low && (high === undefined || key < high)) this.#model.delete(key);
    }
    this.check();
  }

  #rollBack(): void {
    const saved = this.#saved.pop();
    if (saved === undefined) return;
    this.#run.engine.rollBackToSavepoint();
    this.#model = saved;
    this.check();
  }

  check(): void {
    const { engine } = this.#run;
    const { values } = engine.keyspace('a').record;
    const problems: string[] = [];
    const visitor: TreeVisitor = {
      enterPage: () => true,
      addProblem: (page, message) => problems.push(`page ${page}: ${message}`),
      noteFailure: (page, error) => problems.push(`page ${page}: ${String(error)}`),
    };
    checkTree(engine.source, values, visitor, () => undefined);
    expect(problems).toEqual([]);
    expect(values.count).toBe(this.#model.size);
  }

  finish(): void {
    while (this.#saved.pop() !== undefined) this.#run.engine.releaseSavepoint();
    this.#run.engine.commit();
    expect([...this.#run.read()]).toEqual([...this.#model].sort(([a], [b]) => (a < b ? -1 : 1)));
    expect(this.#run.problems()).toEqual([]);
  }
}

test.each([
  ['keys and values of all sizes', mixedKey, 900, false],
  // A range of these goes by whole subtrees: none of them lies outside of its leaf.
  ['short keys and values', shortKey, 400, false],
  // Pages are written before the commit.
  ['short keys in a small cache', shortKey, 400, true],
] as const)(
  'a tree of %s answers like a sorted map after any steps',
  { timeout: PROPERTY_TIMEOUT_MS },
  (title, key, lengthMax, isCacheSmall) => {
    const property = fc.property(
      fc.array(stepsOf(key, lengthMax), { maxLength: TREE_COUNTS.stepsMax, size: 'max' }),
      (steps) => {
        const contest = new Contest(isCacheSmall);
        for (const step of steps) contest.perform(step);
        contest.finish();
      },
    );
    announce(`tree of ${title} against a sorted map`, TREE_COUNTS.runs);
    fc.assert(property, {
      seed: SEED,
      numRuns: TREE_COUNTS.runs,
      interruptAfterTimeLimit: 60_000,
    });
  },
);

test('what is appended behind a savepoint goes back with it', () => {
  const contest = new Contest(false);
  const append = (from: number): Step => ({ kind: 'append', from, count: 20, length: 100 });
  const undone: readonly Step[] = [{ kind: 'savepoint' }, append(20), { kind: 'roll back' }];
  for (const step of [append(0), ...undone, append(20), ...undone]) contest.perform(step);
  contest.finish();
});
