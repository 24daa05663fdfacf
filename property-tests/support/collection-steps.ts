/**
 * Steps on sorted sets and lists: arbitrary ones, and how one is done to database or model alike.
 */
import fc from 'fast-check';
import type { Value } from 'mneme';
import type { SubjectCollections, SubjectList, SubjectSet } from '../model/model-collections.js';
import { value } from './arbitrary-specs.js';
import { describedValue } from './specs.js';

export const KEYSPACES = ['a', 'b'] as const;
const NAMES = ['', 's', 'é', 'x'.repeat(1024)] as const;

/** Few enough that steps meet the same members again; the last fill a leaf with few. */
const member = fc.oneof(
  { weight: 3, arbitrary: fc.nat(20).map((number) => `m${number}`) },
  { weight: 2, arbitrary: fc.nat(400).map((number) => `member ${number}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '\u0000',
      'é',
      '𝄞',
      '\uffff',
      'p'.repeat(1024),
      'p'.repeat(1023),
    ),
  },
);

const score = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 2, arbitrary: fc.double({ noNaN: true }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE],
      ...[-Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 53, 1e-310],
    ),
  },
);

const wrongScore = fc.constantFrom(Number.NaN);
const rank = fc.integer({ min: -30, max: 30 });
const count = fc.option(fc.nat(12), { nil: undefined });

export type CollectionStep =
  | { readonly kind: 'add'; readonly pairs: readonly (readonly [number, string])[] }
  | { readonly kind: 'fill'; readonly from: number; readonly count: number; readonly ties: number }
  | { readonly kind: 'rem'; readonly members: readonly string[] }
  | { readonly kind: 'incr'; readonly members: readonly string[]; readonly delta: number }
  | { readonly kind: 'clear set' | 'clear list' | 'rpop' | 'lpop' }
  | { readonly kind: 'rpush' | 'lpush'; readonly values: readonly Value[] }
  | { readonly kind: 'queue'; readonly count: number }
  | {
      readonly kind: 'by score';
      readonly low: number;
      readonly high: number;
      readonly options: ScoreOptions;
    }
  | {
      readonly kind: 'by rank';
      readonly start: number;
      readonly stop: number;
      readonly reverse: boolean;
    };

interface ScoreOptions {
  readonly offset: number | undefined;
  readonly limit: number | undefined;
  readonly reverse: boolean;
}

/** A step on the set or list with this name. */
export interface NamedStep {
  readonly keyspace: number;
  readonly name: number;
  readonly step: CollectionStep;
}

export type Step =
  | (NamedStep & { readonly kind: 'collection' })
  | { readonly kind: 'batch'; readonly steps: readonly Step[]; readonly fails: boolean }
  | {
      readonly kind: 'snapshot' | 'release' | 'drop' | 'iterate' | 'advance';
      readonly slot: number;
    }
  | { readonly kind: 'reopen'; readonly sync: 'full' | 'none' };

const pairs = fc.array(fc.tuple(fc.oneof({ weight: 30, arbitrary: score }, wrongScore), member), {
  minLength: 1,
  maxLength: 12,
});
const values = fc.array(value.map(describedValue).filter(isValue), { maxLength: 6 });

function isValue(candidate: unknown): boolean {
  if (typeof candidate === 'bigint') return BigInt.asIntN(64, candidate) === candidate;
  if (typeof candidate === 'string') return candidate.isWellFormed();
  return typeof candidate === 'number' || candidate instanceof Uint8Array;
}

const write: fc.Arbitrary<CollectionStep> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), pairs }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fill' as const),
      from: fc.nat(300),
      count: fc.integer({ min: 50, max: 700 }),
      ties: fc.integer({ min: 1, max: 90 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('rem' as const),
      members: fc.array(member, { maxLength: 20 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('incr' as const),
      members: fc.array(member, { maxLength: 8 }),
      delta: score,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('rpush' as const, 'lpush' as const), values }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('rpop' as const, 'lpop' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('queue' as const), count: fc.nat(400) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('clear set' as const, 'clear list' as const) }),
  },
);

const read: fc.Arbitrary<CollectionStep> = fc.oneof(
  fc.record({
    kind: fc.constant('by score' as const),
    low: score,
    high: score,
    options: fc.record({ offset: count, limit: count, reverse: fc.boolean() }),
  }),
  fc.record({
    kind: fc.constant('by rank' as const),
    start: rank,
    stop: rank,
    reverse: fc.boolean(),
  }),
);

const named: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('collection' as const),
  keyspace: fc.nat(KEYSPACES.length - 1),
  name: fc.nat(NAMES.length - 1),
  step: fc.oneof({ weight: 4, arbitrary: write }, read),
});

const slotted: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('snapshot', 'release', 'iterate', 'advance', 'drop'),
  slot: fc.nat(1),
});

function batchOf(steps: fc.Arbitrary<Step>): fc.Arbitrary<Step> {
  return fc.record({
    kind: fc.constant('batch' as const),
    steps: fc.array(steps, { maxLength: 8 }),
    fails: fc.boolean(),
  });
}

const innerBatch = batchOf(named);
const batch = batchOf(fc.oneof({ weight: 5, arbitrary: named }, innerBatch));
const reopen: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('reopen' as const),
  sync: fc.constantFrom('full', 'none'),
});

export function collectionSteps(maxLength: number): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 12, arbitrary: named },
    { weight: 4, arbitrary: batch },
    { weight: 3, arbitrary: slotted },
    { weight: 1, arbitrary: reopen },
  );
  return fc.array(step, { maxLength, size: 'max' });
}

export function performOn(subject: SubjectCollections, { name, step }: NamedStep): unknown {
  const title = NAMES[name] ?? '';
  const set = subject.sortedSet(title);
  const list = subject.list(title);
  switch (step.kind) {
    case 'rpush':
    case 'lpush':
      return list[step.kind](...step.values);
    case 'rpop':
    case 'lpop':
      return list[step.kind]();
    case 'clear list':
      return list.clear();
    case 'queue':
      return queued(list, step.count);
    default:
      return performOnSet(set, step);
  }
}

function queued(list: SubjectList, times: number): unknown {
  const length = list.rpush(...Array.from({ length: times + 1 }, (_, index) => `job ${index}`));
  return [length, Array.from({ length: times }, () => list.lpop())];
}

function performOnSet(set: SubjectSet, step: CollectionStep): unknown {
  switch (step.kind) {
    case 'add': {
      const [[first, named_] = [0, ''], ...more] = step.pairs;
      return set.add(first, named_, ...more.flat());
    }
    case 'fill': {
      const numbers = Array.from({ length: step.count }, (_, index) => step.from + index);
      return set.add(0, 'filled', ...numbers.flatMap((at) => [at % step.ties, `member ${at}`]));
    }
    case 'rem':
      return set.rem(...step.members);
    case 'incr':
      return set.batchIncr(step.members, step.delta);
    case 'clear set':
      return set.clear();
    case 'by score': {
      const { offset, limit, reverse } = step.options;
      const given = { ...(offset === undefined ? {} : { offset }), reverse };
      const options = limit === undefined ? given : { ...given, limit };
      return set.rangeByScore(step.low, step.high, options);
    }
    case 'by rank':
      return set.rangeByRank(step.start, step.stop, { reverse: step.reverse });
    default:
      throw new Error(`no step ${step.kind}`);
  }
}

function drained<T>(iterator: Iterator<T>): T[] {
  const items: T[] = [];
  for (let next = iterator.next(); next.done !== true; next = iterator.next())
    items.push(next.value);
  return items;
}

/** Everything that a keyspace says of its sets and lists. */
export function describeAll(subject: SubjectCollections): unknown {
  const { sortedSets, lists } = subject.stats();
  return [{ sortedSets, lists }, ...NAMES.map((name) => describeOne(subject, name))];
}

function describeOne(subject: SubjectCollections, name: string): unknown {
  const set = subject.sortedSet(name);
  const list = subject.list(name);
  const entries = drained(set.iter());
  const some = entries.filter((_, index) => index % 37 === 0 || index < 3);
  return {
    entries,
    reverse: drained(set.iter({ reverse: true })),
    card: set.card(),
    lookups: some.map((entry) => [
      set.score(entry.member),
      set.rank(entry.member),
      set.rank(entry.member, { reverse: true }),
    ]),
    missing: [set.score('none'), set.rank('none')],
    byRank: set.rangeByRank(0, -1),
    byScore: set.rangeByScore(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
    values: drained(list[Symbol.iterator]()),
    length: list.len(),
    range: list.range(),
    ends: [list.index(0), list.index(-1), list.index(7), list.index(-5)],
  };
}
