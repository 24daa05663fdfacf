/**
 * Steps on vectors: arbitrary ones, and how one is done to database or model alike.
 */
import fc from 'fast-check';
import type { Key } from 'mneme';
import type {
  ModelVectors,
  SearchOptions,
  SubjectVectors,
  VectorReader,
} from '../model/model-vectors.js';
import type { Metric } from '../model/nearest.js';
import { bounds, key, prefix } from '../support/arbitrary-specs.js';
import { hasOddEnd, numberedKey } from '../support/perform.js';
import { type BoundsSpec, type KeySpec, keyOf, rangeOptionsOf } from '../support/specs.js';
import type { KeyFamily } from '../support/steps.js';
import { SHAPES, type VectorSpec, vectorOf } from './vector-specs.js';

export const KEYSPACES = [
  { name: 'texts', keys: 'text' },
  { name: 'bytes', keys: 'bytes' },
] as const;

/** Numbers that a step writes at most, so that long vectors come in small numbers. */
const FILL_NUMBERS_MAX = 40_000;

/** How a vector is handed over, and what is wrong with it, if anything. */
export interface GivenVector extends VectorSpec {
  readonly as: 'float32' | 'float64' | 'array' | 'like';
  readonly wrong?: 'longer' | 'empty' | 'NaN' | 'infinite' | 'too large' | 'text' | undefined;
}

interface SearchSpec {
  readonly metric: Metric | undefined;
  readonly topK: number | undefined;
  readonly filter: 'all' | 'none' | 'odd' | KeySpec | undefined;
  readonly includeVectors: boolean | undefined;
  readonly threads: number | undefined;
}

export type VectorStep =
  | { readonly kind: 'vset'; readonly key: KeySpec; readonly vector: GivenVector }
  | { readonly kind: 'set' | 'set past' | 'del' | 'vdel' | 'vget'; readonly key: KeySpec }
  | { readonly kind: 'delRange'; readonly bounds: BoundsSpec }
  | (Numbered & {
      readonly kind: 'fill';
      readonly vector: VectorSpec;
      readonly distinct: number;
      /** Every so many keys get a value too. */
      readonly valueEvery: number;
    })
  | ({ readonly kind: 'prune'; readonly every: number; readonly all: boolean } & Numbered)
  | { readonly kind: 'vcount'; readonly prefix: KeySpec }
  | { readonly kind: 'vsearch'; readonly query: GivenVector; readonly search: SearchSpec }
  | {
      readonly kind: 'vsearchMany';
      readonly queries: readonly GivenVector[];
      readonly search: SearchSpec;
    };

interface Numbered {
  readonly family: KeyFamily;
  readonly from: number;
  readonly count: number;
}

export type Step =
  | { readonly kind: 'vectors'; readonly keyspace: number; readonly step: VectorStep }
  | { readonly kind: 'batch'; readonly steps: readonly Step[]; readonly fails: boolean }
  | { readonly kind: 'snapshot' | 'release' | 'drop'; readonly slot: number }
  | { readonly kind: 'reopen'; readonly sync: 'full' | 'none' };

function only<const Kind extends string>(...kinds: Kind[]): fc.Arbitrary<Kind> {
  return fc.constantFrom(...kinds);
}

/** So few that the same vectors come again, stored and asked for. */
const spec = { shape: fc.constantFrom(...SHAPES), seed: fc.nat(12) };
const vectorSpec: fc.Arbitrary<VectorSpec> = fc.record(spec);
const right: fc.Arbitrary<GivenVector> = fc.record({
  ...spec,
  as: only('float32', 'float64', 'array', 'like'),
});
const wrong: fc.Arbitrary<GivenVector> = fc.record({
  ...spec,
  as: only('float64', 'array', 'like'),
  wrong: only('longer', 'empty', 'NaN', 'infinite', 'too large', 'text'),
});
const vector = fc.oneof({ weight: 20, arbitrary: right }, wrong);

const family = fc.constantFrom(
  { unit: 'user:', repeat: 1 },
  { unit: 'p', repeat: 1019 },
  { unit: 'é', repeat: 120 },
  { unit: '', repeat: 0 },
);
const numbered = { family, from: fc.nat(60), count: fc.integer({ min: 1, max: 300 }) };

const write: fc.Arbitrary<VectorStep> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: only('vset'), key, vector }) },
  { weight: 4, arbitrary: fc.record({ kind: only('del', 'vdel'), key }) },
  { weight: 2, arbitrary: fc.record({ kind: only('set', 'set', 'set past'), key }) },
  { weight: 2, arbitrary: fc.record({ kind: only('delRange'), bounds }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: only('fill'),
      ...numbered,
      vector: vectorSpec,
      distinct: fc.constantFrom(1, 3, 1000),
      valueEvery: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: only('prune'),
      ...numbered,
      every: fc.integer({ min: 1, max: 4 }),
      all: fc.boolean(),
    }),
  },
);

const search: fc.Arbitrary<SearchSpec> = fc.record({
  metric: fc.constantFrom(undefined, 'cosine', 'dot', 'l2'),
  topK: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(undefined, 0, 1, 2, 3, 10, 37, 400, 5000) },
    fc.constantFrom(-1, 1.5, Number.NaN),
  ),
  filter: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: only('all', 'none', 'odd', 'odd') },
    { weight: 2, arbitrary: prefix },
  ),
  includeVectors: fc.constantFrom(undefined, false, true),
  threads: fc.constantFrom(undefined, 1, 2),
});

const read: fc.Arbitrary<VectorStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: only('vsearch'), query: vector, search }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: only('vsearchMany'),
      queries: fc.array(vector, { maxLength: 5 }),
      search,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: only('vcount'), prefix }) },
  { weight: 1, arbitrary: fc.record({ kind: only('vget'), key }) },
);

const onVectors: fc.Arbitrary<Step> = fc.record({
  kind: only('vectors'),
  keyspace: fc.nat(KEYSPACES.length - 1),
  step: fc.oneof({ weight: 3, arbitrary: write }, { weight: 2, arbitrary: read }),
});

const slotted = (kind: 'snapshot' | 'release' | 'drop'): fc.Arbitrary<Step> =>
  fc.record({ kind: fc.constant(kind), slot: fc.nat(1) });

function batchOf(steps: fc.Arbitrary<Step>): fc.Arbitrary<Step> {
  return fc.record({
    kind: only('batch'),
    steps: fc.array(steps, { maxLength: 8 }),
    fails: fc.boolean(),
  });
}

const drop = { weight: 1, arbitrary: slotted('drop') };
const innerBatch = batchOf(fc.oneof({ weight: 8, arbitrary: onVectors }, drop));
const batch = batchOf(fc.oneof({ weight: 8, arbitrary: onVectors }, drop, innerBatch));

export function vectorSteps(maxLength: number): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 24, arbitrary: onVectors },
    { weight: 6, arbitrary: batch },
    { weight: 2, arbitrary: slotted('snapshot') },
    { weight: 2, arbitrary: slotted('release') },
    drop,
    {
      weight: 2,
      arbitrary: fc.record({ kind: only('reopen'), sync: only('full', 'none') }),
    },
  );
  return fc.array(step, { maxLength, size: 'max' });
}

/** Dimensions with what lies about the steps of kernels and the ends of rows and leaves. */
export const dimension = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 33 }) },
  { weight: 3, arbitrary: fc.constantFrom(1, 15, 16, 17) },
  { weight: 3, arbitrary: fc.constantFrom(100, 384, 768, 1000, 1024, 1536, 2048) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2048 }) },
);

const WRONG_NUMBERS = {
  NaN: Number.NaN,
  infinite: Number.NEGATIVE_INFINITY,
  'too large': 3.5e38,
  text: '1',
} as const;

/** A vector as a caller gives it. */
function given({ as, wrong: fault, ...description }: GivenVector, length: number) {
  if (fault === 'empty') return [];
  const floats = vectorOf(description, fault === 'longer' ? length + 1 : length);
  if (as === 'float32') return floats;
  const numbers: unknown[] = [...floats];
  const at = description.seed % length;
  if (fault !== undefined && fault !== 'longer') numbers[at] = WRONG_NUMBERS[fault];
  // Between two float32 numbers, mostly.
  else if (Math.abs(floats[at] as number) < 1e30) numbers[at] = (floats[at] as number) * 1.00000003;
  const list = numbers as number[];
  if (as === 'like') return { ...list, length: list.length };
  return as === 'array' || fault === 'text' ? list : Float64Array.from(list);
}

function searchOptions(
  { metric, topK, filter, includeVectors, threads }: SearchSpec,
  keys: 'text' | 'bytes',
): SearchOptions {
  const options: SearchOptions = {};
  if (metric !== undefined) options.metric = metric;
  if (topK !== undefined) options.topK = topK;
  if (includeVectors !== undefined) options.includeVectors = includeVectors;
  if (threads !== undefined) options.threads = threads;
  if (filter === undefined) return options;
  if (typeof filter === 'object') return { ...options, filter: keyOf(filter, keys) };
  const accept = { all: () => true, none: () => false, odd: hasOddEnd }[filter];
  const checked = (candidate: Key): boolean => {
    if ((typeof candidate === 'string') !== (keys === 'text')) throw new Error('another type');
    return accept(candidate);
  };
  return { ...options, filter: checked };
}

/** Where a step is done. */
export interface Place {
  readonly keys: 'text' | 'bytes';
  readonly dimension: number;
}

export function performOn(subject: SubjectVectors, step: VectorStep, place: Place): unknown {
  const { keys, dimension: length } = place;
  switch (step.kind) {
    case 'vset':
      return subject.vset(keyOf(step.key, keys), given(step.vector, length));
    case 'set':
      return subject.set(keyOf(step.key, keys), 'a value');
    case 'set past':
      return subject.set(keyOf(step.key, keys), 'gone', { expiresAt: 1 });
    case 'del':
    case 'vdel':
    case 'vget':
      return subject[step.kind](keyOf(step.key, keys));
    case 'delRange':
      return subject.delRange(rangeOptionsOf(step.bounds, keys));
    case 'fill':
    case 'prune':
      return performOnMany(subject, step, length);
    case 'vcount':
      return subject.vcount(keyOf(step.prefix, keys));
    case 'vsearch':
      return subject.vsearch(given(step.query, length), searchOptions(step.search, keys));
    case 'vsearchMany': {
      const queries = step.queries.map((query) => given(query, length));
      return subject.vsearchMany(queries, searchOptions(step.search, keys));
    }
  }
}

function performOnMany(
  subject: SubjectVectors,
  step: VectorStep & { readonly kind: 'fill' | 'prune' },
  length: number,
): unknown {
  const { family: start, from, count } = step;
  const answers: unknown[] = [];
  subject.batch(() => {
    if (step.kind === 'prune') {
      for (let index = from; index < from + count; index += step.every) {
        answers.push(subject[step.all ? 'del' : 'vdel'](numberedKey(start, index)));
      }
      return;
    }
    const { shape, seed } = step.vector;
    const end = from + Math.min(count, Math.ceil(FILL_NUMBERS_MAX / length));
    for (let index = from; index < end; index++) {
      const filled = vectorOf({ shape, seed: seed + (index % step.distinct) }, length);
      // Neither in the order of keys nor of its mirror.
      const place = from + (((index - from) * 7) % (end - from));
      subject.vset(numberedKey(start, place), filled);
      if (index % step.valueEvery === 0) subject.set(numberedKey(start, place), index);
    }
  });
  return answers;
}

function startOf(each: Key): Key {
  return typeof each === 'string' ? [...each].slice(0, 5).join('') : each.slice(0, 5);
}

/** All that a keyspace says of its vectors and values; `model` says which keys to ask for. */
export function describeAll(subject: VectorReader, model: ModelVectors, place: Place): unknown {
  const keys = model.vectorKeys();
  const some = keys.filter((_, index) => index % 29 === 0 || index < 3);
  // All products with it are 0, and so all vectors come by their keys.
  const nothing = new Float32Array(subject.vdim() ?? place.dimension);
  const all = { metric: 'dot', topK: keys.length + 1, includeVectors: true } as const;
  return {
    dimension: subject.vdim(),
    counts: [subject.vcount(), subject.stats().vectors, subject.count()],
    prefixes: some.map((each) => subject.vcount(startOf(each))),
    vectors: some.map((each) => subject.vget(each)),
    values: some.map((each) => subject.get(each)),
    missing: subject.vget('none'),
    everything: subject.vsearch(nothing, all),
    nearest: some
      .slice(-2)
      .map((each) => subject.vsearch(model.vget(each) ?? nothing, { metric: 'l2', topK: 5 })),
  };
}
